// @module-tag slow
/** How many requests are sent, and what they may cost in a month. */
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { type LocalEarthEngineOptions, startLocalEarthEngine } from '../../local-earth-engine/src/index.ts'
import { PLACE } from '../../local-earth-engine/test/calls.ts'
import { createEecuMeter, type EecuLedger, type EecuUse, parseProfiles, sumOf } from '../src/eecu.ts'
import { createEarthEngine, createLimiter, createOutages, type EarthEngineOptions, SOURCES } from '../src/index.ts'
import { RESTRICTED_MS, RESTRICTED_PLACES } from '../src/limiter.ts'
import { gridAt } from './cog-set-up.ts'
import { startService } from './service.ts'
import { imageryOf } from './set-up.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function ledgerOf(total: EecuUse = { eecuSeconds: 0, requests: 0, pixels: 0 }): EecuLedger & { total: EecuUse } {
  return {
    total,
    async read() {
      return this.total
    },
    async add(use) {
      this.total = sumOf(this.total, use)
    },
  }
}

async function serviceOf(server: Partial<LocalEarthEngineOptions>, client: Partial<EarthEngineOptions>) {
  const local = await startLocalEarthEngine({ features: [], threads: 1, ...server })
  const ee = createEarthEngine({ endpoint: local.url, project: 'p', credentials: null, maxConcurrent: 40, ...client })
  closers.push(local.close, () => ee.close())
  await ee.check()
  const image = { id: 'Switzerland/SWISSIMAGE/orthos/10cm/SWISSIMAGE_10cm_2021' }
  const pixels = () => imageryOf(ee).pixels(SOURCES.CH, image.id, gridAt(PLACE, 0.1, 100, 50))
  return { local, ee, pixels }
}

test('a refusal reduces the concurrency, once per burst of refusals, and it recovers after a while', async () => {
  const limiter = createLimiter({ maxConcurrent: 10, perSecond: 10_000 })
  const held: (() => void)[] = []
  const grab = async (ms: number) => {
    for (let i = 0; i < 12; i++)
      void limiter.acquire(AbortSignal.timeout(ms)).then(
        (release) => held.push(release),
        () => {},
      )
    await sleep(ms + 20)
    const { length } = held
    for (const release of held.splice(0)) release()
    return length
  }
  expect(await grab(50)).toBe(10)
  for (let i = 0; i < 5; i++) limiter.refused(null)
  expect(await grab(50)).toBe(7)
  await sleep(1600)
  expect(await grab(50)).toBe(10)
})

test('nothing starts before Retry-After is over, and a limiter always admits at least one', async () => {
  const limiter = createLimiter({ maxConcurrent: 1, perSecond: 10_000 })
  limiter.refused(300)
  // A shorter wait doesn't shorten the longer one.
  limiter.refused(10)
  const from = performance.now()
  const release = await limiter.acquire()
  expect(performance.now() - from).toBeGreaterThan(280)
  release()
})

test('a restriction that no response confirms ends after a minute, also for those already waiting', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const limiter = createLimiter({ maxConcurrent: 10, perSecond: 10_000 })
    limiter.restricted(true)
    let got = 0
    for (let i = 0; i < 12; i++) void limiter.acquire().then(() => got++)
    await vi.advanceTimersByTimeAsync(RESTRICTED_MS - 1)
    expect(got).toBe(RESTRICTED_PLACES)
    await vi.advanceTimersByTimeAsync(1)
    expect(got).toBe(10)
  } finally {
    vi.useRealTimers()
  }
})

test('a restricted project gets fewer concurrent requests while responses say so, with one notice, and then as before', async () => {
  let isRestricted = false
  let [now, most] = [0, 0]
  const local = await startLocalEarthEngine({ features: [], threads: 1 })
  const service = await startService(async (request, response, _, body) => {
    most = Math.max(most, ++now)
    await sleep(60)
    const answer = await fetch(`${local.url}${request.url}`, { method: request.method!, ...(body && { body }) })
    const bytes = Buffer.from(await answer.arrayBuffer())
    now--
    const header = isRestricted ? { 'X-Earth-Engine-Quota-Status': 'parallelism_restricted=true' } : {}
    response.writeHead(answer.status, header).end(bytes)
  })
  const told: string[] = []
  const outages = createOutages(({ text }) => told.push(text))
  const ee = createEarthEngine({ endpoint: service.url, project: 'p', credentials: null, maxConcurrent: 12, outages })
  closers.push(local.close, service.close, () => ee.close())
  const image = 'Switzerland/SWISSIMAGE/orthos/10cm/SWISSIMAGE_10cm_2021'
  const ask = async () => {
    most = 0
    const pixels = () => imageryOf(ee).pixels(SOURCES.CH, image, gridAt(PLACE, 0.1, 20, 20))
    await Promise.all(Array.from({ length: 36 }, pixels))
    return most
  }
  expect(await ask()).toBe(12)
  isRestricted = true
  await imageryOf(ee).pixels(SOURCES.CH, image, gridAt(PLACE, 0.1, 20, 20))
  expect(await ask()).toBe(4)
  expect(told).toEqual([expect.stringContaining('Earth Engine restricts project p')])
  isRestricted = false
  await imageryOf(ee).pixels(SOURCES.CH, image, gridAt(PLACE, 0.1, 20, 20))
  expect(await ask()).toBe(12)
  expect(told.slice(1)).toEqual(['Earth Engine no longer restricts project p.'])
}, 60_000)

