// @module-tag slow
import { createVerify, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createTokenSource, hasAmbientCredentials, takesAmbientCredentials } from '../src/auth.ts'
import { createEarthEngine } from '../src/index.ts'
import { sendJson, startService } from './service.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gee-fetch-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function keyFile(name: string, changes: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(folder, name)
  const key = {
    type: 'service_account',
    private_key_id: 'key-1',
    private_key: privateKey,
    client_email: 'builder@p.iam.gserviceaccount.com',
    ...changes,
  }
  await writeFile(path, JSON.stringify(key))
  return path
}

test('the account’s signed claim is exchanged for a token once, which serves many requests', async () => {
  const service = await startService((_, response) =>
    sendJson(response, 200, { access_token: 'token-1', expires_in: 3600 }),
  )
  const token_uri = `${service.url}/token`
  const token = createTokenSource(await keyFile('good.json', { token_uri }))
  expect(await Promise.all([token(), token(), token()])).toEqual(['token-1', 'token-1', 'token-1'])
  expect(await token()).toBe('token-1')
  await service.close()
  expect(service.bodies).toHaveLength(1)

  const form = new URLSearchParams(service.bodies[0])
  expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
  const [header, claims, signature] = form.get('assertion')!.split('.') as [string, string, string]
  expect(createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url')).toBe(true)
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  expect(read(header).alg).toBe('RS256')
  const { iss, aud, scope, iat, exp } = read(claims)
  expect([iss, aud, exp - iat]).toEqual(['builder@p.iam.gserviceaccount.com', token_uri, 3600])
  expect(scope).toBe('https://www.googleapis.com/auth/earthengine')
  expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(60)
})

test.each([
  ['https://earthengine-highvolume.googleapis.com', true],
  ['https://earthengine.googleapis.com:443/', true],
  ['https://googleapis.com', true],
  ['http://earthengine.googleapis.com', false],
  ['https://googleapis.com.example.org', false],
  ['https://evil-googleapis.com', false],
  ['https://earthengine.example.org/googleapis.com', false],
  ['https://user@earthengine.example.org', false],
  ['https://127.0.0.1:8080', false],
  ['local', false],
])('ambient credentials are used for Google’s own hosts only: %s', (endpoint, may) => {
  expect(takesAmbientCredentials(endpoint)).toBe(may)
})

test('another endpoint gets no ambient credentials, and no token is requested', async () => {
  const service = await startService((_, response) =>
    sendJson(response, 200, { access_token: 'token-1', expires_in: 3600 }),
  )
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', await keyFile('ambient.json', { token_uri: `${service.url}/token` }))
  // Nothing listens on either address; a token would be requested first.
  for (const [endpoint, tokens] of [
    ['https://127.0.0.1:9', 0],
    ['https://earthengine.googleapis.com', 1],
  ] as const) {
    const before = service.bodies.length
    vi.stubEnv('https_proxy', 'http://127.0.0.1:9')
    const ee = createEarthEngine({ endpoint, project: 'p', credentials: null, maxConcurrent: 1 })
    await expect(ee.check()).rejects.toThrow()
    await ee.close()
    expect(service.bodies).toHaveLength(before + tokens)
  }
  vi.unstubAllEnvs()
  await service.close()
})

test('a token about to expire is renewed first', async () => {
  const service = await startService((_, response, number) =>
    sendJson(response, 200, { access_token: `token-${number}`, expires_in: 240 }),
  )
  const token = createTokenSource(await keyFile('short.json', { token_uri: service.url }))
  expect([await token(), await token()]).toEqual(['token-1', 'token-2'])
  await service.close()
})

test('a refused account, a broken key and an unknown file each give one sentence without the key', async () => {
  const refusing = await startService((_, response) => sendJson(response, 400, { error: 'invalid_grant' }))
  const cases: readonly (readonly [string, string])[] = [
    [await keyFile('refused.json', { token_uri: refusing.url }), 'invalid_grant'],
    [await keyFile('no-key.json', { token_uri: refusing.url, private_key: 'garbage' }), 'private key in'],
    [await keyFile('plain.json', { token_uri: 'http://example.org/token' }), 'not https'],
    [
      await keyFile('other.json', { token_uri: refusing.url, client_email: undefined }),
      'neither a service account key',
    ],
    [join(folder, 'nowhere.json'), 'nowhere.json'],
  ]
  for (const [file, said] of cases) {
    const error = await createTokenSource(file)().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'bad-credentials', message: expect.stringContaining(said) })
    expect(String(error)).not.toContain(privateKey.split('\n')[1])
  }
  await refusing.close()
})

test('an unreachable token service is retryable, and so is a 500', async () => {
  const away = createTokenSource(await keyFile('away.json', { token_uri: 'http://127.0.0.1:9/token' }))
  await expect(away()).rejects.toMatchObject({ code: 'token-unreachable', retry: true })
  const ill = await startService((_, response) => sendJson(response, 500, {}))
  await expect(createTokenSource(await keyFile('ill.json', { token_uri: ill.url }))()).rejects.toMatchObject({
    retry: true,
  })
  await ill.close()
})

