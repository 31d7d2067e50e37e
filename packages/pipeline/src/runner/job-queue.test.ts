import { expect, test } from 'vitest'
import type { Job } from './job.ts'
import { JobQueue } from './job-queue.ts'

const never = new AbortController().signal
const queued = (shard: string, stage = 'fetch') => ({
  job: { dataset: '/d', run: 'r', stage, shard, input: 'i', fingerprint: 'f' } satisfies Job,
  isRedone: false,
})

test('thousands of jobs come out in the order in which they came, each once, and then the end', async () => {
  const queue = new JobQueue(['fetch'])
  const shards = Array.from({ length: 3000 }, (_, i) => `q${i}`)
  for (const shard of shards) queue.push(queued(shard))
  const taken: string[] = []
  for (let i = 0; i < 3000; i++) taken.push((await queue.next('fetch', never))!.job.shard)
  expect(taken).toEqual(shards)
  expect(queue.isDone).toBe(false)
  queue.end()
  expect(await queue.next('fetch', never)).toBeUndefined()
  expect(queue.isDone).toBe(true)
})

test('a job that comes while nobody waits is not missed: its change was taken before', async () => {
  const queue = new JobQueue(['fetch', 'score'])
  const { change } = queue
  expect(queue.take('fetch')).toBeUndefined()
  queue.push(queued('q'))
  await change
  expect(queue.take('score')).toBeUndefined()
  expect(queue.take('fetch')!.job.shard).toBe('q')
})

test('who waits for a job of one stage is not woken into one of another, and an abort ends the wait', async () => {
  const queue = new JobQueue(['fetch', 'score'])
  const stop = new AbortController()
  const fetch = queue.next('fetch', stop.signal)
  const score = queue.next('score', stop.signal)
  queue.push(queued('s', 'score'))
  expect((await score)!.job.stage).toBe('score')
  stop.abort(new Error('enough'))
  await expect(fetch).rejects.toThrow('enough')
})
