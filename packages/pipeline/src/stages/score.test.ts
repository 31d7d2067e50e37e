import { fileURLToPath } from 'node:url'
import type { CaptionRecord, Outcome } from '@skyscript/core'
import { openScoring, type Scoring } from '@skyscript/filter'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MemoryStorage } from '../../../dataset/test/support/memory-storage.ts'
import type { RunContext } from '../context.ts'
import { putResult, resultKey } from '../results.ts'
import type { Job } from '../runner/job.ts'
import { score as stage } from './score.ts'

const MODEL = fileURLToPath(new URL('../../../../examples/demo/model', import.meta.url))
const options = (name: string) => ({ name, model: MODEL, cacheFolder: '/nowhere' })

let one: Scoring
let two: Scoring
beforeAll(async () => {
  one = await openScoring([options('first')])
  // Another fingerprint than the first's, as another model has.
  const { scorers, ...both } = await openScoring([options('second'), options('first')])
  two = { ...both, scorers: [{ ...scorers[0]!, fingerprint: 'another' }, scorers[1]!] }
})
afterAll(async () => {
  await one.close()
  await two.close()
})

/** What a scoring was asked for: how many pairs, by which scorers. */
function watched(scoring: Scoring): { scoring: Scoring; asked: [pairs: number, scorers: string][] } {
  const asked: [number, string][] = []
  return {
    asked,
    scoring: {
      ...scoring,
      score(pairs, signal, names) {
        asked.push([pairs.length, (names ?? []).join()])
        return scoring.score(pairs, signal, names)
      },
    },
  }
}

async function datasetOf(count: number): Promise<{ storage: MemoryStorage; captions: CaptionRecord[] }> {
  const storage = new MemoryStorage()
  const captions: CaptionRecord[] = []
  for (let i = 0; i < count; i++) {
    const filepath = `images2/n${i}_US_21.jpg`
    const background = { r: 40 * i, g: 90, b: 200 - 20 * i }
    const jpeg = await sharp({ create: { width: 60 + i, height: 50, channels: 3, background } })
      .jpeg()
      .toBuffer()
    storage.files.set(filepath, jpeg)
    const title = `a satellite image of natural water ${i}`
    const record = {
      geometry: '0123456789abcdef',
      title,
      titleMultiObjects: title,
      centerTags: {},
      surroundingTags: [],
    }
    captions.push({ id: `n${i}`, filepath, ...record })
  }
  return { storage, captions }
}

async function score(
  storage: MemoryStorage,
  captions: readonly CaptionRecord[],
  scoring: Scoring,
  { fingerprint, leaf = 'tile/q', filter = {} }: { fingerprint: string; leaf?: string; filter?: object },
): ReturnType<typeof stage.run> {
  const job: Job = {
    dataset: '',
    run: 'run',
    stage: 'score',
    shard: leaf,
    input: `captions-${fingerprint}`,
    fingerprint,
  }
  const outcome: Outcome<CaptionRecord> = { kept: captions, dropped: [], failed: [] }
  const input = resultKey({ stage: 'caption', shard: leaf, fingerprint: job.input })
  await putResult(storage, input, {}, outcome)
  const run = { config: { filter: { scorers: scoring.scorers, ...filter } } }
  const context = { storage, run, scoring: async () => scoring } as unknown as RunContext
  const result = await stage.run(job, context, new AbortController().signal)
  await putResult(storage, resultKey(job), stage.head(result), result)
  return result
}

test('only an added scorer runs, and the others keep their scores', async () => {
  const { storage, captions } = await datasetOf(4)
  const before = await score(storage, captions, one, { fingerprint: 'a' })
  expect(before.kept.map(({ phash }) => phash)).toEqual(Array(4).fill(expect.stringMatching(/^[0-9a-f]{16}$/)))
  const { scoring, asked } = watched(two)
  const after = await score(storage, captions, scoring, { fingerprint: 'b' })
  expect(asked).toEqual([[4, 'second']])
  expect(after.kept.map(({ similarities }) => similarities[1])).toEqual(
    before.kept.map(({ similarities }) => similarities[0]),
  )
  expect(after.scorers).toEqual(['another', one.scorers[0]!.fingerprint])
})

test('a caption or an image that changed is scored anew, and what is as it was is not, whatever its leaf', async () => {
  const { storage, captions } = await datasetOf(5)
  const before = await score(storage, captions, one, { fingerprint: 'a' })
  const changed = captions.map((record) =>
    record.id === 'n3' ? { ...record, title: 'a satellite image of a house' } : record,
  )
  storage.files.set(captions[1]!.filepath, storage.files.get(captions[0]!.filepath)!)
  const { scoring, asked } = watched(one)
  const after = await score(storage, changed, scoring, { fingerprint: 'b', leaf: 'tile/q2' })
  expect(asked).toEqual([[2, 'first']])
  for (const i of [0, 2, 4]) expect(after.kept[i]).toEqual(before.kept[i])
  for (const i of [1, 3]) expect(after.kept[i]!.pair).not.toBe(before.kept[i]!.pair)
  await score(storage, changed, scoring, { fingerprint: 'c', leaf: 'tile/q2' })
  expect(asked).toHaveLength(1)
})

test('a pair that cannot be scored is dropped with its reason, and tried again in the next result', async () => {
  const { storage, captions } = await datasetOf(3)
  storage.files.set(captions[1]!.filepath, Buffer.from('no image'))
  const { kept, dropped } = await score(storage, captions, one, { fingerprint: 'a' })
  expect(kept.map(({ id }) => id)).toEqual(['n0', 'n2'])
  expect(dropped).toEqual([{ id: 'n1', reason: 'unreadable-image' }])
  const { scoring, asked } = watched(one)
  await score(storage, captions, scoring, { fingerprint: 'b' })
  expect(asked).toEqual([[1, 'first']])
})

test('embeddings are kept if the settings need them, by their scorer only, and computed once', async () => {
  const { storage, captions } = await datasetOf(3)
  const before = await score(storage, captions, one, { fingerprint: 'a' })
  expect(before.kept.some((record) => 'embedding' in record)).toBe(false)
  const { scoring, asked } = watched(two)
  const filter = { semanticDuplicates: { above: 0.9, scorer: 'first' } }
  const after = await score(storage, captions, scoring, { fingerprint: 'b', filter })
  expect(asked).toEqual([[3, 'second,first']])
  const vectors = after.kept.map(({ embedding }) => Buffer.from(embedding!, 'base64'))
  expect(vectors.map(({ length }) => length)).toEqual([48, 48, 48])
  expect(vectors[0]).not.toEqual(vectors[1])
  expect(after.kept.map(({ similarities }) => similarities[1])).toEqual(
    before.kept.map(({ similarities }) => similarities[0]),
  )
  const again = await score(storage, captions, scoring, { fingerprint: 'c', filter })
  expect(again).toEqual(after)
  expect(asked).toHaveLength(1)
})
