import type { ContextOptions } from '@skyscript/pipeline'
import { type MachineLimiter, openMachineLimiter } from './machine-limiter.ts'

/** Limits and budgets that this process shares with others. */
export interface SharedLimits {
  readonly options: Pick<ContextOptions, 'limiter' | 'ledger'>
  close(): Promise<void>
}

/** Limits of this machine, for builds without a queue. The budget's ledger is then the default one, a file. */
export function machineLimits(): SharedLimits {
  const limiters = new Map<string, Promise<MachineLimiter>>()
  return {
    options: {
      limiter(name, maxConcurrent, perSecond) {
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
