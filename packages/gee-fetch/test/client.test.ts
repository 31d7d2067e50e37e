// @module-tag slow
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startLocalEarthEngine } from '../../local-earth-engine/src/index.ts'
import { createEarthEngine, createLimiter, type EarthEngine, type EarthEngineOptions } from '../src/index.ts'
import { apiError, type Service, sendJson, startService } from './service.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

/** The first request of Google's client; taken from a real list. */
let algorithms: unknown
beforeAll(async () => {
  const server = await startLocalEarthEngine({ features: [], threads: 1 })
  algorithms = await (await fetch(`${server.url}/v1/projects/p/algorithms`)).json()
  await server.close()
})

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

type Answer = Parameters<typeof startService>[0]

/** A client of a service that answers the list of algorithms, and leaves all else to the test. */
async function clientOf(
  answer: Answer,
  options: Partial<EarthEngineOptions> = {},
): Promise<{ ee: EarthEngine; service: Service }> {
  let number = 0
  const service = await startService((request, response, _, body) => {
    if (request.url!.includes('/algorithms')) sendJson(response, 200, algorithms)
    else answer(request, response, ++number, body)
  })
  open.push(service)
  const ee = createEarthEngine({ endpoint: service.url, project: 'p', credentials: null, maxConcurrent: 8, ...options })
  open.push(ee)
  await ee.check()
  return { ee, service }
}

const NUMBER = () => ({ result: '0', values: { 0: { constantValue: 1 } } })
const HEADER =
  "{'descr': [('r', '|u1'), ('g', '|u1'), ('b', '|u1'), ('s', '|u1')], 'fortran_order': False, 'shape': (1, 1)}"
