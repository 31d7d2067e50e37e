import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Box, Position, Storage, Tags } from '@skyscript/core'
import {
  asyncBufferFromFile,
  type ColumnChunk,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet'
import { MANIFEST, SIMILARITY } from '../names.ts'
import { quoted } from './faults.ts'
import { watched } from './watched.ts'

/** Columns that every manifest has, in addition to one similarity column per scorer. */
const COLUMNS = [
  'id',
  'filepath',
  'source',
  'collection',
  'image_id',
  'time',
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
  'center_tags',
  'surrounding_tags',
  'title',
  'title_multi_objects',
  'split',
  'sha256',
  'licence',
  'credit',
] as const
/** About 40 MB, with tags parsed to objects. */
const ROWS_AT_ONCE = 8192
/** Bytes; a page is about 1 MB, and columns with one page have no index. */
const SMALL_COLUMN = 2_000_000

export interface ManifestRow {
  readonly id: string
  readonly filepath: string
  readonly source: string
  readonly collection: string
  readonly imageId: string
  /** Milliseconds since 1970 UTC. */
  readonly time: number | null
  /** undefined if the manifest lacks the column. */
  readonly datePrecision: string | null | undefined
  readonly box: Box
  readonly center: Position
  readonly gsd: number
  readonly width: number
  readonly height: number
  /** Null where the extract has none; 0 in older datasets. */
  readonly version: number | null
  readonly timestamp: string | null
  /** From the image to the object's last edit; undefined if the manifest lacks the column. */
  readonly daysApart: number | null | undefined
  readonly centerTags: Tags
  readonly surroundingTags: readonly Tags[]
  readonly title: string
  readonly titleMultiObjects: string
  /** In the order of `scorers`; NaN if there is none. */
  readonly similarities: readonly number[]
  readonly split: string | null
  readonly sha256: string
  readonly licence: string
  readonly credit: string
}

/** The manifest can't be used at all. */
export class ManifestError extends Error {}

export interface Manifest {
  readonly rows: number
  /** Scorer names: the similarity columns without `similarity_CLIP_`, in column order. */
  readonly scorers: readonly string[]
  /** Yields part of a row group at a time: each row, or what is wrong with it. */
  read(): AsyncGenerator<(ManifestRow | RowFault)[]>
  close(): Promise<void>
}

export interface RowFault {
  readonly fault: string
}

/** Every common Parquet compression: the verifier must not depend on the writer's choice. */
const compressors = {
  GZIP: (input: Uint8Array) => gunzipSync(input),
  ZSTD: (input: Uint8Array) => zstdDecompressSync(input),
  BROTLI: (input: Uint8Array) => brotliDecompressSync(input),
}

/**
 * Opens the manifest. Parquet is read from its end, but storage returns streams, so the file is copied to the system's
 * temporary folder (its size on disk, not in memory) and hashed on the way.
 *
 * @param onChunk called with every chunk of the file, in order
 * @throws ManifestError if the file is not Parquet or lacks a column
 */
export async function openManifest(storage: Storage, onChunk: (chunk: Uint8Array) => void): Promise<Manifest> {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-verify-'))
  const close = () => rm(folder, { recursive: true, force: true })
  try {
    const path = join(folder, MANIFEST)
    await pipeline(Readable.from(watched(storage.stream(MANIFEST), onChunk)), createWriteStream(path))
    return { ...(await openFile(path)), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openFile(path: string): Promise<Omit<Manifest, 'close'>> {
  const file = await asyncBufferFromFile(path)
  const metadata = await asManifestError(() => parquetMetadataAsync(file))
  const columns = parquetSchema(metadata).children.map(({ element }) => element.name)
  const missing = COLUMNS.filter((column) => !columns.includes(column))
  if (missing.length > 0) throw new ManifestError(`lacks the columns ${missing.join(', ')}`)
  const scorers = columns
    .filter((column) => column.startsWith(SIMILARITY))
    .map((column) => column.slice(SIMILARITY.length))
  if (scorers.length === 0) throw new ManifestError(`has no column ${SIMILARITY}<scorer>`)
  return {
    rows: Number(metadata.num_rows),
    scorers,
    async *read() {
      let groupStart = 0
      for (const group of metadata.row_groups) {
        const groupEnd = groupStart + Number(group.num_rows)
        const step = group.columns.every(inParts) ? ROWS_AT_ONCE : groupEnd - groupStart
        for (let rowStart = groupStart; rowStart < groupEnd; rowStart += step) {
          const rowEnd = Math.min(groupEnd, rowStart + step)
          const options = { file, metadata, rowStart, rowEnd, compressors, useOffsetIndex: true }
          const records = await asManifestError(() => parquetReadObjects(options))
          yield records.map((record) => toRow(record, scorers))
        }
        groupStart = groupEnd
      }
    },
  }
}

/** Without a page index, reading part of a column costs as much as reading all of it, so only small ones are read like that. */
function inParts({ offset_index_offset, meta_data }: ColumnChunk): boolean {
  return offset_index_offset !== undefined || Number(meta_data?.total_compressed_size ?? Infinity) <= SMALL_COLUMN
}

async function asManifestError<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw new ManifestError(`can't be read as Parquet: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
}

class CellError extends Error {}

function toRow(record: Readonly<Record<string, unknown>>, scorers: readonly string[]): ManifestRow | RowFault {
  const text = (column: string) => {
    const value = record[column]
    if (typeof value !== 'string') throw new CellError(`${column} is ${quoted(value)}, not a text`)
    return value
  }
  const number = (column: string) => {
    const value = toNumber(record[column])
    if (!Number.isFinite(value)) throw new CellError(`${column} is ${quoted(record[column])}, not a number`)
    return value
  }
  try {
    return {
      id: text('id'),
      filepath: text('filepath'),
      source: text('source'),
      collection: text('collection'),
      imageId: text('image_id'),
      time: record.time == null ? null : number('time'),
      datePrecision:
        record.date_precision == null ? (record.date_precision as null | undefined) : text('date_precision'),
      box: [number('west'), number('south'), number('east'), number('north')],
      center: [number('longitude'), number('latitude')],
      gsd: number('gsd'),
      width: number('width'),
      height: number('height'),
      version: record.version == null ? null : number('version'),
      timestamp: record.timestamp == null ? null : isoText(record.timestamp),
      daysApart: record.days_apart == null ? (record.days_apart as null | undefined) : number('days_apart'),
      centerTags: tags('center_tags', record.center_tags),
      surroundingTags: listOfTags('surrounding_tags', record.surrounding_tags),
      title: text('title'),
      titleMultiObjects: text('title_multi_objects'),
      similarities: scorers.map((scorer) => toNumber(record[SIMILARITY + scorer])),
      split: record.split == null ? null : text('split'),
      sha256: text('sha256'),
      licence: text('licence'),
      credit: text('credit'),
    }
  } catch (error) {
    if (!(error instanceof CellError)) throw error
    return { fault: error.message }
  }
}

/** Parquet's 64-bit integers arrive as bigint, its times as Date. */
function toNumber(value: unknown): number {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN
}

function isoText(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (typeof value === 'string') return value
  throw new CellError(`timestamp is ${quoted(value)}, not a time`)
}

function parsed(column: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    throw new CellError(`${column} is ${quoted(value)}, not JSON`)
  }
}

function tags(column: string, value: unknown): Tags {
  const object = parsed(column, value)
  const isTags =
    typeof object === 'object' &&
    object !== null &&
    !Array.isArray(object) &&
    Object.values(object).every((member) => typeof member === 'string')
  if (!isTags) throw new CellError(`${column} contains ${quoted(object)}, expected texts by key`)
  return object as Tags
}

function listOfTags(column: string, value: unknown): Tags[] {
  const list = parsed(column, value)
  if (!Array.isArray(list)) throw new CellError(`${column} is ${quoted(list)}, not a list`)
  return list.map((item: unknown) => tags(column, item))
}
