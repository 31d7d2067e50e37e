// @module-tag slow
/** All requests together wait for a service that is down; a service that only rejects one request is not waited for. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from '@skyscript/core'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startLocalEarthEngine } from '../../local-earth-engine/src/index.ts'
import { createEarthEngine, createOutages, type EarthEngine } from '../src/index.ts'
import { apiError, type Service, sendJson, startService } from './service.ts'

// Pauses between attempts and between probes are a twentieth: from 15 ms and 50 ms up.
vi.mock('../src/pause.ts', async (original) => {
  const real = await original<typeof import('../src/pause.ts')>()
  return { ...real, pause: (ms: number, signal?: AbortSignal) => real.pause(ms / 20, signal) }
})

const NUMBER = (n: number) => () => ({ result: '0', values: { 0: { constantValue: n } } })
let algorithms: unknown
beforeAll(async () => {
  const server = await startLocalEarthEngine({ features: [], threads: 1 })
  algorithms = await (await fetch(`${server.url}/v1/projects/p/algorithms`)).json()
  await server.close()
})
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type Answer = Parameters<typeof startService>[0]
const ok: Answer = (_, response, __, body) =>
  sendJson(response, 200, { result: JSON.parse(body).expression.values[0].constantValue })
const away: Answer = (_, response) => sendJson(response, 503, apiError(503, 'The service is currently unavailable.'))

/** Clients that share outage state, like those of one process. */
async function clientsOf(answer: Answer, patienceMs: number, count = 1) {
  const service: Service = await startService((request, response, number, body) => {
    if (request.url!.includes('/algorithms')) sendJson(response, 200, algorithms)
    else answer(request, response, number, body)
  })
  const told: string[] = []
  const outages = createOutages(({ text }) => told.push(text))
  const clients = Array.from({ length: count }, () =>
    createEarthEngine({
      endpoint: service.url,
      project: 'p',
      credentials: null,
      maxConcurrent: 8,
      deadlineMs: 300,
      outages,
      patienceMs,
    }),
  )
  closers.push(service.close, ...clients.map((each) => () => each.close()))
  for (const each of clients) await each.check()
  return { service, told, clients: clients as [EarthEngine, ...EarthEngine[]] }
}

/** Ways in which a service can be down. */
const AWAY: Readonly<Record<string, Answer>> = {
  '503': away,
  resets: (_, response) => response.destroy(),
  pages: (_, response) => response.end('<html>We are back soon.</html>'),
  silence: () => {},
}

test('a service that is down for a while loses no request, and is reported once when it goes and once when it is back', async () => {
  const lose = async (fault: Answer) => {
    let until = 0
    const { clients, service, told } = await clientsOf(
      (...args) => (performance.now() < until ? fault : ok)(...args),
      60_000,
      2,
    )
    expect(await clients[0].compute(NUMBER(0))).toBe(0)
    until = performance.now() + 4_000
    const numbers = Array.from({ length: 24 }, (_, i) => i)
    expect(await Promise.all(numbers.map((n) => clients[n % 2]!.compute(NUMBER(n))))).toEqual(numbers)
    expect(told).toEqual([
      expect.stringMatching(/^Earth Engine has .* for \d+ s; waiting, up to 60 s\.$/),
      'Earth Engine answers again.',
    ])
    // Five attempts each, then one probe at a time.
    expect(service.bodies.length).toBeLessThan(24 * 7)
  }
  await Promise.all(Object.values(AWAY).map(lose))
}, 60_000)

test('all requests fail at once when patience runs out, and a later request finds the service again', async () => {
  let isAway = false
  const { clients, told } = await clientsOf((...args) => (isAway ? away : ok)(...args), 1_500)
  const [ee] = clients
  await ee.compute(NUMBER(1))
  isAway = true
  const from = performance.now()
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => ee.compute(NUMBER(n))))
  expect(performance.now() - from).toBeLessThan(15_000)
  const codes = outcomes.map((each) => (each.status === 'rejected' ? each.reason.code : each.value))
  expect(new Set(codes)).toEqual(new Set(['service-unavailable']))
  expect((outcomes[0] as PromiseRejectedResult).reason.message).toMatch(
    /^Earth Engine has answered 503 for \d+ s \(imagery\.patience\); run the same command again to resume\.$/,
  )
  isAway = false
  expect(await ee.compute(NUMBER(5))).toBe(5)
  expect(told).toHaveLength(2)
}, 60_000)

test('a request that fails while the service answers others fails after its attempts', async () => {
  const { clients, told } = await clientsOf(
    (request, response, number, body) =>
      body.includes('13') ? away(request, response, number, body) : ok(request, response, number, body),
    60_000,
  )
  const [ee] = clients
  // No other request is in flight: the last answered request is repeated, and answered.
  expect(await ee.compute(NUMBER(1))).toBe(1)
  await expect(ee.compute(NUMBER(13))).rejects.toMatchObject({ code: 'earth-engine-failed' })
  expect(told).toEqual([])
}, 60_000)

test('an endpoint that never answered is reported at once', async () => {
  const { url, close } = await startService(ok)
  await close()
  const ee = createEarthEngine({
    endpoint: url,
    project: 'p',
    credentials: null,
    maxConcurrent: 1,
    outages: createOutages(),
    patienceMs: 60_000,
  })
  closers.push(() => ee.close())
  const from = performance.now()
  await expect(ee.check()).rejects.toMatchObject({ code: 'earth-engine-unreachable' })
  expect(performance.now() - from).toBeLessThan(10_000)
})

test('an abort ends the wait of a probe or a waiting request, and the others continue', async () => {
  let isAway = false
  const { clients } = await clientsOf((...args) => (isAway ? away : ok)(...args), 60_000)
  const [ee] = clients
  await ee.compute(NUMBER(1))
  isAway = true
  const stop = new AbortController()
  const stopped = [1, 2, 3].map((n) => ee.compute(NUMBER(n), stop.signal))
  const stays = ee.compute(NUMBER(4))
  await sleep(1_000)
  const rejected = Promise.all(stopped.map((each) => expect(each).rejects.toThrow('stopped')))
  stop.abort(new Error('stopped'))
  await rejected
  isAway = false
  expect(await stays).toBe(4)
}, 60_000)

test('an answer to a request sent before others failed says nothing about the service now', async () => {
  let isDown = false
  const fault = new ServiceError('imagery-failed', 'The service is unavailable.', { retry: true, status: 503 })
  const request = async (ms: number) => {
    if (isDown) throw fault
    await sleep(ms)
  }
  const outage = createOutages().of('service', 'The service', 60_000)
  const slow = outage.send(() => request(200))
  await sleep(10)
  isDown = true
  const since = performance.now()
  await expect(outage.send(() => request(0))).rejects.toBe(fault)
  await slow
  expect(await outage.judge(fault, since)).toBe('away')
})
