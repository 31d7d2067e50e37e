import type { Limiter } from '@skyscript/gee-fetch'
import type { Redis } from 'ioredis'
import { createRedisLimiter } from '../queue/limiter.ts'
import { openRedis, parseRedisUrl } from '../queue/redis.ts'
import { redisLedger } from './redis-ledger.ts'
import type { SharedLimits } from './shared-limits.ts'

/** Limits in the queue's Redis, shared by its workers and by builds and plans that use it. They share one connection. */
export function queueLimits(queue: string): SharedLimits & { readonly redis: Redis } {
  const redis = openRedis(parseRedisUrl(queue), 'waiting')
  const limiters = new Map<string, Limiter>()
  return {
    redis,
    options: {
      async limiter(name, maxConcurrent, perSecond) {
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
