import { randomUUID } from 'node:crypto'
import { ServiceError } from '@skyscript/core'
import {
  AFTER_REFUSAL,
  type Limiter,
  PLACES_PER_SECOND,
  RESTRICTED_MS,
  RESTRICTED_PLACES,
  WINDOW_MS,
} from '@skyscript/gee-fetch'
import type { Redis } from 'ioredis'

/** A lease that was not renewed for this long belongs to a killed process; leases are renewed three times as often. */
const LEASE_MS = 15_000
/** How often a process with waiting requests polls while all slots are taken by others. */
const POLL_MS = 20
/** Maximum wait for an unreachable Redis. */
const GIVE_UP_MS = 60_000

/**
 * Grants up to ARGV[4] leases. Uses Redis' own clock, so the machines' clocks may differ.
 *
 * KEYS: leases by expiry, starts by time, pace. ARGV: slots, starts per window, window in ms, number wanted, lease in ms,
 * name of the first lease (others get `/1`, `/2`, ... appended), slots that come back per second, slots of a restricted
 * project.
 * Returns the number granted, and how many ms to wait if there were none (0: until a slot is free).
 */
const ACQUIRE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pace = redis.call('HMGET', KEYS[3], 'slots', 'refused', 'until', 'restricted')
if pace[3] and tonumber(pace[3]) > now then return {0, pace[3] - now} end
if pace[1] then
  ARGV[1] = math.min(ARGV[1], math.floor(pace[1] + (now - pace[2]) / 1000 * ARGV[7]))
end
if pace[4] and tonumber(pace[4]) > now then ARGV[1] = math.min(ARGV[1], ARGV[8]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[3])
local slots = ARGV[1] - redis.call('ZCARD', KEYS[1])
local starts = ARGV[2] - redis.call('ZCARD', KEYS[2])
local granted = math.max(0, math.min(slots, starts, tonumber(ARGV[4])))
for i = 1, granted do
  redis.call('ZADD', KEYS[1], now + ARGV[5], ARGV[6] .. '/' .. (i - 1))
  redis.call('ZADD', KEYS[2], now, ARGV[6] .. '/' .. (i - 1))
end
redis.call('PEXPIRE', KEYS[1], ARGV[5] * 2)
redis.call('PEXPIRE', KEYS[2], ARGV[3] * 2)
if granted > 0 or starts > 0 then return {granted, 0} end
local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return {0, math.max(1, oldest[2] + ARGV[3] - now)}
`

/**
 * Records a refusal for all processes. KEYS: pace. ARGV: slots, slots that come back per second, share that remains, ms
 * within which refusals count as one, ms in which nothing may start (0: it may at once).
 */
const REFUSE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local pace = redis.call('HMGET', KEYS[1], 'slots', 'refused', 'until')
if tonumber(ARGV[5]) > 0 then
  redis.call('HSET', KEYS[1], 'until', math.max(now + ARGV[5], pace[3] or 0))
end
if not pace[2] or now - pace[2] >= tonumber(ARGV[4]) then
  local slots = tonumber(ARGV[1])
  if pace[1] then slots = math.min(slots, pace[1] + (now - pace[2]) / 1000 * ARGV[2]) end
  redis.call('HSET', KEYS[1], 'slots', math.max(1, math.floor(slots * ARGV[3])), 'refused', now)
end
redis.call('PEXPIRE', KEYS[1], 300000)
`

/** Restricts all processes with a name, or lifts it. KEYS: pace. ARGV: ms until it expires unless confirmed; 0: lift it. */
const RESTRICT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'restricted', now + ARGV[1])
redis.call('PEXPIRE', KEYS[1], 300000)
`

/** Extends leases, also those that Redis has lost, since their requests are still in progress. */
const RENEW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1] * 2)
`

export interface RedisLimiterOptions {
  /** A connection that the caller opened and closes. */
  readonly redis: Redis
  /** What is limited, such as an Earth Engine project: processes with the same name share one limit. */
  readonly name: string
  readonly maxConcurrent: number
  /** Starts per second. */
  readonly perSecond: number
  /** How long a killed process keeps its slots. */
  readonly leaseMs?: number
}

