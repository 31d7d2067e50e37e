// @module-tag slow
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Tags } from '@skyscript/core'
import { type DatasetRow, pairColumns, recordsPath } from '@skyscript/dataset'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { expect, test } from 'vitest'
import { lacks, PYTHON } from '../../../test/support/needs.ts'
import { createCsv } from '../src/csv-files.ts'
import { createCsvText } from '../src/csv-text.ts'
import { assembled, BY_IMAGE, folderStorage, rowOf } from './support/dataset.ts'
import { temporaryFolder } from './support/models.ts'

const HOSTILE = [
  'a satellite image of "quoted", with, commas',
  'a satellite image of\na line end and\r\nanother and a lone \r return',
  '__proto__',
  'constructor',
  '村 橋 水 🛰️ Straße é',
  '\u2028\u2029\u0085\u000b\u000c\u001c',
  '"',
  '""',
  ',',
  ' spaces around ',
  '=1+1',
  "'",
  'null',
  '#',
  '\ufeffbyte order mark',
  'a\tb',
  `long ${'x'.repeat(200_000)}`,
]

const hostileTags = (text: string): Tags =>
  Object.fromEntries([
    [text, text],
    ['__proto__', 'kept'],
    ['a', ''],
  ])

const hostileRows = (texts: readonly string[] = HOSTILE): DatasetRow[] =>
  texts.map((text, i) =>
    rowOf(`n${i}`, {
      title: text,
      titleMultiObjects: `${text}; ${text}`,
      centerTags: hostileTags(text),
      surroundingTags: [hostileTags(text), {}],
      box: [10.01, 50.01, 10.02, 50.02],
    }),
  )

