import { metaPath, sha256, type Tags } from '@skyscript/core'
import { parquetWriteBuffer } from 'hyparquet-writer'
import sharp from 'sharp'
import { MemoryStorage } from './memory-storage.ts'

/** A manifest row as its Parquet columns are named. */
export interface TestRow {
  id: string
  filepath: string
  source: string
  collection: string
  image_id: string
  time: Date | null
  date_precision: string | null
  west: number
  south: number
  east: number
  north: number
  longitude: number
  latitude: number
  gsd: number
  width: number
  height: number
  version: number
  timestamp: string | null
  days_apart: number | null
  geometry: string
  center_tags: string
  surrounding_tags: string
  title: string
  title_multi_objects: string
  similarity_CLIP_openai: number
  similarity_CLIP_laion_RS: number
  split: string | null
  sha256: string
  licence: string
  credit: string
}

/** The parts of a dataset before they are written, so that a test can change one of them. */
export interface TestDataset {
  rows: TestRow[]
  /** By path. */
  images: Map<string, Uint8Array>
  metas: Map<string, Uint8Array>
  csvs: Map<string, string[][]>
  lock: {
    config: {
      name: string
      seed: number
      imagery: unknown
      captions: Record<string, unknown>
      filter: Record<string, unknown>
    }
    counts: { objects: number; kept: number; dropped: Record<string, number>; failed: Record<string, number> }
    [others: string]: unknown
  }
  /** Last touches after all hashes are in the lock. */
  finish(storage: MemoryStorage): void
}

const NAME = 'SkyScript-Town'
const SCORERS = ['openai', 'laion_RS'] as const
const ROWS = 40
const GSD = 10

/**
 * A small dataset that is right in every respect, written with nothing of the pipeline: 40 pairs in 8 blocks of 0.1
 * degree, of which two are for validation and one for test.
 */
export async function createTestDataset(): Promise<TestDataset> {
  const rows: TestRow[] = []
  const images = new Map<string, Uint8Array>()
  const metas = new Map<string, Uint8Array>()
  for (let i = 0; i < ROWS; i++) {
    const { row, jpeg } = await createRow(i)
    rows.push(row)
    images.set(row.filepath, jpeg)
    metas.set(metaPath(row.filepath), metaOf(row))
  }
  const csvs = csvsOf(rows)
  return {
    rows,
    images,
    metas,
    csvs,
    lock: {
      tool: { name: 'skyscript', version: '0.1.0' },
      fingerprint: 'f0'.repeat(16),
      config: {
        name: NAME,
        seed: 51,
        imagery: { earthEngine: { endpoint: 'https://earthengine-highvolume.googleapis.com' } },
        captions: { templates: ['skyscript'], maxTokens: null },
        filter: {
          scorers: SCORERS.map((name) => ({ name, model: 'tiny' })),
          top: [30, 50],
          val: 5,
          test: 2000,
          split: { by: 'block', degrees: 0.1 },
        },
      },
      inputs: [
        {
          ...{ name: 'town.osm.pbf', bytes: 1, sha256: 'ab'.repeat(32) },
          ...{ replicationTimestamp: null, replicationSequence: null, box: [1.5, 42.5, 2.3, 42.6] },
        },
      ],
      tables: { captioner: '0'.repeat(32) },
      models: SCORERS.map((name) => ({ name, fingerprint: name, model: { id: 'tiny', revision: null, files: [] } })),
      counts: { objects: 50, kept: ROWS, dropped: { 'no-suitable-source': 7 }, failed: { timeout: 3 } },
      splits: { train: 25, val: 10, test: 5 },
      duplicates: {
        exact: { images: 0, groups: 0 },
        near: { images: 0, groups: 0, largest: 0 },
        captions: { pairs: 0, distinct: ROWS, most: 1 },
      },
      rows: Object.fromEntries([...csvs].map(([path, lines]) => [path, lines.length - 1])),
      notes: ['5 pairs are in no CSV.'],
    },
    finish() {},
  }
}

const jpegs = new Map<number, Uint8Array>()

/** The same for every dataset of a test file: encoding them takes longer than most tests. */
async function jpegOf(i: number, width: number, height: number): Promise<Uint8Array> {
  const background = { r: 5 * i, g: 90, b: 60 }
  const jpeg =
    jpegs.get(i) ??
    (await sharp({ create: { width, height, channels: 3, background } })
      .jpeg()
      .toBuffer())
  jpegs.set(i, jpeg)
  return jpeg
}