/**
 * One limit on concurrency and requests per second for all processes with a name, on any machine, stored as leases in
 * Redis; first come, first served within a process. A killed process frees its slots within 15 s by default. `acquire`
 * throws ServiceError `redis-unreachable` after a minute without Redis.
 */
export function createRedisLimiter(options: RedisLimiterOptions): Limiter {
  const { redis, name, maxConcurrent, perSecond, leaseMs = LEASE_MS } = options
  const at = (what: string) => `skyscript:limit:${name}:${what}`
  const keys = [at('leases'), at('starts'), at('pace')] as const
  const waiting = new Set<(release: () => void) => void>()
  const held = new Set<string>()
  const givenUp = new Set<(error: unknown) => void>()
  let asking = false
  let poke = () => {}
  let renewing = false

  const keepRenewing = () => {
    if (renewing) return
    renewing = true
    const timer = setInterval(() => {
      if (held.size > 0) redis.eval(RENEW, 1, keys[0], leaseMs, ...held).catch(() => {})
      else {
        clearInterval(timer)
        renewing = false
      }
    }, leaseMs / 3).unref()
  }

  const release = (lease: string) => () => {
    if (!held.delete(lease)) return
    // If Redis is unreachable, the lease expires.
    redis.zrem(keys[0], lease).then(poke, poke)
  }

  /** At most one Redis request at a time for all waiters of this process; ends when nobody waits. */
  const ask = async () => {
    asking = true
    let awaySince = 0
    while (waiting.size > 0) {
      let wait: number
      try {
        const base = randomUUID()
        const wanted = waiting.size
        const limits = [
          maxConcurrent,
          perSecond,
          WINDOW_MS,
          wanted,
          leaseMs,
          base,
          PLACES_PER_SECOND,
          RESTRICTED_PLACES,
        ]
        const answer = await redis.eval(ACQUIRE, 3, ...keys, ...limits)
        const [granted, untilStart] = answer as [number, number]
        awaySince = 0
        for (let i = 0; i < granted; i++) grant(`${base}/${i}`)
        wait = granted > 0 ? 0 : untilStart || POLL_MS * (0.5 + Math.random())
      } catch (error) {
        awaySince ||= Date.now()
        if (Date.now() - awaySince > GIVE_UP_MS) giveUp(error)
        wait = 500
      }
      if (wait > 0 && waiting.size > 0)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, wait)
          poke = () => {
            clearTimeout(timer)
            resolve()
          }
        })
    }
    asking = false
  }

  const grant = (lease: string) => {
    held.add(lease)
    keepRenewing()
    const [first] = waiting
    // The caller may have been aborted in the meantime.
    if (!first) release(lease)()
    else {
      waiting.delete(first)
      first(release(lease))
    }
  }

  const giveUp = (error: unknown) => {
    const fault = new ServiceError('redis-unreachable', "The limiter in Redis can't be reached.", {
      retry: true,
      cause: error instanceof Error ? error.message : undefined,
    })
    for (const reject of givenUp) reject(fault)
    givenUp.clear()
    waiting.clear()
  }

  return {
    async acquire(signal) {
      signal?.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<() => void>()
      const abort = () => {
        waiting.delete(resolve)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abort, { once: true })
      givenUp.add(reject)
      waiting.add(resolve)
      if (!asking) void ask()
      try {
        return await promise
      } finally {
        givenUp.delete(reject)
        signal?.removeEventListener('abort', abort)
      }
    },
    restricted(isRestricted) {
      redis.eval(RESTRICT, 1, keys[2], isRestricted ? RESTRICTED_MS : 0).then(poke, () => {})
    },
    refused(retryAfterMs) {
      const { share, everyMs } = AFTER_REFUSAL
      // Without Redis nothing is admitted anyway.
      redis
        .eval(REFUSE, 1, keys[2], maxConcurrent, PLACES_PER_SECOND, share, everyMs, Math.ceil(retryAfterMs ?? 0))
        .catch(() => {})
    },
  }
}
