import type { EecuLedger, EecuUse } from '@skyscript/gee-fetch'
import { monthOf } from '@skyscript/pipeline/ledger'
import type { Redis } from 'ioredis'

/** A month's use is kept for 70 days from its last request. */
const KEPT_S = 70 * 86_400

/** What all workers of a queue used of a project's monthly budget. */
export function redisLedger(redis: Redis, project: string, now: () => Date): EecuLedger {
  const key = () => `skyscript:eecu:${project}:${monthOf(now())}`
  return {
    async read() {
      const stored = await redis.hgetall(key())
      const number = (name: keyof EecuUse) => Number(stored[name] ?? 0)
      return { eecuSeconds: number('eecuSeconds'), requests: number('requests'), pixels: number('pixels') }
    },
    async add(use) {
      const change = redis.multi()
      for (const [name, value] of Object.entries(use)) change.hincrbyfloat(key(), name, value)
      await change.expire(key(), KEPT_S).exec()
    },
  }
}