test.each<[string, Parameters<typeof startService>[0]]>([
  ['429 with a reason', (_, response) => sendJson(response, 429, { error: 'rate_limit_exceeded' })],
  ['408', (_, response) => sendJson(response, 408, { error: 'timeout' })],
  ['503 with a reason', (_, response) => sendJson(response, 503, { error: 'unavailable' })],
  ['a page of a proxy', (_, response) => response.writeHead(403).end('<html>Forbidden</html>')],
  ['200 without a body', (_, response) => response.writeHead(200).end()],
  ['200 without a token', (_, response) => sendJson(response, 200, { error: 'internal' })],
  ['200 with null', (_, response) => sendJson(response, 200, null)],
  [
    'a truncated body',
    (_, response) => {
      response.writeHead(400, { 'content-length': '1000' }).write('{"error": "inval')
      setTimeout(() => response.destroy(), 20)
    },
  ],
])('a token service response that does not reject the account is retryable: %s', async (_, answer) => {
  const service = await startService(answer)
  const token = createTokenSource(await keyFile('transient.json', { token_uri: service.url }))
  await expect(token()).rejects.toMatchObject({ name: 'ServiceError', code: 'token-unreachable', retry: true })
  await service.close()
})

test('without a key file there is no token; GOOGLE_APPLICATION_CREDENTIALS names one', async () => {
  expect(await createTokenSource(null, {})()).toBeNull()
  const service = await startService((_, response) => sendJson(response, 200, { access_token: 'from-env' }))
  const file = await keyFile('env.json', { token_uri: service.url })
  expect(await createTokenSource(null, { GOOGLE_APPLICATION_CREDENTIALS: file })()).toBe('from-env')
  await service.close()
})

test('a gcloud login in its settings folder gives tokens, and GOOGLE_APPLICATION_CREDENTIALS takes precedence', async () => {
  const service = await startService((_, response) =>
    sendJson(response, 200, { access_token: 'of-a-person', expires_in: 3600 }),
  )
  const login = { type: 'authorized_user', client_id: 'id', client_secret: 'hidden', refresh_token: 'refresh' }
  const folder = await mkdtemp(join(tmpdir(), 'gcloud-'))
  const file = join(folder, 'application_default_credentials.json')
  await writeFile(file, JSON.stringify({ ...login, token_uri: service.url }))
  const env = { CLOUDSDK_CONFIG: folder }
  expect([hasAmbientCredentials(env), hasAmbientCredentials({})]).toEqual([true, false])
  const token = createTokenSource(null, env)
  expect([await token(), await token()]).toEqual(['of-a-person', 'of-a-person'])
  expect(Object.fromEntries(new URLSearchParams(service.bodies[0]))).toEqual({
    ...{ grant_type: 'refresh_token', refresh_token: 'refresh', client_id: 'id', client_secret: 'hidden' },
  })
  expect(service.bodies).toHaveLength(1)
  expect(await createTokenSource(null, null)()).toBeNull()
  const named = join(folder, 'nowhere.json')
  await expect(createTokenSource(null, { ...env, GOOGLE_APPLICATION_CREDENTIALS: named })()).rejects.toThrow(named)
  await rm(folder, { recursive: true })
  await service.close()
})

test('a workload identity is exchanged for a token valid only for Earth Engine', async () => {
  const service = await startService((_, response) =>
    sendJson(response, 200, {
      ...{ access_token: 'federated', expires_in: 3600, token_type: 'Bearer' },
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    }),
  )
  const subject = join(folder, 'subject.txt')
  await writeFile(subject, 'a-token-of-the-cluster')
  const file = join(folder, 'federation.json')
  const federation = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${service.url}/v1/token`,
    credential_source: { file: subject },
  }
  await writeFile(file, JSON.stringify(federation))
  expect(await createTokenSource(file)()).toBe('federated')
  const asked = new URLSearchParams(service.bodies[0])
  expect(asked.get('subject_token')).toBe('a-token-of-the-cluster')
  expect(asked.get('scope')).toBe('https://www.googleapis.com/auth/earthengine')
  await writeFile(file, JSON.stringify({ ...federation, token_url: 'http://sts.example.org/v1/token' }))
  await expect(createTokenSource(file)()).rejects.toThrow('names a token_url that is not https')
  await service.close()
})

test('a machine in Google Cloud gets tokens of its own account', async () => {
  const service = await startService((request, response) => {
    response.setHeader('Metadata-Flavor', 'Google')
    paths.push(request.url ?? '')
    sendJson(response, 200, { access_token: 'of-the-machine', expires_in: 3600, token_type: 'Bearer' })
  })
  const paths: string[] = []
  const { host } = new URL(service.url)
  vi.stubEnv('GCE_METADATA_HOST', host)
  expect(await createTokenSource(null, { GCE_METADATA_HOST: host })()).toBe('of-the-machine')
  expect(await createTokenSource(null, null)()).toBeNull()
  vi.unstubAllEnvs()
  expect(paths).toHaveLength(1)
  expect(decodeURIComponent(paths[0]!)).toBe(
    '/computeMetadata/v1/instance/service-accounts/default/token?scopes=https://www.googleapis.com/auth/earthengine',
  )
  await service.close()
})