const ONE_PIXEL = Buffer.concat([
  Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(HEADER.length)}\x00${HEADER}`, 'latin1'),
  Buffer.alloc(4),
])
const ok: Answer = (_, response) => sendJson(response, 200, { result: 1 })
const grid = { width: 1, height: 1, west: 7, north: 47, stepX: 1e-5, stepY: 1e-5 }

test('connections are kept alive: a hundred requests open no more than their concurrency', async () => {
  const { ee, service } = await clientOf(ok, { maxConcurrent: 4 })
  await Promise.all(Array.from({ length: 100 }, () => ee.compute(NUMBER)))
  expect(service.connections()).toBeLessThanOrEqual(4)
  expect(ee.stats()).toMatchObject({ computeRequests: 100, retries: 0 })
})

test('at most maxConcurrent requests are in flight, pixels and expressions together', async () => {
  let [now, most] = [0, 0]
  const { ee } = await clientOf(
    (request, response) => {
      most = Math.max(most, ++now)
      setTimeout(() => {
        now--
        if (request.url!.endsWith(':computePixels')) response.end(ONE_PIXEL)
        else sendJson(response, 200, { result: 1 })
      }, 20)
    },
    { maxConcurrent: 3 },
  )
  await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 ? ee.compute(NUMBER) : ee.pixels(NUMBER, grid))))
  expect(most).toBe(3)
})

test('a limiter starts no more than perSecond requests per second', async () => {
  const limiter = createLimiter({ maxConcurrent: 100, perSecond: 50 })
  const starts: number[] = []
  const start = async () => {
    const release = await limiter.acquire()
    starts.push(performance.now())
    release()
  }
  // An event loop blocked for a while starts all that waited at once, and must not start extra requests after it.
  const busy = setInterval(() => {
    const from = performance.now()
    while (performance.now() - from < 100);
  }, 400)
  await Promise.all(Array.from({ length: 130 }, start))
  clearInterval(busy)
  starts.sort((a, b) => a - b)
  for (let i = 50; i < starts.length; i++) expect(starts[i]! - starts[i - 50]!).toBeGreaterThan(1000)
})

test('429, 500, 503, truncated bodies, web pages and empty responses are retried until the answer comes', async () => {
  const faults: Answer[] = [
    (_, response) => sendJson(response, 429, apiError(429, 'Too Many Requests')),
    (_, response) => sendJson(response, 500, apiError(500, 'An internal error occurred.')),
    (_, response) => sendJson(response, 503, apiError(503, 'Unavailable')),
    (_, response) => {
      response.writeHead(200, { 'Content-Length': 1000 })
      response.write('{"resu', () => response.destroy())
    },
    (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>Sign in</html>'),
    (_, response) => response.writeHead(200).end(),
  ]
  for (const fault of faults) {
    const { ee } = await clientOf((request, response, number, body) =>
      (number === 1 ? fault : ok)(request, response, number, body),
    )
    expect(await ee.compute(NUMBER)).toBe(1)
  }
}, 30_000)

test('Retry-After is respected', async () => {
  const times: number[] = []
  const { ee } = await clientOf((_, response, number) => {
    times.push(performance.now())
    if (number === 1) sendJson(response, 429, apiError(429, 'later'), { 'Retry-After': '1' })
    else sendJson(response, 200, { result: 1 })
  })
  await ee.compute(NUMBER)
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(995)
})

test('permanent errors are not retried', async () => {
  const cases: readonly (readonly [number, string])[] = [
    [400, 'earth-engine-unclear'],
    [401, 'bad-credentials'],
    [403, 'no-access'],
    [404, 'earth-engine-refused'],
  ]
  for (const [status, code] of cases) {
    const { ee, service } = await clientOf((_, response) => sendJson(response, status, apiError(status, 'No.')))
    await expect(ee.compute(NUMBER)).rejects.toMatchObject({ code, message: expect.stringContaining('No.') })
    expect(service.bodies.length, String(status)).toBe(2)
  }
})

test('an abort ends a request that hangs, and the pause before the next attempt', async () => {
  for (const answer of [() => {}, ((_, response) => sendJson(response, 500, {})) as Answer]) {
    const { ee } = await clientOf(answer)
    const abort = new AbortController()
    const asked = ee.compute(NUMBER, abort.signal)
    setTimeout(() => abort.abort(new Error('stopped')), 150)
    const start = performance.now()
    await expect(asked).rejects.toThrow('stopped')
    expect(performance.now() - start).toBeLessThan(2000)
  }
})

test('a response of more than 64 MB is not read to its end', async () => {
  const { ee } = await clientOf((_, response) => {
    const piece = Buffer.alloc(1 << 20)
    const more = () => {
      while (response.writable && response.write(piece));
      if (response.writable) response.once('drain', more)
    }
    response.writeHead(200)
    more()
  })
  await expect(ee.pixels(NUMBER, grid)).rejects.toMatchObject({ code: 'earth-engine-bad-answer' })
})

test('an endpoint that is invalid or would leak a token is refused before a byte is sent', () => {
  const make = (endpoint: string, credentials: string | null = null) =>
    createEarthEngine({ endpoint, project: 'p', credentials, maxConcurrent: 1 })
  for (const endpoint of [
    'not a url',
    'ftp://example.org',
    'http://169.254.169.254',
    'http://metadata.google.internal',
  ]) {
    expect(() => make(endpoint), endpoint).toThrow(expect.objectContaining({ code: 'bad-endpoint' }))
  }
  expect(() => make('http://example.org', 'key.json')).toThrow(/https/)
  expect(() => make('http://user:hunter2@169.254.169.254')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  )
})

test('a request that hangs, before its response or within it, is aborted at the deadline and retried', async () => {
  const hangs: Answer[] = [
    () => {},
    (_, response) => {
      response.writeHead(200, { 'Content-Length': 1000 })
      response.write('{"resu')
    },
  ]
  for (const hang of hangs) {
    const { ee, service } = await clientOf(
      (request, response, number, body) => (number === 1 ? hang : ok)(request, response, number, body),
      { deadlineMs: 300 },
    )
    expect(await ee.compute(NUMBER)).toBe(1)
    expect(service.bodies).toHaveLength(3)
  }
})

test('a service that always fails is tried five times and reported in one sentence', async () => {
  const hint = '; check imagery.earthEngine.endpoint'
  const cases: readonly (readonly [Answer, string, string])[] = [
    [
      (_, response) => sendJson(response, 500, apiError(500, 'Backend error.')),
      'earth-engine-failed',
      '500: Backend error',
    ],
    [() => {}, 'earth-engine-timeout', `(not within 0.1 s)${hint}`],
    [(_, response) => response.destroy(), 'earth-engine-unreachable', `(the connection was closed)${hint}`],
    [(_, response) => response.end('<html>Sign in</html>'), 'earth-engine-bad-answer', `other than JSON${hint}`],
    [(_, response) => response.end('null'), 'earth-engine-bad-answer', `other than JSON${hint}`],
  ]
  await Promise.all(
    cases.map(async ([answer, code, said]) => {
      const { ee, service } = await clientOf(answer, { deadlineMs: 100 })
      const error = (await ee.compute(NUMBER).catch((reason: unknown) => reason)) as Error
      expect(error).toMatchObject({ code, message: expect.stringContaining(said) })
      expect(error.message).toMatch(/^[^.].*\.$/)
      expect(error.message.split('. ')).toHaveLength(1)
      expect(service.bodies).toHaveLength(1 + 5)
    }),
  )
}, 30_000)

test('a caller that stops waiting for a slot does not block the others', async () => {
  const limiter = createLimiter({ maxConcurrent: 1, perSecond: 1000 })
  const release = await limiter.acquire()
  const abort = new AbortController()
  const left = limiter.acquire(abort.signal)
  const stayed = limiter.acquire()
  abort.abort(new Error('stopped'))
  await expect(left).rejects.toThrow('stopped')
  await expect(limiter.acquire(abort.signal)).rejects.toThrow('stopped')
  release()
  release()
  const next = await stayed
  let entered = false
  const last = limiter.acquire().then((done) => {
    entered = true
    done()
  })
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(entered).toBe(false)
  next()
  await last
})

test('a caller that stops waiting for its start time releases its slot', async () => {
  const limiter = createLimiter({ maxConcurrent: 1, perSecond: 1 })
  const release = await limiter.acquire()
  release()
  await expect(limiter.acquire(AbortSignal.timeout(50))).rejects.toThrow(/timeout/)
  const next = await limiter.acquire(AbortSignal.timeout(5000))
  next()
})

test('every request carries the service account’s token, and no message reveals it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gee-fetch-test-'))
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  let minted = 0
  const tokens = await startService((_, response) => {
    minted++
    sendJson(response, 200, { access_token: 'ya29.right', expires_in: 3600 })
  })
  const credentials = join(folder, 'key.json')
  const key = { client_email: 'b@p.iam.gserviceaccount.com', private_key: privateKey, token_uri: tokens.url }
  await writeFile(credentials, JSON.stringify(key))
  const open = await startLocalEarthEngine({ features: [], threads: 1, requireToken: 'ya29.right', projects: ['p'] })
  const ask = async (project: string, endpoint: string, keyFile: string | null) => {
    const ee = createEarthEngine({ endpoint, project, credentials: keyFile, maxConcurrent: 8 })
    try {
      return await Promise.all(Array.from({ length: 5 }, () => ee.compute(NUMBER)))
    } finally {
      await ee.close()
    }
  }
  expect(await ask('p', open.url, credentials)).toEqual([1, 1, 1, 1, 1])
  expect(minted).toBe(1)
  await expect(ask('p', open.url, null)).rejects.toMatchObject({
    code: 'bad-credentials',
    message: expect.stringContaining('set imagery.earthEngine.credentials'),
  })
  await expect(ask('other', open.url, credentials)).rejects.toMatchObject({
    code: 'no-access',
    message: expect.stringContaining('imagery.earthEngine.project'),
  })
  const echo = await startService((request, response) =>
    sendJson(response, 401, apiError(401, `Invalid header Authorization: ${request.headers.authorization}`)),
  )
  await expect(ask('p', echo.url, credentials)).rejects.toMatchObject({
    code: 'bad-credentials',
    message: expect.not.stringContaining('ya29'),
  })
  for (const service of [tokens, open, echo]) await service.close()
  await rm(folder, { recursive: true })
})

test('ambient credentials are not used for a local server', async () => {
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/key.json')
  try {
    const sent: (string | undefined)[] = []
    const { ee } = await clientOf((request, response) => {
      sent.push(request.headers.authorization)
      sendJson(response, 200, { result: 1 })
    })
    await ee.compute(NUMBER)
    expect(sent).toEqual([undefined])
  } finally {
    vi.unstubAllEnvs()
  }
})
