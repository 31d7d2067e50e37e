/** Everything that asks other hosts does so through the proxies of the environment. */
import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { openScorer } from '../packages/filter/src/index.ts'
import { createCogImagery, createEarthEngine } from '../packages/gee-fetch/src/index.ts'
import { cogSource } from '../packages/gee-fetch/test/cog-set-up.ts'
import {
  makeCertificate,
  type Running,
  serve,
  serveProxy,
  serveSecurely,
  type TestProxy,
} from '../packages/http/test/servers.ts'
import { extractFile } from '../packages/pipeline/src/inputs.ts'
import { runDoctor } from '../packages/worker/src/doctor/doctor.ts'
import { openS3 } from '../packages/worker/src/storages/s3.ts'
import { openStorage } from '../packages/worker/src/storages/storages.ts'
import { makeFolder } from './support/skyscript.ts'
import { TOWN } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let servers: Running[]
let proxy: TestProxy
/** `host method path` of the requests that came through, and their Authorization. */
const came: string[] = []

beforeAll(async () => {
  folder = await makeFolder('proxies')
  const town = await readFile(TOWN)
  const pair = await makeCertificate(['secure.invalid'])
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), pair.cert])
  const answer: RequestListener = (request, response) => {
    came.push(`${request.headers.host} ${request.url} ${request.headers.authorization ?? ''}`.trim())
    if (request.url === '/town.osm.pbf') response.end(town)
    else if (request.url === '/token') response.end('{"access_token":"token-1","expires_in":3600}')
    else response.writeHead(404).end('{}')
  }
  const [plain, secure] = [await serve(answer), await serveSecurely(pair, answer)]
  proxy = await serveProxy({ 'plain.invalid': plain.port, 'secure.invalid': secure.port })
  servers = [plain, secure, proxy]
}, 60_000)
afterAll(async () => {
  for (const each of servers) await each.close()
  await folder.remove()
})
afterEach(() => {
  vi.unstubAllEnvs()
  came.length = 0
  proxy.asked.length = 0
})

function useProxy(): void {
  vi.stubEnv('HTTP_PROXY', proxy.url)
  vi.stubEnv('HTTPS_PROXY', proxy.url)
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy', 'NO_PROXY']) vi.stubEnv(name, undefined)
}
const settled = (promise: Promise<unknown>) => promise.catch(() => undefined)

test('extracts', async () => {
  useProxy()
  const signal = new AbortController().signal
  const options = { signal, openStorage, cacheFolder: folder.path }
  const { path } = await extractFile('http://plain.invalid/town.osm.pbf', options)
  expect(await readFile(path)).toEqual(await readFile(TOWN))
  expect(proxy.asked).toEqual(['GET http://plain.invalid/town.osm.pbf'])
})

test('files and catalogues of imagery', async () => {
  useProxy()
  const cog = createCogImagery({ maxConcurrent: 2, maxCloud: 20 })
  await settled(cog.check(cogSource({ files: ['http://plain.invalid/a.tif'] })))
  await settled(cog.check(cogSource({ files: [], stac: 'https://secure.invalid/stac', assets: ['a'] })))
  await cog.close()
  expect(came).toEqual(['plain.invalid /a.tif', expect.stringMatching(/^secure\.invalid \/stac\/collections\//)])
  expect(proxy.asked).toEqual(['GET http://plain.invalid/a.tif', 'CONNECT secure.invalid:443'])
})

test('Earth Engine and its tokens', async () => {
  useProxy()
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const credentials = join(folder.path, 'key.json')
  const key = { client_email: 'me@example.org', private_key: privateKey, token_uri: 'https://secure.invalid/token' }
  await writeFile(credentials, JSON.stringify(key))
  const ee = createEarthEngine({ endpoint: 'https://secure.invalid', project: 'p', credentials, maxConcurrent: 2 })
  await settled(ee.check())
  await ee.close()
  expect(came[0]).toBe('secure.invalid /token')
  expect(came[1]).toMatch(/^secure\.invalid \/v1\/projects\/p\/algorithms.* Bearer token-1$/)
  expect(proxy.asked[0]).toBe('CONNECT secure.invalid:443')
})

test('model downloads, model servers and the doctor', async () => {
  useProxy()
  const model = { name: 'one', model: 'owner/name', cacheFolder: folder.path, hub: 'https://secure.invalid' }
  await settled(openScorer(model))
  const server = { url: 'http://plain.invalid', vision: 'v', text: 't' }
  await settled(openScorer({ ...model, model: join(import.meta.dirname, '../examples/demo/model'), server }))
  expect(came).toEqual([
    expect.stringMatching(/^secure\.invalid \/api\/models\/owner\/name/),
    'plain.invalid /v2/health/ready',
  ])
  came.length = 0
  const { parseConfig } = await import('../packages/core/src/config.ts')
  const settings = { osm: { source: 'http://plain.invalid/town.osm.pbf' }, output: join(folder.path, 'out') }
  vi.stubEnv('HF_ENDPOINT', 'http://plain.invalid')
  vi.stubEnv('SKYSCRIPT_CACHE', join(folder.path, 'cache'))
  const checks = await runDoctor(
    parseConfig(JSON.stringify({ ...settings, imagery: { earthEngine: { endpoint: 'local' } } }), 'region.yaml'),
  )
  expect(checks.find(({ name }) => name === 'osm')).toMatchObject({ status: 'ok' })
  expect(came.some((each) => each.startsWith('plain.invalid /api/models/Xenova/'))).toBe(true)
}, 60_000)

test('buckets', async () => {
  useProxy()
  const env = { AWS_ACCESS_KEY_ID: 'me', AWS_SECRET_ACCESS_KEY: 'key', HTTP_PROXY: proxy.url }
  await settled(openS3('s3://bucket/prefix', { ...env, AWS_ENDPOINT_URL: 'http://plain.invalid' }))
  expect(proxy.asked[0]).toMatch(/^[A-Z]+ http:\/\/plain\.invalid\/bucket/)
})

test('an imagery server that a build starts for itself is asked without a proxy', async () => {
  useProxy()
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    response.writeHead(404).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ee = createEarthEngine({ endpoint, project: null, credentials: null, maxConcurrent: 1, proxies: 'none' })
  await settled(ee.check())
  await ee.close()
  server.close()
  expect(asked).toBe(1)
  expect(proxy.asked).toEqual([])
})
