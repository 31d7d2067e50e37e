import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Box, type Config, fileStem, ServiceError, type Storage, type Tags } from '@skyscript/core'
import type { DatasetRow } from '@skyscript/dataset'
import { type CutInput, type CutSummary, cutDataset, storePairs } from '@skyscript/filter'
import { parse } from 'csv-parse/sync'
import { parquetReadObjects } from 'hyparquet'
import { temporaryFolder } from './models.ts'

/** A folder as storage; files appear atomically. `failAt`: a file whose name ends like this can't be written completely. */
export function folderStorage(folder: string, failAt?: string): Storage {
  const of = (key: string) => join(folder, key)
  return {
    url: folder,
    get: (key) => readFile(of(key)).catch(() => null),
    stream: (key) => createReadStream(of(key)),
    async put(key, value) {
      await mkdir(dirname(of(key)), { recursive: true })
      const temporary = of(`.${randomUUID()}`)
      const file = await open(temporary, 'w')
      try {
        await file.writeFile(value)
        if (failAt !== undefined && key.endsWith(failAt)) {
          throw new ServiceError('disk-full', 'There is no space left.', { retry: false })
        }
        await rename(temporary, of(key))
      } finally {
        await file.close()
        await rm(temporary, { force: true })
      }
    },
    putIfAbsent: (key, value) =>
      writeFile(of(key), value, { flag: 'wx' }).then(
        () => true,
        () => false,
      ),
    has: (key) =>
      stat(of(key)).then(
        () => true,
        () => false,
      ),
    async *list(prefix) {
      for (const name of (await readdir(folder)).sort()) {
        if (name.startsWith(prefix)) yield { key: name, size: (await stat(of(name))).size }
      }
    },
    delete: (key) => rm(of(key), { force: true }),
  }
}

export interface RowOptions {
  readonly similarities?: readonly number[]
  readonly box?: Box
  readonly title?: string
  readonly titleMultiObjects?: string
  readonly time?: number | null
  readonly version?: number | null
  readonly timestamp?: string | null
  readonly geometry?: string
  readonly centerTags?: Tags
  readonly surroundingTags?: readonly Tags[]
  readonly phash?: string
  readonly embedding?: string
}

const SHA = '0123456789abcdef'.repeat(4)

/** A pair with all its data; by default a small box in the middle of its own cell. */
export function rowOf(id: string, options: RowOptions = {}): DatasetRow {
  const number = Number(id.slice(1))
  const west = (number % 1000) / 10 + 0.04
  const south = (Math.floor(number / 1000) % 80) / 10 + 0.04
  const {
    title = `a satellite image of ${id}`,
    time = Date.UTC(2021, 5, 1, 10, 30),
    version = 3,
    timestamp = null,
  } = options
  const filepath = `images2/${fileStem(id, 'US', time)}.jpg`
  return {
    image: {
      id,
      filepath,
      source: 'US',
      imageId: `USDA/NAIP/DOQQ/m_${id}`,
      origin: 'earthengine',
      time,
      gsd: 0.6,
      box: options.box ?? [west, south, west + 0.01, south + 0.01],
      width: 300,
      height: 200,
      bytes: 16_000,
      sha256: SHA,
    },
    caption: {
      id,
      filepath,
      title,
      titleMultiObjects: options.titleMultiObjects ?? `${title}, surrounded by building`,
      geometry: options.geometry ?? '0123456789abcdef',
      centerTags: options.centerTags ?? {},
      surroundingTags: options.surroundingTags ?? [],
    },
    edit: { version, timestamp },
    similarities: options.similarities ?? [0.5],
    phash: options.phash ?? '0123456789abcdef',
    ...(options.embedding !== undefined && { embedding: options.embedding }),
  }
}

export type Filter = Config['filter']

/** Split by image, with at most 5 and 10 % set aside. */
export const BY_IMAGE: Filter['split'] = { by: 'image', degrees: 'auto', val: 5, test: 10 }

export const FILTER: Filter = {
  scorers: [{ name: 'openai', model: './model', device: 'cpu', batch: null, server: null }],
  top: [30, 50],
  above: [],
  maxPerTag: null,
  maxSameCaption: null,
  exclude: null,
  val: 5000,
  test: 30_000,
  split: { by: 'block', degrees: 0.1, val: 5, test: 10 },
}

export interface Assembled {
  readonly folder: string
  readonly summary: CutSummary
  /** Rows of the CSV whose name ends like this, without its header. */
  csv(name: string): Promise<string[][]>
  manifest(): Promise<Record<string, unknown>[]>
}

export interface AssembleOptions {
  readonly filter?: Partial<Filter>
  readonly scorers?: readonly string[]
  readonly seed?: number
  readonly storage?: Storage
  readonly moreCaptions?: boolean
  readonly exclude?: CutInput['exclude']
  readonly region?: CutInput['region']
  readonly classOf?: CutInput['classOf']
}

/** Stores rows in a new folder, cuts them rows into a new folder, and reads the result with other programs' code. */
export async function assembled(rows: readonly DatasetRow[], options: AssembleOptions = {}): Promise<Assembled> {
  const folder = await temporaryFolder()
  const { scorers = ['openai'], seed = 51, storage = folderStorage(folder), moreCaptions = false } = options
  async function* each() {
    yield* rows
  }
  await storePairs({
    rows: each(),
    scorers,
    moreCaptions,
    embeddings: rows.some(({ embedding }) => embedding !== undefined),
    attribution: ({ image }) => ({
      collection: 'USDA/NAIP/DOQQ',
      licence: 'public domain',
      credit: `USDA ${image.time === null ? '' : new Date(image.time).getUTCFullYear()}`,
      datePrecision: image.time === null ? null : 'day',
    }),
    storage,
  })
  const filter = { ...FILTER, ...options.filter }
  const summary = await cutDataset({
    name: 'SkyScript-Test',
    scorers,
    filter,
    seed,
    region: options.region ?? { declared: null, imageSide: 180 },
    exclude: options.exclude ?? null,
    classOf: options.classOf ?? null,
    storage,
  })
  return {
    folder,
    summary,
    async csv(name) {
      const files = (await readdir(folder)).filter((file) => file.endsWith(name))
      if (files.length !== 1) throw new Error(`${files.length} files end with ${name}.`)
      return (parse(await readFile(join(folder, files[0]!)), { relax_column_count: false }) as string[][]).slice(1)
    },
    async manifest() {
      const bytes = await readFile(join(folder, 'manifest.parquet'))
      const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
      return parquetReadObjects({ file })
    },
  }
}

/** Pairs on separate blocks, all with different similarities. */
export const rows = (count: number): DatasetRow[] =>
  Array.from({ length: count }, (_, i) => rowOf(`n${i}`, { similarities: [((i * 7919) % count) / count - 0.3] }))

/** The paths of rows of a CSV, sorted. */
export const paths = (list: readonly (readonly string[])[]): string[] => list.map(([filepath]) => filepath!).toSorted()
export const pathOf = (row: DatasetRow): string => row.image.filepath