async function createRow(i: number): Promise<{ row: TestRow; jpeg: Uint8Array }> {
  const [width, height] = [20 + (i % 7), 16 + (i % 5)]
  const block = i % 8
  const west = 1.5 + block * 0.1 + 0.01
  const south = 42.5 + 0.01 + Math.floor(i / 8) * 0.01
  const north = south + (height * GSD) / 110_540
  const east = west + (width * GSD) / (111_320 * Math.cos((((south + north) / 2) * Math.PI) / 180))
  const time = i % 9 === 0 ? null : new Date(Date.UTC(2019 + (i % 3), 5, 1 + (i % 28), 10, i))
  const source = time === null ? 'DE' : 'S2'
  const id = `${'awn'[i % 3]}${1000 + i}`
  const year = time === null ? '' : String(time.getUTCFullYear()).slice(2)
  const jpeg = await jpegOf(i, width, height)
  const center: Tags = i % 2 ? { building: 'yes', 'roof:shape': 'gabled', lit: 'yes' } : { landuse: 'forest' }
  const focus = i % 2 ? ['building', 'roof shape of gabled', 'light'] : ['landuse of forest']
  const multi = i % 2 ? 'building with roof shape of gabled and light' : 'landuse of forest'
  const row: TestRow = {
    id,
    filepath: `images${2 + (i % 6)}/${id}_${source}_${year}.jpg`,
    source,
    collection: 'COPERNICUS/S2_SR_HARMONIZED',
    image_id: `COPERNICUS/S2_SR_HARMONIZED/${i}`,
    time,
    date_precision: time === null ? null : 'day',
    west,
    south,
    east,
    north,
    longitude: (west + east) / 2,
    latitude: (south + north) / 2,
    gsd: GSD,
    width,
    height,
    version: 1 + i,
    timestamp: i % 4 === 0 ? null : '2024-05-01T12:00:00Z',
    days_apart:
      time === null || i % 4 === 0 ? null : Math.trunc((Date.UTC(2024, 4, 1, 12) - time.getTime()) / 86_400_000),
    geometry: sha256(id).slice(0, 16),
    center_tags: JSON.stringify(center),
    surrounding_tags: JSON.stringify(i % 3 ? [{ highway: 'footway' }, { natural: 'wood', 名: '"a",\nb' }] : []),
    title: `a satellite image of ${focus.join(', ')}`,
    title_multi_objects: `a satellite image of ${multi}${i % 3 ? ', surrounded by road of footway; natural woodland' : ''}`,
    similarity_CLIP_openai: 0.1 + ((i * 7) % ROWS) / 200,
    similarity_CLIP_laion_RS: 0.3 - ((i * 11) % ROWS) / 250,
    split: block < 5 ? 'train' : block < 7 ? 'val' : 'test',
    sha256: sha256(jpeg),
    licence: 'free',
    credit: 'Copernicus',
  }
  return { row, jpeg }
}

function csvsOf(rows: readonly TestRow[]): Map<string, string[][]> {
  const lines = (chosen: readonly TestRow[], scorer: (typeof SCORERS)[number]) => [
    ['filepath', 'title', 'title_multi_objects', `similarity_CLIP_${scorer}`],
    ...chosen.map((row) => [
      row.filepath,
      row.title,
      row.title_multi_objects,
      String(row[`similarity_CLIP_${scorer}`]),
    ]),
  ]
  const of = (chosen: readonly TestRow[], split: string) => chosen.filter((row) => row.split === split)
  const csvs = new Map([[`${NAME}_train_unfiltered_5M.csv`, lines(of(rows, 'train'), 'openai')]])
  for (const scorer of SCORERS) {
    const ranked = rows.toSorted((a, b) => b[`similarity_CLIP_${scorer}`] - a[`similarity_CLIP_${scorer}`])
    const top = (percent: number) => ranked.slice(0, Math.round((ROWS * percent) / 100))
    const name = (part: string) => `${NAME}_${part}_filtered_by_CLIP_${scorer}.csv`
    for (const percent of [30, 50]) csvs.set(name(`train_top${percent}pct`), lines(of(top(percent), 'train'), scorer))
    csvs.set(name('val_5'), lines(of(top(30), 'val').slice(0, 5), scorer))
    csvs.set(name('test_2K'), lines(of(top(30), 'test'), scorer))
  }
  return csvs
}

