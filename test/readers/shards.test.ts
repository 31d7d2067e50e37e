import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { evaluationCsv, manifestOf, rowsOf, TOWN_CSVS } from './dataset.ts'
import { python } from './python.ts'

interface Sample {
  readonly key: string
  readonly txt: string
  readonly json: Record<string, unknown>
  readonly size: readonly number[]
  readonly mode: string
}

test('webdataset reads every pair of every shard, with its image, caption and row of the manifest', async () => {
  const { town, shards } = inject('datasets')
  const manifest = new Map((await manifestOf(town)).map((row) => [row.filepath, row]))
  const read = python<Record<string, { shards: number; samples: Sample[] }>>('plain', 'shards.py', [shards])
  const csvs = {
    train: TOWN_CSVS.unfiltered,
    val: evaluationCsv('val', 'openai'),
    test: evaluationCsv('test', 'openai'),
  }
  for (const [set, csv] of Object.entries(csvs)) {
    const { samples, shards: count } = read[set]!
    const sizes = JSON.parse(readFileSync(join(shards, set, 'sizes.json'), 'utf8')) as Record<string, number>
    expect(Object.keys(sizes).length).toBe(count)
    expect(Object.values(sizes).reduce((a, b) => a + b)).toBe(samples.length)
    expect(samples.map(({ json }) => json.filepath).sort()).toEqual(
      rowsOf(town, csv)
        .map((row) => row.filepath)
        .sort(),
    )
    for (const { key, txt, json, size, mode } of samples) {
      const { time, ...due } = manifest.get(json.filepath)!
      expect(json).toEqual({ ...due, time: (time as Date).toISOString() })
      expect({ key, txt, size, mode }).toEqual({
        key: (due.filepath as string).slice('images2/'.length, -'.jpg'.length),
        ...{ txt: due.title, size: [due.width, due.height], mode: 'RGB' },
      })
    }
  }
  expect(read.train!.shards).toBeGreaterThan(1)
})
