import { metaPath, sha256 } from '@skyscript/core'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { type Changes, pick, set, testChanges } from '../../test/support/test-changes.ts'
import {
  createTestDataset,
  dict,
  float,
  metaOf,
  pickle,
  storeTestDataset,
  type TestDataset,
  text,
  tuple,
} from '../../test/support/test-dataset.ts'
import { renderVerifyResult, verifyDataset } from './verify.ts'

test('a correct dataset has no fault, and all of it is checked', async () => {
  const storage = await storeTestDataset(await createTestDataset())
  const updates: number[] = []
  const progress = { update: (done: number) => void updates.push(done) }
  const result = await verifyDataset(storage, { progress })
  expect(result.faults).toEqual([])
  expect(result.ok).toBe(true)
  expect(result.checked).toMatchObject({ rows: 40, images: 40, metas: 40, csvs: 9, files: 22 })
  expect(result.checked.csvRows).toBeGreaterThan(60)
  expect(updates.at(-1)).toBe(40)
  expect(renderVerifyResult(result)).toContain('No fault found')
})

/** Replaces an image and updates the manifest. */
function setImage(dataset: TestDataset, row: TestDataset['rows'][number], bytes: Uint8Array): void {
  dataset.images.set(row.filepath, bytes)
  row.sha256 = sha256(bytes)
}

async function jpeg(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#345' } })
    .jpeg()
    .toBuffer()
}

