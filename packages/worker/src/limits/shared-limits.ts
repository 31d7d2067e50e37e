import type { Limiter } from '@skyscript/gee-fetch'
import type { ContextOptions } from '@skyscript/pipeline'
import type { Redis } from 'ioredis'
import { createRedisLimiter } from '../queue/limiter.ts'
import { openRedis, parseRedisUrl } from '../queue/redis.ts'
import { type MachineLimiter, openMachineLimiter } from './machine-limiter.ts'
import { redisLedger } from './redis-ledger.ts'

/** Requests started per second in a project, https://developers.google.com/earth-engine/guides/usage */
const REQUESTS_PER_SECOND = 100

/** Limits and budgets that this process shares with others. */
export interface SharedLimits {
  readonly options: Pick<ContextOptions, 'limiter' | 'ledger'>
  close(): Promise<void>
}

/** Limits in the queue's Redis, shared by its workers and by builds and plans that use it. They share one connection. */
export function queueLimits(queue: string): SharedLimits & { readonly redis: Redis } {
  const redis = openRedis(parseRedisUrl(queue), 'waiting')
  const limiters = new Map<string, Limiter>()
  return {
    redis,
    options: {
      async limiter(name, maxConcurrent, perSecond = REQUESTS_PER_SECOND) {
        const key = `${name}\n${maxConcurrent}\n${perSecond}`
        const known = limiters.get(key)
        if (known) return known
        const limiter = createRedisLimiter({ redis, name, maxConcurrent, perSecond })
        limiters.set(key, limiter)
        return limiter
      },
      ledger: (project) => redisLedger(redis, project, () => new Date()),
    },
    async close() {
      redis.disconnect()
    },
  }
}

/** Limits of this machine, for builds without a queue. The budget's ledger is then the default one, a file. */
export function machineLimits(): SharedLimits {
  const limiters = new Map<string, Promise<MachineLimiter>>()
  return {
    options: {
      limiter(name, maxConcurrent, perSecond = REQUESTS_PER_SECOND) {
        const key = `${name}\n${maxConcurrent}\n${perSecond}`
        const opening = limiters.get(key) ?? openMachineLimiter({ name, maxConcurrent, perSecond })
        limiters.set(key, opening)
        return opening
      },
    },
    async close() {
      for (const opening of limiters.values()) await (await opening).close()
    },
  }
}