test('with a server that accepts 10 at a time the concurrency settles near 10, although 40 are allowed, and every answer comes', async () => {
  const { local, ee, pixels } = await serviceOf(
    { limits: { concurrent: 10 }, latency: { ms: 60, jitter: 0.3 } },
    { maxConcurrent: 40 },
  )
  const answers = await Promise.all(Array.from({ length: 150 }, pixels))
  expect(answers.every((each) => each.equals(answers[0]!))).toBe(true)
  const { byStatus, peakConcurrent } = local.stats()
  expect(peakConcurrent).toBeLessThanOrEqual(10)
  expect(ee.stats().retries).toBe(byStatus[429])
  expect(byStatus[429]).toBeLessThan(400)
})

test('the first column of a profile table is the cost', () => {
  const table =
    ' EECU·s PeakMem  Count  Description\n  0.072     47k     44  (plumbing)\n1,001.5    124k     14  Image.reduceRegion\n      -     59k     12  Loading assets\n'
  expect(parseProfiles(table)).toBeCloseTo(1001.572, 9)
  expect(parseProfiles(' EECU·s PeakMem Count Description')).toBe(0)
  for (const other of ['', 'no table', null, {}, '<html>']) expect(parseProfiles(other)).toBe(null)
  fc.assert(
    fc.property(fc.string(), (text) => {
      const seconds = parseProfiles(`EECU·s\n${text}`)
      expect(seconds !== null && seconds >= 0 && Number.isFinite(seconds)).toBe(true)
    }),
  )
})

test('the cost of requests is read from the profiler and counted, with the requests and pixels', async () => {
  const ledger = ledgerOf()
  const { ee, pixels } = await serviceOf({}, { eecu: { ledger, maxSeconds: null } })
  await Promise.all(Array.from({ length: 60 }, pixels))
  const use = await ee.eecuUse()
  // The local server's own model: 0.05 EECU-seconds per request, 0.4 per million pixels.
  expect(use).toMatchObject({ requests: 60, pixels: 60 * 5000 })
  expect(use.eecuSeconds).toBeCloseTo(60 * 0.05 + 0.3 * 0.4, 3)
  expect(ledger.total).toEqual(use)
})

test('without a budget no profile is requested', async () => {
  const { local, ee, pixels } = await serviceOf({}, {})
  await pixels()
  await ee.eecuUse()
  expect(local.stats().requests.compute).toBe(0)
})

test('once the month’s budget is used, no process that shares the ledger sends a request', async () => {
  const ledger = ledgerOf()
  const options = { eecu: { ledger, maxSeconds: 2 }, maxConcurrent: 4 }
  const { local, ee, pixels } = await serviceOf({}, options)
  const outcomes = await Promise.allSettled(Array.from({ length: 200 }, pixels))
  const refused = outcomes.filter(({ status }) => status === 'rejected')
  expect(refused.length).toBeGreaterThan(100)
  expect((refused[0] as PromiseRejectedResult).reason).toMatchObject({ code: 'eecu-budget-used', retry: false })
  expect(String((refused[0] as PromiseRejectedResult).reason.message)).toMatch(
    /^Project p has used .* of 0\.000556 EECU-hours of this month; run the same command again next month/,
  )
  await ee.eecuUse()
  expect(ledger.total.eecuSeconds).toBeGreaterThan(1.5)
  expect(ledger.total.eecuSeconds).toBeLessThan(3)
  const other = createEarthEngine({ endpoint: local.url, project: 'p', credentials: null, ...options })
  const before = local.stats().requests.pixels
  await expect(imageryOf(other).pixels(SOURCES.CH, 'x', gridAt(PLACE, 0.1, 10, 10))).rejects.toMatchObject({
    code: 'eecu-budget-used',
  })
  expect(local.stats().requests.pixels).toBe(before)
  await other.close()
})

test('if the profiler does not answer, an assumed cost is charged and no request fails', async () => {
  const ledger = ledgerOf()
  const meter = createEecuMeter({ ledger, maxSeconds: null, project: 'p' }, () => Promise.reject(new Error('away')))
  for (let i = 0; i < 10; i++) meter.note(i % 2 ? 'id' : null, 1000)
  await meter.settle()
  expect(ledger.total).toMatchObject({ requests: 10, pixels: 10_000 })
  expect(ledger.total.eecuSeconds).toBe(5)
})

test('a caller aborted while waiting for Retry-After returns at once and releases its slot', async () => {
  const limiter = createLimiter({ maxConcurrent: 1, perSecond: 10_000 })
  limiter.refused(400)
  const from = performance.now()
  await expect(limiter.acquire(AbortSignal.timeout(50))).rejects.toThrow()
  expect(performance.now() - from).toBeLessThan(300)
  const release = await limiter.acquire()
  expect(performance.now() - from).toBeGreaterThan(380)
  release()
})
