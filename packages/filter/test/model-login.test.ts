import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openScoring } from '@skyscript/filter'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { modelLogin } from '../src/model-server/model-login.ts'
import { DEMO_MODEL } from './support/models.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const header = (login: string) => ({ authorization: `Basic ${Buffer.from(login).toString('base64')}` })
const SEVERAL = 'https://me:one@a.example http://you:t%40o@b.example:8000'

test.each([
  ['https://a.example/models', SEVERAL, header('me:one')],
  ['http://b.example:8000', SEVERAL, header('you:t@o')],
  ['http://a.example', SEVERAL, {}],
  ['http://b.example', SEVERAL, {}],
  ['https://a.example.org', SEVERAL, {}],
  ['https://own:login@a.example', SEVERAL, header('own:login')],
  ['https://any.example', 'me:pass word', header('me:pass word')],
  ['https://any.example', '', {}],
  ['https://any.example', undefined, {}],
])('%s gets its own login from %o', (address, login, expected) => {
  expect(modelLogin(address, { SKYSCRIPT_MODEL_LOGIN: login })).toEqual(expected)
})

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const scorer = (name: string, url: string) => ({
  name,
  model: DEMO_MODEL,
  cacheFolder: '/nowhere',
  server: { url, vision: 'vision', text: 'text' },
})

test('a login follows no redirect to another server', async () => {
  const seen: IncomingHttpHeaders[] = []
  const other = await serve((request, response) => {
    seen.push(request.headers)
    response.writeHead(404).end()
  })
  const first = await serve((request, response) => {
    seen.push(request.headers)
    response.writeHead(307, { location: other + request.url }).end()
  })
  for (const login of ['me:hunter2', first.replace('//', '//me:hunter2@')]) {
    seen.length = 0
    vi.stubEnv('SKYSCRIPT_MODEL_LOGIN', login)
    await expect(openScoring([scorer('one', first)])).rejects.toThrow(/answers HTTP 404/)
    expect(seen.map(({ authorization }) => authorization)).toEqual([header('me:hunter2').authorization, undefined])
  }
})

test('a login that could belong to either of two servers is sent to neither', async () => {
  let asked = 0
  const count: RequestListener = (_, response) => {
    asked++
    response.writeHead(500).end()
  }
  const servers = [scorer('one', await serve(count)), scorer('two', await serve(count))]
  vi.stubEnv('SKYSCRIPT_MODEL_LOGIN', 'me:hunter2')
  const error = await openScoring(servers).catch((reason) => reason)
  expect(error).toMatchObject({ name: 'InputError', code: 'model-server-login' })
  expect(error.message).not.toContain('hunter2')
  expect(asked).toBe(0)
})

test('the hub’s token is never sent unencrypted over a network', async () => {
  vi.stubEnv('HF_TOKEN', 'hf_hunter2')
  // A proxy represents the network.
  const seen: IncomingHttpHeaders[] = []
  const proxy = await serve((request, response) => {
    seen.push(request.headers)
    response.writeHead(404).end()
  })
  vi.stubEnv('http_proxy', proxy)
  const model = { ...scorer('one', ''), model: 'owner/name', server: null, cacheFolder: '/tmp/nowhere' }
  await expect(openScoring([{ ...model, hub: 'http://hub.invalid' }])).rejects.toMatchObject({ code: 'unknown-model' })
  expect(seen).toHaveLength(1)
  expect(seen[0]!.authorization).toBeUndefined()
})
