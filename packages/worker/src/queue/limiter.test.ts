// @module-tag slow
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type RedisServer, startRedis } from '../../../../test/support/redis.ts'
import { createRedisLimiter, type RedisLimiterOptions } from './limiter.ts'

let server: RedisServer
const connections: Redis[] = []
beforeAll(async () => {
  server = await startRedis()
})
afterEach(() => {
  for (const connection of connections.splice(0)) connection.disconnect()
})
afterAll(() => server.stop())

/** A limiter like another process would have: with its own connection. */
function open(name: string, options: Partial<RedisLimiterOptions> = {}) {
  const redis = new Redis(server.url, { maxRetriesPerRequest: null })
  connections.push(redis)
  return { redis, ...createRedisLimiter({ redis, name, maxConcurrent: 10, perSecond: 100_000, ...options }) }
}

test('4 processes with one name never exceed the limit, and keep it busy', async () => {
  let [active, peak, busy] = [0, 0, 0]
  const from = performance.now()
  await Promise.all(
    [1, 2, 3, 4].map(() => {
      const limiter = open('shared')
      return Promise.all(
        Array.from({ length: 100 }, async () => {
          const release = await limiter.acquire()
          active++
          peak = Math.max(peak, active)
          await sleep(50)
          busy += 50
          active--
          release()
          release()
        }),
      )
    }),
  )
  expect(peak).toBe(10)
  // 400 x 50 ms over 10 slots is 2 s.
  expect(busy / (performance.now() - from)).toBeGreaterThan(7.5)
})

test('a restriction applies to all processes with one name until one lifts it', async () => {
  const [one, two] = [open('restricted'), open('restricted')]
  const grab = async () => {
    const releases: (() => void)[] = []
    const signal = AbortSignal.timeout(300)
    await Promise.allSettled(
      Array.from({ length: 12 }, async (_, i) => releases.push(await (i % 2 ? one : two).acquire(signal))),
    )
    for (const release of releases) release()
    await sleep(50)
    return releases.length
  }
  expect(await grab()).toBe(10)
  one.restricted(true)
  await sleep(50)
  expect(await grab()).toBe(4)
  two.restricted(false)
  await sleep(50)
  expect(await grab()).toBe(10)
})

test('starts per second stay under the limit in every window, across all processes', async () => {
  const starts: number[] = []
  const from = performance.now()
  await Promise.all(
    [1, 2].map(() => {
      const limiter = open('rate', { maxConcurrent: 1000, perSecond: 50 })
      return Promise.all(
        Array.from({ length: 60 }, async () => {
          const release = await limiter.acquire()
          starts.push(performance.now())
          release()
        }),
      )
    }),
  )
  starts.sort((a, b) => a - b)
  for (const [i, start] of starts.entries()) expect((starts[i + 50] ?? Infinity) - start).toBeGreaterThan(1000)
  expect(performance.now() - from).toBeLessThan(4000)
})

test('a killed process frees its slots; a living one keeps them', async () => {
  const living = open('leases', { maxConcurrent: 2, leaseMs: 600 })
  const killed = open('leases', { maxConcurrent: 2, leaseMs: 600 })
  await living.acquire()
  await killed.acquire()
  killed.redis.disconnect()
  const other = open('leases', { maxConcurrent: 2, leaseMs: 600 })
  await expect(other.acquire(AbortSignal.timeout(300))).rejects.toThrow(/timeout/)
  const release = await other.acquire(AbortSignal.timeout(2000))
  await expect(open('leases', { maxConcurrent: 2, leaseMs: 600 }).acquire(AbortSignal.timeout(1500))).rejects.toThrow(
    /timeout/,
  )
  release()
})

test('slots in use still count after Redis is emptied', async () => {
  const limiter = open('flushed', { maxConcurrent: 1, leaseMs: 300 })
  const release = await limiter.acquire()
  await limiter.redis.flushall()
  await sleep(200)
  await expect(open('flushed', { maxConcurrent: 1, leaseMs: 300 }).acquire(AbortSignal.timeout(500))).rejects.toThrow(
    /timeout/,
  )
  release()
  await open('flushed', { maxConcurrent: 1 }).acquire(AbortSignal.timeout(1000))
})

test('an aborted caller leaves the queue, and its slot goes to the next', async () => {
  const limiter = open('aborted', { maxConcurrent: 1 })
  const release = await limiter.acquire()
  const controller = new AbortController()
  const first = limiter.acquire(controller.signal)
  const second = limiter.acquire()
  controller.abort(new Error('enough'))
  await expect(first).rejects.toThrow('enough')
  release()
  ;(await second)()
  await vi.waitFor(async () => expect(await limiter.redis.zcard('skyscript:limit:aborted:leases')).toBe(0))
  await expect(limiter.acquire(controller.signal)).rejects.toThrow('enough')
})

test('a slot granted to an aborted caller is released', async () => {
  const limiter = open('alone', { maxConcurrent: 1 })
  const controller = new AbortController()
  const left = limiter.acquire(controller.signal)
  controller.abort(new Error('enough'))
  await expect(left).rejects.toThrow('enough')
  const release = await open('alone', { maxConcurrent: 1 }).acquire(AbortSignal.timeout(2000))
  release()
})

test('a refusal of one process slows all of them, once per burst, and wears off', async () => {
  const [one, two] = [open('refused'), open('refused')]
  const grab = async () => {
    const held: (() => void)[] = []
    const signal = AbortSignal.timeout(150)
    for (let i = 0; i < 12; i++)
      void two.acquire(signal).then(
        (release) => held.push(release),
        () => {},
      )
    await sleep(200)
    for (const release of held) release()
    await sleep(50)
    return held.length
  }
  expect(await grab()).toBe(10)
  for (let i = 0; i < 5; i++) one.refused(null)
  await sleep(50)
  expect(await grab()).toBeLessThanOrEqual(8)
  await sleep(1500)
  expect(await grab()).toBe(10)
})

test('nothing starts in any process before Retry-After is over', async () => {
  const [one, two] = [open('later'), open('later')]
  one.refused(600)
  // A shorter wait, in any process, doesn't shorten the longer one.
  two.refused(10)
  await sleep(50)
  const from = performance.now()
  const release = await two.acquire()
  expect(performance.now() - from).toBeGreaterThan(450)
  release()
})
