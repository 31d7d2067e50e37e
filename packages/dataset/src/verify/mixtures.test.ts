/** What `verify` says of balanced training files and of blends, written here with nothing of the pipeline. */
import type { Tags } from '@skyscript/core'
import { expect, test } from 'vitest'
import { type Changes, testChanges } from '../../test/support/test-changes.ts'
import { createTestDataset, storeTestDataset, type TestDataset, type TestRow } from '../../test/support/test-dataset.ts'
import { verifyDataset } from './verify.ts'

const CSV = (part: string, scorer: string) => `SkyScript-Town_${part}_filtered_by_CLIP_${scorer}.csv`
const TOP = CSV('train_top50pct', 'openai')
/** S2 has 20 of the 25 training pairs, DE the others. */
const MOST = 9

type ScoreOf = (row: TestRow) => number
const byOpenai: ScoreOf = (row) => row.similarity_CLIP_openai
const byLaion: ScoreOf = (row) => row.similarity_CLIP_laion_RS

const lines = (rows: readonly TestRow[], scorer: string, scoreOf: ScoreOf): string[][] => [
  ['filepath', 'title', 'title_multi_objects', `similarity_CLIP_${scorer}`],
  ...rows.map((row) => [row.filepath, row.title, row.title_multi_objects, String(scoreOf(row))]),
]

/** No more than nine of S2 in each training file by similarity; the next best pairs of DE take their places. */
function balance(dataset: TestDataset): void {
  dataset.lock.config.filter.balance = [{ by: 'source', most: { S2: MOST } }]
  for (const [scorer, scoreOf] of [
    ['openai', byOpenai],
    ['laion_RS', byLaion],
  ] as const) {
    const ranked = dataset.rows.toSorted((a, b) => scoreOf(b) - scoreOf(a))
    for (const percent of [30, 50]) {
      const due = ranked.slice(0, (40 * percent) / 100).filter(({ split }) => split === 'train').length
      let taken = 0
      const allowed = ranked.filter(({ split, source }) => split === 'train' && (source !== 'S2' || taken++ < MOST))
      dataset.csvs.set(CSV(`train_top${percent}pct`, scorer), lines(allowed.slice(0, due), scorer, scoreOf))
    }
  }
}

/** A blend of both scorers, the first counted twice. */
function blend(dataset: TestDataset): void {
  dataset.lock.config.filter.blends = [{ name: 'both', of: ['openai', 'laion_RS'], weights: [2, 1] }]
  const shareOf = (scoreOf: ScoreOf) => (row: TestRow) =>
    dataset.rows.filter((other) => scoreOf(other) <= scoreOf(row)).length / dataset.rows.length
  const [first, second] = [shareOf(byOpenai), shareOf(byLaion)]
  const scoreOf = (row: TestRow) => Math.round(((2 * first(row) + second(row)) / 3) * 1e6) / 1e6
  const ranked = dataset.rows.toSorted((a, b) => scoreOf(b) - scoreOf(a) || (a.id < b.id ? -1 : 1))
  const best = (percent: number, split: string) =>
    ranked.slice(0, (40 * percent) / 100).filter((row) => row.split === split)
  for (const percent of [30, 50])
    dataset.csvs.set(CSV(`train_top${percent}pct`, 'both'), lines(best(percent, 'train'), 'both', scoreOf))
  const [val, test] = ['val', 'test'].map((part) => {
    const own = ranked.filter(({ split }) => split === part)
    const chosen = best(30, part)
    return chosen.length > 0 ? chosen : own.slice(0, 1)
  })
  dataset.csvs.set(CSV('val_5', 'both'), lines(val!.slice(0, 5), 'both', scoreOf))
  dataset.csvs.set(CSV('test_2K', 'both'), lines(test!, 'both', scoreOf))
}

const spoiled =
  (make: (dataset: TestDataset) => void, spoil: (dataset: TestDataset) => void) => (dataset: TestDataset) => {
    make(dataset)
    spoil(dataset)
  }

test('a balanced dataset, and one with a blend, have no fault', async () => {
  const plain = await createTestDataset()
  blend(plain)
  expect((await verifyDataset(await storeTestDataset(plain))).faults).toEqual([])
  const balanced = await createTestDataset()
  balance(balanced)
  const counts = balanced.csvs.get(TOP)!.filter(([path]) => path!.includes('_S2_')).length
  expect(counts).toBe(MOST)
  expect((await verifyDataset(await storeTestDataset(balanced))).faults).toEqual([])
})

/** Every image has its own embedding but the worst training pair, which has that of the best; `rows` are the list's. */
const similar =
  (above: number, rowsOf: (worst: TestRow, best: TestRow, other: TestRow) => string[]) => (dataset: TestDataset) => {
    dataset.lock.config.filter.semanticDuplicates = { above }
    const train = dataset.rows.filter(({ split }) => split === 'train').toSorted((a, b) => byOpenai(b) - byOpenai(a))
    const [best, worst, other] = [train[0]!, train.at(-1)!, dataset.rows.find(({ split }) => split === 'val')!]
    const vectors = dataset.rows
      .map((row) => (row === worst ? best : row))
      .map(({ id }) => dataset.rows.findIndex((row) => row.id === id))
    const header = Buffer.from('SKYEMBQ1\x28\0\0\0', 'latin1')
    const bytes = vectors.map((at) =>
      Buffer.from(Int8Array.from({ length: 40 }, (_, i) => (i === at ? 127 : 1)).buffer),
    )
    dataset.finish = (storage) => {
      storage.files.set('state/embeddings.bin', Buffer.concat([header, ...bytes]))
      const rows = rowsOf(worst, best, other).map((row) => `${row}\n`)
      storage.files.set('semantic-duplicates.csv', Buffer.from(`filepath,similar_to,cosine\n${rows.join('')}`))
    }
  }

