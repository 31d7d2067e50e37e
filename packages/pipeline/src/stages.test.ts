import { LOCK } from '@skyscript/dataset'
import { expect, test } from 'vitest'
import { MemoryStorage } from '../../dataset/test/support/memory-storage.ts'
import { createTerminal } from '../../worker/src/terminal/terminal.ts'
import { type Job, type Runner, resultKey, type StageName } from './runner/runner.ts'
import { createStageRunner } from './stages.ts'

const jobOf = (stage: StageName): Job => ({
  ...{ dataset: 'memory:', run: 'r', stage, shard: '0_0/q', input: 'i', fingerprint: 'f' },
})

/** Runs a stage of one job over a whole dataset; gives whether the lock was there when the job ran, and afterwards. */
async function lockDuring(stage: StageName, isDone: boolean) {
  const storage = new MemoryStorage()
  const job = jobOf(stage)
  await storage.put(LOCK, '{}')
  await storage.put(resultKey(job), '"result"')
  const seen: boolean[] = []
  const runner = {
    run: async () => {
      seen.push(await storage.has(LOCK))
      return []
    },
  } as unknown as Runner
  const stages = createStageRunner({
    storage,
    existing: new Set([resultKey(job)]),
    runner,
    terminal: createTerminal({ write: () => {} }),
    signal: new AbortController().signal,
    preflight: async () => {},
  })
  const digests = await stages.run(stage, 'images', [{ job, weight: 1 }], () => isDone, (result) => result) // biome-ignore format: one call
  expect([...digests]).toEqual([[job.shard, 'result']])
  return [...seen, await storage.has(LOCK)]
}

test('the lock is gone before a job may change a file of the dataset, and stays where all is done', async () => {
  expect(await lockDuring('fetch', false)).toEqual([false, false])
  expect(await lockDuring('caption', false)).toEqual([false, false])
  expect(await lockDuring('plan', false)).toEqual([true, true])
  expect(await lockDuring('fetch', true)).toEqual([true])
})