const CHANGES: Changes = {
  'image-missing': [['an image is missing', (d) => void d.images.delete(pick(d).filepath), /is not there/]],
  'image-hash': [['the manifest has another hash', set({ sha256: sha256('other') }), /the manifest says/]],
  'image-format': [
    [
      'a PNG has the extension .jpg',
      async (d) =>
        setImage(
          d,
          pick(d),
          await sharp(await jpeg(20, 16))
            .png()
            .toBuffer(),
        ),
      /is not a JPEG/,
    ],
    [
      'a JPEG is grey',
      async (d) =>
        setImage(
          d,
          pick(d),
          await sharp(await jpeg(20, 16))
            .greyscale()
            .toColourspace('b-w')
            .jpeg()
            .toBuffer(),
        ),
      /1 channels/,
    ],
    [
      'a JPEG is CMYK',
      async (d) =>
        setImage(
          d,
          pick(d),
          await sharp(await jpeg(20, 16))
            .toColourspace('cmyk')
            .jpeg()
            .toBuffer(),
        ),
      /4 channels/,
    ],
    [
      'a JPEG has an EXIF orientation',
      async (d) =>
        setImage(
          d,
          pick(d),
          await sharp(await jpeg(20, 16))
            .withMetadata({ orientation: 6 })
            .jpeg()
            .toBuffer(),
        ),
      /orientation 6/,
    ],
  ],
  'image-decode': [
    [
      'a JPEG ends in its middle, with an end marker',
      async (d) => {
        const bytes = await sharp({
          create: {
            width: 20,
            height: 16,
            channels: 3,
            background: '#345',
            noise: { type: 'gaussian', mean: 120, sigma: 60 },
          },
        })
          .jpeg()
          .toBuffer()
        setImage(d, pick(d), Buffer.concat([bytes.subarray(0, bytes.length - 90), Buffer.from([0xff, 0xd9])]))
      },
      /does not decode/,
    ],
  ],
  'image-end': [
    [
      'a JPEG has no end marker',
      (d) => setImage(d, pick(d), d.images.get(pick(d).filepath)!.subarray(0, -2)),
      /end-of-image marker/,
    ],
    [
      'bytes follow the end of a JPEG',
      (d) => setImage(d, pick(d), Buffer.concat([d.images.get(pick(d).filepath)!, Buffer.from('more')])),
      /end-of-image marker/,
    ],
  ],
  'image-size': [
    [
      'an image has another size',
      async (d) => setImage(d, pick(d), await jpeg(21, 16)),
      /is 21x16 pixels, the manifest says 20x16/,
    ],
  ],
  'image-path': [
    ['a row has the source of another', set({ source: 'L8' }, (row) => row.source === 'S2'), /is not named \w+_L8/],
    ['a row has the time of another', set({ time: new Date(0) }, (row) => row.time !== null), /is not named \w+_70/],
    ['a path is outside the folder', set({ filepath: '../secret.jpg' }), /is not the path of an image/],
  ],
  'object-twice': [
    [
      'an object has two images',
      (d) => {
        const row = pick(d, ({ source }) => source === 'S2')
        const copy = { ...row, source: 'L8', filepath: row.filepath.replace('S2', 'L8') }
        d.rows.push(copy)
        d.images.set(copy.filepath, d.images.get(row.filepath)!)
        d.metas.set(metaPath(copy.filepath), metaOf(copy))
        d.lock.counts.kept++
        d.lock.counts.objects++
      },
      /has more than one image/,
    ],
  ],
  'meta-missing': [['a meta is missing', (d) => void d.metas.delete(metaPath(pick(d).filepath)), /is not there/]],
  'meta-shape': [
    [
      'a meta is not a pickle',
      (d) => void d.metas.set(metaPath(pick(d).filepath), Buffer.from('{}')),
      /no protocol mark/,
    ],
    [
      'a meta would call a function',
      (d) => void d.metas.set(metaPath(pick(d).filepath), Buffer.from("\x80\x02cos\nsystem\n(S'id'\ntR.", 'latin1')),
      /not one of plain data/,
    ],
    [
      'a meta has an extra key',
      (d) => {
        const path = metaPath(pick(d).filepath)
        const bytes = Buffer.from(d.metas.get(path)!)
        d.metas.set(path, Buffer.concat([bytes.subarray(0, -2), text('more'), text('x'), bytes.subarray(-2)]))
      },
      /has the keys/,
    ],
    [
      'a meta is a list of keys',
      (d) => void d.metas.set(metaPath(pick(d).filepath), pickle(tuple([text('box')]))),
      /is a tuple, not a dict/,
    ],
    [
      'a meta lacks its tags',
      (d) => void d.metas.set(metaPath(pick(d).filepath), pickle(dict([[text('box'), tuple([float(1)])]]))),
      /has the keys/,
    ],
    [
      'the time consists of floats',
      (d) => {
        const row = pick(d, ({ time }) => time !== null)
        const bytes = Buffer.from(metaOf(row))
        // The BININT of the year becomes a BINFLOAT, which is four bytes longer.
        const at = bytes.indexOf('J', bytes.indexOf('time'))
        d.metas.set(metaPath(row.filepath), Buffer.concat([bytes.subarray(0, at), float(2019), bytes.subarray(at + 5)]))
      },
      /time holds a float, not a int/,
    ],
  ],
  'meta-differs': [
    [
      'a meta has another box',
      (d) => void d.metas.set(metaPath(pick(d).filepath), metaOf({ ...pick(d), west: 1.4 })),
      /^box is/,
    ],
    [
      'a meta has another minute',
      (d) => {
        const row = pick(d, ({ time }) => time !== null)
        d.metas.set(metaPath(row.filepath), metaOf({ ...row, time: new Date(row.time!.getTime() + 60_000) }))
      },
      /^time is/,
    ],
    [
      'a meta has another tag',
      (d) => void d.metas.set(metaPath(pick(d).filepath), metaOf({ ...pick(d), center_tags: '{"building":"no"}' })),
      /^center_tags is/,
    ],
    [
      'a meta lacks a neighbour',
      (d) => {
        const row = pick(d, ({ surrounding_tags }) => surrounding_tags !== '[]')
        d.metas.set(metaPath(row.filepath), metaOf({ ...row, surrounding_tags: '[]' }))
      },
      /^surrounding_tags is/,
    ],
  ],
  caption: [
    ['a title is empty', set({ title: '' }), /title does not begin with/],
    ['a title has no text', set({ title: 'a satellite image of ' }), /has no text/],
    [
      'the longer caption is about another object',
      set({ title_multi_objects: 'a satellite image of airport, surrounded by landuse of forest' }),
      /does not describe the object of title first/,
    ],
    [
      'the longer caption continues without "surrounded by"',
      set({ title_multi_objects: 'a satellite image of landuse of forest; road' }),
      /does not describe the object of title first/,
    ],
  ],
  similarity: [
    ['a similarity is above 1', set({ similarity_CLIP_openai: 1.5 }), /similarity of openai is 1.5/],
    ['a similarity is NaN', set({ similarity_CLIP_laion_RS: Number.NaN }), /laion_RS is NaN/],
  ],
  box: [
    ['width and box disagree', set({ gsd: 8 }), /pixels, but the box at 8 m gives/],
    ['a box has west and east swapped', set({ west: 99 }), /is not one on earth/],
    ['the centre is elsewhere', set({ latitude: 9 }), /is not that of the box/],
  ],
  edit: [
    ['a version is negative', set({ version: -1 }), /the version is -1/],
    ['a timestamp is no time', set({ timestamp: 'in May', days_apart: null }), /the timestamp is "in May", not a time/],
  ],
  'days-apart': [
    ['the days between image and edit are wrong', set({ days_apart: 7 }), /days_apart is 7, and should be/],
  ],
  'date-precision': [
    ['a time has a precision nobody knows', set({ date_precision: 'week' }), /date_precision is week/],
    ['an image without a time has a precision', set({ time: null, date_precision: 'day' }), /the time is not known/],
  ],
  credit: [['an image has no credit', set({ credit: '' }), /no licence or no credit/]],
  'center-tags': [['an object has no tags', set({ center_tags: '{}' }), /has no center tag/]],
  'manifest-row': [
    ['tags are not JSON', set({ center_tags: '{' }), /row 1: center_tags is "\{", not JSON/],
    ['a tag has a number as value', set({ surrounding_tags: '[{"a":1}]' }), /expected texts by key/],
  ],
}

testChanges(CHANGES)

test('some faults of each check are kept and all are counted', async () => {
  const dataset = await createTestDataset()
  dataset.images.clear()
  const result = await verifyDataset(await storeTestDataset(dataset), { keep: 3 })
  expect(result.faults).toHaveLength(3)
  expect(result.faultCounts).toEqual({ 'image-missing': 40 })
  expect(renderVerifyResult(result)).toContain('image-missing: 40, the first 3:')
})

test('text of a hostile dataset is escaped for the terminal', async () => {
  const dataset = await createTestDataset()
  dataset.finish = (storage) => storage.files.set('images2/\x1b[2J.jpg', Buffer.from('x'))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for control characters
  expect(renderVerifyResult(await verifyDataset(await storeTestDataset(dataset)))).not.toMatch(/[\x00-\x09\x0b-\x1f]/)
})