/** Rows of files, read by Python's csv module. */
function byPython(files: readonly string[]): string[][][] {
  const program = fileURLToPath(new URL('./support/load_csv.py', import.meta.url))
  const { status, stdout, stderr } = spawnSync('python3', [program, ...files], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return JSON.parse(stdout) as string[][][]
}

const HEADER = ['filepath', 'title', 'title_multi_objects', 'similarity_CLIP_openai']

const READERS: readonly (readonly [string, boolean, (files: readonly string[]) => string[][][]])[] = [
  ['csv-parse', false, (files) => files.map((file) => parse(readFileSync(file)))],
  ["Python's csv module", lacks(PYTHON), byPython],
]

for (const [reader, isMissing, read] of READERS) {
  test.skipIf(isMissing)(`hostile captions survive, read by ${reader}`, async () => {
    const list = hostileRows()
    const { folder, summary } = await assembled(list, { filter: { split: BY_IMAGE, val: 0, test: 0 } })
    const csvs = summary.files.filter(({ path }) => path.endsWith('.csv'))
    const files = csvs.map(({ path }) => join(folder, path))
    const due = list.map(({ caption }) => [caption.filepath, caption.title, caption.titleMultiObjects, '0.5'])
    const tables = read(files)
    expect(tables[0]).toEqual([HEADER, ...due])
    expect(tables.map((rows) => rows.length)).toEqual(csvs.map(({ rows }) => rows + 1))
  })
}

test('every CSV of pairs has the same rows as JSON lines, in order, with the image’s name first', async () => {
  const list = hostileRows()
  const { folder, summary } = await assembled(list, {
    filter: { split: BY_IMAGE, val: 2, test: 3, above: [0.5] },
  })
  const csvs = summary.files.filter(({ path }) => path.endsWith('.csv'))
  expect(summary.records.map(({ path, rows }) => [path, rows])).toEqual(
    csvs.map(({ path, rows }) => [recordsPath(path), rows]),
  )
  for (const [i, { path }] of csvs.entries()) {
    const [header, ...rows] = parse(await readFile(join(folder, path))) as string[][]
    const text = await readFile(join(folder, summary.records[i]!.path), 'utf8')
    expect(text === '' || text.endsWith('\n')).toBe(true)
    const records = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const due = rows.map((row) => ({
      file_name: row[0],
      ...Object.fromEntries(header!.map((name, column) => [name, column === 3 ? Number(row[3]) : row[column]])),
    }))
    expect(records).toEqual(due)
    // An integer would be read as one, and the column of the next million rows as another type.
    for (const line of text.split('\n').slice(0, -1)) expect(line).toMatch(/":-?\d\.\d{6}\}$/)
  }
})

/** Any text except lone surrogates, which UTF-8 can't encode, and NUL, which Python's csv module refuses before 3.11. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }).map((value) => value.toWellFormed().replaceAll('\0', '')),
  fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', 'a', '\\', "'") }),
  fc.constantFrom(...HOSTILE.slice(0, -1)),
)

test('any text is one JSON string on one line', () => {
  fc.assert(
    fc.property(text, (value) => {
      const written = createCsvText(1)
      written.json(Buffer.from(value))
      const line = Buffer.from(written.view).toString()
      expect(line).not.toMatch(/[\n\r]/)
      expect(JSON.parse(line)).toBe(value)
    }),
  )
})

for (const [reader, isMissing, read] of READERS) {
  test.skipIf(isMissing)(`for any captions, ${reader} reads the rows back as they were written`, async () => {
    const folder = await temporaryFolder()
    const storage = folderStorage(folder)
    const files: string[] = []
    const written: string[][][] = []
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { maxLength: 8 }), async (captions) => {
        const path = `${files.length}.csv`
        const csv = createCsv(storage, path, pairColumns('openai'))
        const rows = captions.map(([a, b], i) => [`images2/n${i}_US_21.jpg`, a, b, '0.25'] as const)
        const text = createCsvText()
        for (const row of rows) {
          text.fields(row.map((field) => Buffer.from(field)))
          text.endRow()
        }
        await csv.add(text.view, text.rows)
        await csv.end()
        files.push(join(folder, path))
        written.push([HEADER, ...rows.map((row) => [...row])])
      }),
    )
    expect(written.length).toBeGreaterThan(50)
    expect(read(files)).toEqual(written)
  })
}

test('a CSV is UTF-8 without a byte order mark, with LF line ends and quotes only where needed', async () => {
  const { folder } = await assembled([rowOf('n1', { title: 'a satellite image of é' })], {
    filter: { val: 0, test: 0, split: BY_IMAGE },
  })
  const bytes = await readFile(join(folder, 'SkyScript-Test_train_unfiltered_5M.csv'))
  expect(bytes.toString()).toBe(
    'filepath,title,title_multi_objects,similarity_CLIP_openai\n' +
      'images2/n1_US_21.jpg,a satellite image of é,"a satellite image of é, surrounded by building",0.5\n',
  )
})

test('a dataset without pairs has no CSV', async () => {
  const { folder } = await assembled([])
  expect((await readdir(folder)).filter((name) => name.endsWith('.csv'))).toEqual([])
})

const COLUMNS = [
  'id',
  'filepath',
  'source',
  'collection',
  'image_id',
  'time',
  'date_precision',
  'west',
  'south',
  'east',
  'north',
  'longitude',
  'latitude',
  'gsd',
  'width',
  'height',
  'version',
  'timestamp',
  'days_apart',
  'geometry',
  'center_tags',
  'surrounding_tags',
  'title',
  'title_multi_objects',
  'similarity_CLIP_openai',
  'similarity_CLIP_laion_RS',
  'split',
  'sha256',
  'phash',
  'licence',
  'credit',
]

test('the manifest returns every row, including hostile texts and missing times', async () => {
  // hyparquet drops a byte order mark at the start of a value.
  const texts = HOSTILE.filter((text) => !text.startsWith('\ufeff'))
  const list = hostileRows(texts).map((row, i): DatasetRow => ({ ...row, similarities: [0.5, i / 100] }))
  list.push(rowOf('w-7', { similarities: [-1, 1], time: null, timestamp: '2024-05-01T12:00:00Z' }))
  list.push(rowOf('w-8', { similarities: [0, 0], version: null, timestamp: null }))
  const { manifest } = await assembled(list, { scorers: ['openai', 'laion_RS'] })
  const read = await manifest()
  expect(read).toHaveLength(list.length)
  for (const [i, { image, caption, edit, similarities }] of list.entries()) {
    const { split, ...row } = read[i]!
    expect(['train', 'val', 'test', 'held-out']).toContain(split)
    expect(Object.keys(read[i]!)).toEqual(COLUMNS)
    const [west, south, east, north] = image.box
    expect(row).toEqual({
      id: image.id,
      filepath: image.filepath,
      source: 'US',
      collection: 'USDA/NAIP/DOQQ',
      image_id: image.imageId,
      time: image.time === null ? null : new Date(image.time),
      date_precision: image.time === null ? null : 'day',
      west,
      south,
      east,
      north,
      longitude: expect.closeTo((west + east) / 2, 9),
      latitude: expect.closeTo((south + north) / 2, 9),
      gsd: 0.6,
      width: 300,
      height: 200,
      version: edit.version,
      timestamp: edit.timestamp,
      days_apart: image.time === null || edit.timestamp === null ? null : expect.any(Number),
      geometry: caption.geometry,
      center_tags: JSON.stringify(caption.centerTags),
      surrounding_tags: JSON.stringify(caption.surroundingTags),
      title: caption.title,
      title_multi_objects: caption.titleMultiObjects,
      similarity_CLIP_openai: similarities[0],
      similarity_CLIP_laion_RS: similarities[1],
      sha256: image.sha256,
      phash: '0123456789abcdef',
      licence: 'public domain',
      credit: image.time === null ? 'USDA ' : 'USDA 2021',
    })
    expect(JSON.parse(row.center_tags as string)).toEqual(caption.centerTags)
  }
})

test('the manifest has the days between the image and the last edit of its object, and further captions if there are any', async () => {
  const time = Date.UTC(2021, 5, 1, 12)
  const edited = rowOf('w1', { time, timestamp: '2021-06-11T11:00:00Z' })
  const older = rowOf('w2', { time, timestamp: '2020-06-01T12:00:00Z' })
  const untimed = rowOf('w3', { time: null, timestamp: '2020-06-01T12:00:00Z' })
  const list = [edited, older, untimed].map((row) => ({ ...row, caption: { ...row.caption, more: ['one', 'two'] } }))
  const { manifest, folder } = await assembled(list, { moreCaptions: true })
  const read = await manifest()
  expect(read.map((row) => row.days_apart)).toEqual([9, -365, null])
  expect(read.map((row) => row.more_captions)).toEqual(Array(3).fill('["one","two"]'))
  const lines = (await readFile(join(folder, 'SkyScript-Test_train_unfiltered_5M_captions.csv'), 'utf8')).split('\n')
  expect(lines[0]).toBe('filepath,title')
  expect(lines.filter((line) => line.startsWith(edited.image.filepath)).length % 2).toBe(0)
})

test('a manifest of many rows has several row groups, with the rows in order', async () => {
  const list = Array.from({ length: 9000 }, (_, i) => rowOf(`a${3_600_000_000 + i}`, { similarities: [i / 9000] }))
  const { folder, manifest } = await assembled(list)
  const bytes = await readFile(join(folder, 'manifest.parquet'))
  const metadata = parquetMetadata(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer)
  expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([8192, 808])
  expect(Number(metadata.num_rows)).toBe(9000)
  const read = await manifest()
  for (const i of [0, 8191, 8192, 8999]) {
    expect(read[i]).toMatchObject({ id: list[i]!.image.id, similarity_CLIP_openai: expect.closeTo(i / 9000, 6) })
  }
  expect(read.map(({ id }) => id)).toEqual(list.map(({ image }) => image.id))
})

test('the same rows give the same bytes', async () => {
  const bytes = async () => {
    const { folder, summary } = await assembled(hostileRows())
    return Promise.all(summary.files.map(({ path }) => readFile(join(folder, path))))
  }
  expect(await bytes()).toEqual(await bytes())
})