const rowOfPath = (dataset: TestDataset, path: string) => dataset.rows.find((row) => row.filepath === path)!
const listed = (dataset: TestDataset, csv: string) =>
  dataset.csvs
    .get(csv)!
    .slice(1)
    .map(([path]) => rowOfPath(dataset, path!))

const CHANGES: Changes = {
  balance: [
    [
      'a file has more pairs of a source than the quota',
      spoiled(balance, (d) => {
        d.lock.config.filter.balance = [{ by: 'source', most: { S2: MOST - 1 } }]
      }),
      /has 9 rows of source S2, filter.balance allows 8/,
    ],
    [
      'a file has more pairs of a source than its share',
      spoiled(balance, (d) => {
        d.lock.config.filter.balance = [{ by: 'source', share: { S2: 0.1 } }]
      }),
      /rows of source S2, filter.balance allows \d/,
    ],
    [
      'a cell has more pairs than the quota',
      spoiled(balance, (d) => {
        d.lock.config.filter.balance = [{ by: 'place', degrees: 0.1, most: 1 }]
      }),
      /rows of place \d+,\d+, filter.balance allows 1/,
    ],
    [
      'the best pair of a source was left out for a worse one',
      spoiled(balance, (d) => {
        const rows = listed(d, TOP)
        const inFile = new Set(rows.map(({ id }) => id))
        const worse = d.rows.find(({ id, source, split }) => source === 'S2' && split === 'train' && !inFile.has(id))!
        const best = rows.find(({ source }) => source === 'S2')!
        d.csvs.set(
          TOP,
          lines(
            rows.map((row) => (row === best ? worse : row)),
            'openai',
            byOpenai,
          ),
        )
      }),
      /lacks images.*, which the settings allow/,
    ],
    [
      'pairs are missing, and their places are empty',
      spoiled(balance, (d) => void d.csvs.get(TOP)!.splice(-2)),
      /lacks images.*, which the settings allow/,
    ],
  ],
  'semantic-duplicates': [
    [
      'a pair is left out that resembles none',
      similar(0.9, (worst, best) => [`${best.filepath},${worst.id},1.0000`]),
      /is not more similar to its title than images/,
    ],
    [
      'the cosine is another',
      similar(0.9, (worst, best) => [`${worst.filepath},${best.id},0.9512`]),
      /the cosine of images.* is 1.0000, not "0.9512"/,
    ],
    [
      'images are less alike than the settings say',
      similar(0.9, (worst, best, other) => [
        `${worst.filepath},${best.id},1.0000`,
        `${best.filepath},${other.id},0.0200`,
      ]),
      /the cosine of .* is 0\.\d+, not/,
    ],
    [
      'a test image counts as a duplicate',
      similar(0.9, (_worst, best, other) => [`${other.filepath},${best.id},1.0000`]),
      /are not both in train/,
    ],
    [
      'a file has a pair that the list leaves out',
      similar(0.9, (worst, best) => [`${worst.filepath},${best.id},1.0000`, `${best.filepath},${worst.id},1.0000`]),
      /lists images.*, which semantic-duplicates.csv leaves out/,
    ],
    [
      'a pair is not in the manifest',
      similar(0.9, (worst) => [`${worst.filepath},n7,1.0000`]),
      /"n7" is not in the manifest/,
    ],
    [
      'embeddings are missing',
      (d) => {
        similar(0.9, (worst, best) => [`${worst.filepath},${best.id},1.0000`])(d)
        const { finish } = d
        d.finish = (storage) => {
          finish(storage)
          storage.files.delete('state/embeddings.bin')
        }
      },
      /does not hold the embeddings of 40 images/,
    ],
  ],
  'csv-row': [
    [
      "a blend's value is not the mean share",
      spoiled(blend, (d) => {
        d.csvs.get(CSV('train_top30pct', 'both'))![1]![3] = '0.5'
      }),
      /the similarity of .* is "0.5", the manifest says 0\.\d+/,
    ],
  ],
  'top-set': [
    [
      "a blend's file lacks a pair of its top",
      spoiled(blend, (d) => void d.csvs.get(CSV('train_top50pct', 'both'))!.splice(1, 1)),
      /lacks images/,
    ],
  ],
}

testChanges(CHANGES)

test('limits by class are checked with the table of classes that the builder had', async () => {
  const dataset = await createTestDataset()
  dataset.lock.config.filter.balance = [{ by: 'class', most: { forest: 1 } }]
  const storage = await storeTestDataset(dataset)
  const classOf = (tags: Tags) => (tags.landuse === 'forest' ? 'forest' : null)
  const { faults } = await verifyDataset(storage, { classOf })
  expect(faults.map(({ message }) => message).join('\n')).toMatch(
    /has \d+ rows of class forest, filter.balance allows 1/,
  )
  expect((await verifyDataset(storage)).faults).toEqual([])
})
