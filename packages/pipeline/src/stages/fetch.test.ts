import { expect, test } from 'vitest'
import { MemoryStorage } from '../../../dataset/test/support/memory-storage.ts'
import type { RunContext } from '../context.ts'
import { resultKey } from '../results.ts'
import { requestsKey } from '../run.ts'
import type { Job } from '../runner/job.ts'
import { fetch } from './fetch.ts'

const SHARD = '70_460/q0'
const job: Job = { dataset: 'memory:', run: 'r', stage: 'fetch', shard: SHARD, input: 'content', fingerprint: 'now' }

test('before a fetch job touches an image, results of other settings that describe the same ground are gone', async () => {
  const storage = new MemoryStorage()
  const put = (key: string, value: unknown) => storage.put(key, JSON.stringify(value))
  const resultOf = (id: string) => ({
    kept: [{ id }],
    findings: [{ request: id, source: 'S2', found: 'image-gone', fault: 'image-gone' }],
  })
  const planned = [{ id: 'n1', candidates: [{ source: 'CH' }] }]
  await put(requestsKey(SHARD, job.input), planned)
  const retired = [
    'work/fetch/70_460/q0.old.jsonl',
    'work/fetch/70_460/q.coarser.jsonl',
    'work/fetch/70_460/q03.finer.jsonl',
    // Of an earlier version.
    'work/fetch/70_460/q0/old.json',
    'work/fetch/70_460/q/coarser.json',
    'work/fetch/70_460/q03/finer.json',
  ]
  const others = [
    resultKey(job),
    'work/fetch/70_460/q1.beside.jsonl',
    'work/fetch/70_460/q1/beside.json',
    'work/fetch/70_461/q0.elsewhere.jsonl',
  ]
  for (const key of [...retired, ...others]) await put(key, resultOf(key))

  // The first thing that the job does with a source: what is there by then?
  let there: string[] = []
  const sources = {
    find() {
      there = [...storage.files.keys()].filter((key) => key.startsWith('work/fetch/'))
    },
  }
  const config = { imagery: { checks: {}, earthEngine: { grouping: true } }, seed: 1 }
  const context = { storage, run: { config }, sources, imagery: {} } as unknown as RunContext
  await expect(fetch.run(job, context, new AbortController().signal)).rejects.toThrow('not a source of this run')
  expect(there.toSorted()).toEqual(others.toSorted())

  // What they knew is kept as a hint.
  const hints = [...storage.files].filter(([key]) => key.startsWith('work/reuse/'))
  const known = hints.flatMap(([, text]) => JSON.parse(Buffer.from(text).toString()).images as { id: string }[])
  expect(known.map(({ id }) => id).toSorted()).toEqual(retired.toSorted())
})
