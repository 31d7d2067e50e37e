import { setTimeout as sleep } from 'node:timers/promises'
import { DataFault, InputError, ServiceError } from '@skyscript/core'
import { expect, test } from 'vitest'
import { runJobs } from '../../test/support/run-jobs.ts'
import { createEmbeddedRunner } from './embedded.ts'
import type { Job } from './job.ts'
import type { Execute } from './runner.ts'

const never = new AbortController().signal
const job = (shard: string, stage: string = 'fetch'): Job => ({
  dataset: '/d',
  run: 'r',
  stage,
  shard,
  input: 'i',
  fingerprint: 'f',
})
const many = (count: number, stage?: string) => Array.from({ length: count }, (_, i) => job(`q${i}`, stage))
const runnerOf = (execute: Execute) =>
  createEmbeddedRunner({ execute, concurrency: { plan: 2, fetch: 4, caption: 1, score: 1 }, pauseMs: 5 })

test('every job is done once, with a limited number of a stage at a time', async () => {
  const active = new Map<string, number>()
  const peak = new Map<string, number>()
  const done: string[] = []
  const runner = runnerOf(async ({ stage }) => {
    active.set(stage, (active.get(stage) ?? 0) + 1)
    peak.set(stage, Math.max(peak.get(stage) ?? 0, active.get(stage)!))
    await sleep(2)
    active.set(stage, active.get(stage)! - 1)
  })
  const jobs = [...many(50), ...many(10, 'caption')]
  expect(await runJobs(runner, jobs, ({ stage, shard }) => done.push(stage + shard), never)).toEqual([])
  expect(done.sort()).toEqual(jobs.map(({ stage, shard }) => stage + shard).sort())
  expect(Object.fromEntries(peak)).toEqual({ fetch: 4, caption: 1 })
  expect(await runJobs(runner, [], () => {}, never)).toEqual([])
})

test('a temporary failure is tried 3 times, others once, and the other jobs continue', async () => {
  const tries = new Map<string, number>()
  const faults: Record<string, Error> = {
    q1: new ServiceError('busy', 'Busy at https://me:secret@host.', { retry: true }),
    q2: new ServiceError('refused', 'Refused.', { retry: false }),
    q3: new DataFault('odd', 'Odd.'),
    q4: new TypeError('x is undefined'),
  }
  const done: string[] = []
  const failures = await runJobs(
    runnerOf(async ({ shard }) => {
      tries.set(shard, (tries.get(shard) ?? 0) + 1)
      if (shard === 'q5' && tries.get(shard) === 1) throw new ServiceError('once', 'Once.', { retry: true })
      if (faults[shard]) throw faults[shard]
    }),
    many(8),
    ({ shard }) => done.push(shard),
    never,
  )
  expect(failures.map(({ job: { shard }, code, message }) => [shard, code, message]).sort()).toEqual([
    ['q1', 'busy', 'Busy at https://***@host.'],
    ['q2', 'refused', 'Refused.'],
    ['q3', 'odd', 'Odd.'],
    ['q4', 'internal-error', 'TypeError: x is undefined'],
  ])
  expect(done).toHaveLength(8)
  expect([tries.get('q1'), tries.get('q2'), tries.get('q3'), tries.get('q5')]).toEqual([3, 1, 1, 2])
})

test.each([
  ['an InputError', new InputError('wrong-key', 'The key is wrong.')],
  ['a full disk', new ServiceError('disk-full', 'No space.', { retry: false })],
])('%s ends the run: every other job would fail alike', async (_, fault) => {
  let [started, aborted] = [0, 0]
  const runner = runnerOf(async ({ shard }, signal) => {
    started++
    if (shard === 'q0') throw fault
    await sleep(5000, undefined, { signal }).catch(() => aborted++)
  })
  await expect(runJobs(runner, many(100), () => {}, never)).rejects.toBe(fault)
  expect([started, aborted]).toEqual([4, 3])
})

test('an abort stops jobs under way, starts no other, and is what the run rejects with', async () => {
  const controller = new AbortController()
  let started = 0
  const runner = runnerOf(async (_, signal) => {
    started++
    await sleep(5000, undefined, { signal })
  })
  const running = runJobs(runner, many(100), () => {}, controller.signal)
  await sleep(10)
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(running).rejects.toBe(reason)
  expect(started).toBe(4)
  await expect(
    runJobs(
      runnerOf(async () => {}),
      many(1),
      () => {},
      controller.signal,
    ),
  ).rejects.toBe(reason)
})