/** Puts a dataset into a storage, with a lock that fits what is written. */
export async function storeTestDataset(dataset: TestDataset): Promise<MemoryStorage> {
  const { rows, images, metas, csvs, lock } = dataset
  const storage = new MemoryStorage()
  for (const [path, bytes] of [...images, ...metas]) storage.files.set(path, bytes)
  const texts = new Map<string, string | Uint8Array>([
    ['manifest.parquet', manifestOf(rows)],
    ['ATTRIBUTION.md', '# Attribution\n'],
    ['report/index.html', '<!doctype html>\n'],
    ['dropped.csv', droppedOf(lock.counts)],
    ...[...csvs].flatMap(([path, lines]) => [
      [path, csvText(lines)] as const,
      [path.replace('.csv', '.jsonl'), recordsText(lines)] as const,
    ]),
  ])
  const files: Record<string, string> = {}
  for (const [path, text] of texts) {
    await storage.put(path, text)
    files[path] = sha256(text)
  }
  await storage.put('dataset.lock.json', JSON.stringify({ ...lock, files }))
  dataset.finish(storage)
  return storage
}

function droppedOf({ dropped, failed }: TestDataset['lock']['counts']): string {
  const lines = [...Object.entries(dropped), ...Object.entries(failed).map(([code, n]) => [`failed:${code}`, n])]
  return `reason,count\n${lines.map((line) => `${line.join()}\n`).join('')}`
}

export function csvText(lines: readonly (readonly string[])[]): string {
  const quote = (field: string) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
  return lines.map((fields) => `${fields.map(quote).join()}\n`).join('')
}

const recordsText = ([header, ...rows]: readonly (readonly string[])[]): string =>
  rows
    .map((row) => ({ file_name: row[0], ...Object.fromEntries(header!.map((name, i) => [name, row[i]])) }))
    .map((record) => `${JSON.stringify(record)}\n`)
    .join('')

interface ParquetOptions {
  readonly codec?: 'UNCOMPRESSED' | 'GZIP' | 'ZSTD'
  readonly compressors?: Record<string, (bytes: Uint8Array) => Uint8Array>
  readonly offsetIndex?: boolean
  readonly columnIndex?: boolean
}

export function manifestOf(rows: readonly TestRow[], options: ParquetOptions = {}): Uint8Array {
  const { codec, compressors, ...column } = options
  const types: Record<string, 'DOUBLE' | 'INT32' | 'TIMESTAMP' | 'STRING'> = {
    time: 'TIMESTAMP',
    version: 'INT32',
    days_apart: 'INT32',
    width: 'INT32',
    height: 'INT32',
  }
  const numbers = /^(west|south|east|north|longitude|latitude|gsd|similarity_.*)$/
  const columnData = Object.keys(rows[0] ?? {}).map((name) => ({
    name,
    data: rows.map((row) => row[name as keyof TestRow]),
    type: types[name] ?? (numbers.test(name) ? ('DOUBLE' as const) : ('STRING' as const)),
    ...column,
  }))
  const file = { ...(codec && { codec }), ...(compressors && { compressors }) }
  return new Uint8Array(parquetWriteBuffer({ columnData, ...file }))
}

/** A meta in protocol 4, opcode by opcode. */
export function metaOf(row: TestRow): Uint8Array {
  const { time } = row
  const fields = time
    ? [time.getUTCFullYear(), time.getUTCMonth() + 1, time.getUTCDate(), time.getUTCHours(), time.getUTCMinutes()]
    : []
  const tags = (tags: Tags) => dict(Object.entries(tags).map(([key, value]) => [text(key), text(value)]))
  const surroundings = JSON.parse(row.surrounding_tags) as Tags[]
  return pickle(
    dict([
      [text('box'), tuple([row.west, row.south, row.east, row.north].map(float))],
      [text('time'), tuple(fields.map(int))],
      [text('center_tags'), tags(JSON.parse(row.center_tags) as Tags)],
      [text('surrounding_tags'), list(surroundings.map(tags))],
    ]),
  )
}

export const pickle = (value: Buffer) => Buffer.concat([Buffer.from([0x80, 4]), value, Buffer.from('.')])

export const dict = (entries: readonly (readonly [Buffer, Buffer])[]) =>
  Buffer.concat([Buffer.from('}('), ...entries.flat(), Buffer.from('u')])

export const list = (items: readonly Buffer[]) => Buffer.concat([Buffer.from(']('), ...items, Buffer.from('e')])

export const tuple = (items: readonly Buffer[]) => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')])

export function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const head = Buffer.from('X\0\0\0\0')
  head.writeUInt32LE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

export function float(value: number): Buffer {
  const bytes = Buffer.from('G\0\0\0\0\0\0\0\0')
  bytes.writeDoubleBE(value, 1)
  return bytes
}

export function int(value: number): Buffer {
  const bytes = Buffer.from('J\0\0\0\0')
  bytes.writeInt32LE(value, 1)
  return bytes
}
