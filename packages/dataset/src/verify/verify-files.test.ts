// @module-tag slow
import { metaPath } from '@skyscript/core'
import { expect, test } from 'vitest'
import { type Change, type Changes, pick, set, testChanges } from '../../test/support/test-changes.ts'
import {
  createTestDataset,
  metaOf,
  storeTestDataset,
  type TestDataset,
  type TestRow,
} from '../../test/support/test-dataset.ts'
import { verifyDataset } from './verify.ts'

const UNFILTERED = 'SkyScript-Town_train_unfiltered_5M.csv'
const TOP = 'SkyScript-Town_train_top30pct_filtered_by_CLIP_openai.csv'
const VAL = 'SkyScript-Town_val_5_filtered_by_CLIP_openai.csv'

/** The pair that VAL lists first: the best of its block. */
const isInVal = ({ id }: TestRow) => id === 'n1005'

function cell(path: string, row: number, column: number, value: string): Change {
  return (dataset) => {
    dataset.csvs.get(path)![row]![column] = value
  }
}

/** Applied after the hashes were written to the lock. */
function write(path: string, text: string): Change {
  return (dataset) => {
    dataset.finish = (storage) => void storage.files.set(path, Buffer.from(text))
  }
}

function remove(path: string): Change {
  return (dataset) => {
    dataset.finish = (storage) => void storage.files.delete(path)
  }
}

function rewrite(path: string, from: string | RegExp, to: string): Change {
  return (dataset) => {
    dataset.finish = (storage) => {
      storage.files.set(path, Buffer.from(Buffer.from(storage.files.get(path)!).toString().replace(from, to)))
    }
  }
}

const csvRow = (row: TestRow): string[] => [
  row.filepath,
  row.title,
  row.title_multi_objects,
  String(row.similarity_CLIP_openai),
]

const titleIn = (d: TestDataset, filepath: string) => d.rows.find((row) => row.filepath === filepath)?.title

/** Adds a set of the pairs with a similarity of 0.2 or more, changed by `make`. */
const above =
  (spoil: (due: TestRow[], train: TestRow[]) => TestRow[]): Change =>
  (d) => {
    d.lock.config.filter.above = [0.2]
    const train = d.rows.filter(({ split }) => split === 'train')
    const due = train.filter((row) => row.similarity_CLIP_openai >= 0.2)
    const header = d.csvs.get(TOP)![0]!
    for (const scorer of ['openai', 'laion_RS'] as const) {
      const columns = header.map((name) => name.replace('openai', scorer))
      const rows = scorer === 'openai' ? spoil(due, train) : train.filter((row) => row.similarity_CLIP_laion_RS >= 0.2)
      const texts = rows.map((row) => [...csvRow(row).slice(0, 3), String(row[`similarity_CLIP_${scorer}`])])
      d.csvs.set(`SkyScript-Town_train_above0.2_filtered_by_CLIP_${scorer}.csv`, [columns, ...texts])
    }
  }

