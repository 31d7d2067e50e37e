import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { evaluationCsv, rowsOf, TOWN_CSVS } from './dataset.ts'
import { python } from './python.ts'

interface Read {
  /** As OpenCLIP counts them. */
  readonly samples: number
  readonly read: number
  /** Channels, height and width of images, and tokens. */
  readonly shapes: readonly (readonly number[])[]
  readonly captions: readonly string[]
}

const BATCH = 4
/** Captions as tokens give them back: without capitals, punctuation apart. */
const words = (captions: readonly string[]) => captions.map((text) => text.replace(/[^a-z0-9]/gi, '')).sort()

test("OpenCLIP's training reads the CSV in its folder, and counts and reads the shards", () => {
  const { town, shards } = inject('datasets')
  const stats = (set: string) => JSON.parse(readFileSync(join(shards, set, 'stats.json'), 'utf8'))
  const urls = ['train', 'val'].map((set) => join(shards, stats(set).urls))
  const {
    csv,
    shards: train,
    val,
  } = python<Record<string, Read>>('torch', 'openclip.py', [TOWN_CSVS.unfiltered, ...urls], { cwd: town }) as Record<
    'csv' | 'shards' | 'val',
    Read
  >
  const rows = rowsOf(town, TOWN_CSVS.unfiltered)
  for (const { shapes } of [csv, train, val]) expect(shapes).toEqual([[3, 32, 32, 77]])
  expect(csv.samples).toBe(rows.length)
  // Training leaves the last, smaller batch out.
  const full = Math.floor(rows.length / BATCH) * BATCH
  expect([csv.read, train.samples, train.read]).toEqual([full, full, full])
  expect(val.read).toBe(stats('val').samples)
  const titles = rowsOf(town, evaluationCsv('val', 'openai')).map(({ title }) => title!)
  expect(words(val.captions)).toEqual(words(titles))
  const known = new Set(words(rows.map(({ title }) => title!)))
  expect(words([...csv.captions, ...train.captions]).filter((caption) => !known.has(caption))).toEqual([])
})