const CHANGES: Changes = {
  'csv-missing': [['a CSV is missing', remove(VAL), /is not there/]],
  'csv-columns': [
    ['columns are in another order', (d) => void d.csvs.get(TOP)![0]!.reverse(), /has the columns/],
    ['the column belongs to another scorer', cell(TOP, 0, 3, 'similarity_CLIP_laion_RS'), /has the columns/],
    ['a CSV is empty', (d) => void d.csvs.set(TOP, []), /is empty/],
  ],
  'csv-format': [['quoting is broken', write(TOP, 'filepath,"title"x,\n'), /./]],
  'csv-row': [
    [
      'a row is not in the manifest',
      cell(UNFILTERED, 1, 0, 'images2/a1_S2_19.jpg'),
      /line 2: "images2\/a1_S2_19.jpg" is not in the manifest/,
    ],
    ['a row is in another folder', cell(UNFILTERED, 1, 0, 'images7/a1000_DE_.jpg'), /is not in the manifest/],
    ['a row comes twice', (d) => void d.csvs.get(UNFILTERED)!.push(d.csvs.get(UNFILTERED)![1]!), /is listed twice/],
    ['a caption differs', cell(UNFILTERED, 2, 1, 'a satellite image of x'), /line 3: the captions of .* differ/],
    ['a similarity differs', cell(TOP, 1, 3, '0.5'), /the manifest says/],
    ['a similarity is empty', cell(TOP, 1, 3, ''), /the manifest says/],
    ['a row lacks a field', (d) => void d.csvs.get(TOP)![1]!.pop(), /has 3 fields, not 4/],
    ['a bare carriage return splits a row', rewrite(UNFILTERED, 'landuse', 'land\ruse'), /has 2 fields/],
  ],
  'csv-split': [
    [
      'a pair is missing from train',
      (d) => void d.csvs.get(UNFILTERED)!.pop(),
      /lacks images\d.*, which the manifest puts into train/,
    ],
    [
      'a pair of validation is in train',
      set({ split: 'val' }, ({ split }) => split === 'train'),
      /which the manifest puts into val/,
    ],
    ['a pair without a split is in validation', set({ split: null }, isInVal), /puts into no split/],
  ],
  'csv-rows': [
    [
      'validation has no file although the manifest has pairs for it',
      (d) => void d.csvs.delete(VAL),
      /has no rows, and the manifest puts \d+ pairs into val/,
    ],
    [
      'validation is larger than requested',
      (d) => {
        d.lock.config.filter.val = 0
        d.csvs.set(VAL.replace('_5_', '_0_'), d.csvs.get(VAL)!)
      },
      /the settings ask for 0/,
    ],
  ],
  'top-set': [
    ['a good pair is missing from the best', (d) => void d.csvs.get(TOP)!.splice(1, 1), /lacks images.*above the edge/],
    [
      'a poor pair is among the best',
      (d) => {
        const worst = d.rows
          .filter(({ split }) => split === 'train')
          .sort((a, b) => a.similarity_CLIP_openai - b.similarity_CLIP_openai)[0]!
        d.csvs
          .get(TOP)!
          .push([worst.filepath, worst.title, worst.title_multi_objects, String(worst.similarity_CLIP_openai)])
      },
      /below the edge/,
    ],
    [
      'a poor pair is in validation',
      (d) => {
        const [worst] = d.rows
          .filter(({ split }) => split === 'val')
          .sort((a, b) => a.similarity_CLIP_openai - b.similarity_CLIP_openai)
        d.csvs.get(VAL)!.splice(1, 1, csvRow(worst!))
      },
      /below the edge at/,
    ],
    ['a set by similarity lacks a pair', above((rows) => rows.slice(1)), /lacks images.*above the edge at 0\.2/],
    [
      'a set by similarity has a pair that is less similar',
      above((rows, all) => [...rows, all.find((row) => row.similarity_CLIP_openai < 0.2)!]),
      /below the edge at 0\.2/,
    ],
  ],
  'caption-limit': [
    [
      'a title appears more often than allowed',
      (d) => {
        d.lock.config.filter.maxSameCaption = 1
        for (const row of d.rows.slice(0, 3)) row.title = 'a satellite image of building'
        for (const rows of d.csvs.values()) for (const row of rows) row[1] = titleIn(d, row[0]!) ?? row[1]!
      },
      /has one title \d+ times, the limit is 1/,
    ],
  ],
  'tag-limit': [
    [
      'a tag has more pairs than allowed',
      (d) => {
        d.lock.config.filter.maxPerTag = 1
      },
      /rows of \w+=.*, the limit is 1/,
    ],
  ],
  'split-overlap': [
    [
      'a pair is in train and in validation',
      (d) => {
        d.csvs.get(UNFILTERED)!.push(d.csvs.get(VAL)![1]!)
      },
      /is in train and in val/,
    ],
  ],
  'split-ground': [
    [
      'an image of train shows ground of one of validation',
      (d) => {
        const val = pick(d, isInVal)
        const train = pick(d, ({ split }) => split === 'train')
        const [width, height] = [train.east - train.west, train.north - train.south]
        Object.assign(train, { west: val.west, south: val.south, east: val.west + width, north: val.south + height })
        Object.assign(train, { longitude: val.west + width / 2, latitude: val.south + height / 2 })
        d.metas.set(metaPath(train.filepath), metaOf(train))
      },
      /of train shows ground of images.* of val/,
    ],
  ],
  'stray-file': [
    ['an image of an older build is left', write('images3/a9_S2_19.jpg', 'x'), /not in the manifest/],
    ['a folder has a file that is not an image', write('images3/.DS_Store', 'x'), /not in the manifest/],
    ['a meta of an older build is left', write('meta3/a9_S2_19.pickle', 'x'), /not in the manifest/],
    [
      'a CSV of an older build is left',
      write('SkyScript-Town_val_9_filtered_by_CLIP_openai.csv', 'x'),
      /not in the lock/,
    ],
  ],
  'file-hash': [
    ['a file was edited', write('ATTRIBUTION.md', 'x'), /the lock says/],
    ['a manifest was swapped', rewrite('dataset.lock.json', /("manifest.parquet":")\w{4}/, '$1beef'), /the lock says/],
  ],
  'file-missing': [['a report is missing', remove('report/index.html'), /in the lock but not there/]],
  counts: [
    ['dropped.csv is not a CSV', write('dropped.csv', 'reason,"count"x'), /./],
    ['dropped.csv has another header', write('dropped.csv', 'count,reason\n'), /has the columns/],
    [
      'objects got lost',
      (d) => void d.lock.counts.objects++,
      /counts 51 objects, but 40 kept \+ 7 dropped \+ 3 failed/,
    ],
    [
      'the lock counts other pairs',
      (d) => {
        d.lock.counts.kept--
        d.lock.counts.objects--
      },
      /counts 39 pairs, the manifest has 40/,
    ],
    [
      'dropped.csv has other counts',
      write('dropped.csv', 'reason,count\nno-suitable-source,8\nfailed:timeout,3\n'),
      /says 8 for "no-suitable-source", the lock 7/,
    ],
  ],
  lock: [
    [
      'the lock lists a path outside the dataset',
      rewrite('dataset.lock.json', '"ATTRIBUTION.md"', '"../secret"'),
      /not the path of a dataset file/,
    ],
    ['there is no lock', remove('dataset.lock.json'), /the build did not end/],
    ['the lock is truncated', write('dataset.lock.json', '{'), /is not JSON/],
    ['the lock is empty', write('dataset.lock.json', '{}'), /^config: is missing; expected an object$/],
    [
      'the lock does not list the manifest',
      rewrite('dataset.lock.json', '"manifest.parquet"', '"other"'),
      /does not list manifest.parquet/,
    ],
  ],
  manifest: [
    ['there is no manifest', remove('manifest.parquet'), /is not there/],
    [
      'the manifest is truncated',
      (d) => {
        d.finish = (s) => void s.files.set('manifest.parquet', s.files.get('manifest.parquet')!.subarray(0, 999))
      },
      /can't be read as Parquet/,
    ],
    [
      'a column is missing',
      (d) => {
        for (const row of d.rows) Reflect.deleteProperty(row, 'licence')
      },
      /lacks the columns licence/,
    ],
    [
      'the manifest lacks a scorer',
      (d) => {
        d.lock.config.filter.scorers = [
          { name: 'openai', model: 'm' },
          { name: 'other', model: 'm' },
        ]
      },
      /but the settings in dataset.lock.json also name other/,
    ],
  ],
}

testChanges(CHANGES)

test('with splits by image, parts may show the same ground', async () => {
  const dataset = await createTestDataset()
  for (const [, change] of CHANGES['split-ground']!) await change(dataset)
  dataset.lock.config.filter.split = { by: 'image', degrees: 0.1 }
  expect((await verifyDataset(await storeTestDataset(dataset))).faults).toEqual([])
})

test('a set without pairs needs no file', async () => {
  const dataset = await createTestDataset()
  dataset.lock.config.filter.val = 0
  for (const path of [...dataset.csvs.keys()]) if (path.includes('_val_')) dataset.csvs.delete(path)
  expect((await verifyDataset(await storeTestDataset(dataset))).faults).toEqual([])
})
