import { boxCenter, type Storage } from '@skyscript/core'
import { type DatasetRow, MANIFEST, SIMILARITY } from '@skyscript/dataset'
import type { SchemaElement } from 'hyparquet'
import { type BasicType, ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer'
import { openOutput } from './output.ts'
import { fromMicro, toMicro } from './pair-table.ts'

/** Limits of a row group, which is held in memory: rows, and characters of text. */
const GROUP_ROWS = 8192
const GROUP_CHARACTERS = 16_000_000

/** Manifest data of a pair beyond the row itself. */
export interface ManifestExtras {
  readonly collection: string
  readonly licence: string
  readonly credit: string
  /** How exactly the image's time is known; null without one. */
  readonly datePrecision: 'day' | 'year' | null
}

interface Column {
  readonly name: string
  readonly type: BasicType
  readonly nullable: boolean
  /** Whether row groups store its minimum and maximum; nobody queries those of free text. */
  readonly statistics: boolean
  readonly value: (row: DatasetRow, extras: ManifestExtras) => string | number | Date | null
}

const DAY = 86_400_000

/** Whole days from the image to the object's last edit, negative if the edit is earlier; null if either has no time. */
function daysApart({ image, edit }: DatasetRow): number | null {
  if (image.time === null || edit.timestamp === null) return null
  return Math.trunc((Date.parse(edit.timestamp) - image.time) / DAY)
}

/** Box and centre in degrees (WGS84), GSD in m/pixel, width and height in pixels, time in UTC. */
function columnsFor(scorers: readonly string[], moreCaptions: boolean): Column[] {
  type Value = Column['value']
  const column = (name: string, type: BasicType, value: Value) => ({ ...of(name, type, value), statistics: true })
  const nullable = (name: string, type: BasicType, value: Value) => ({ ...column(name, type, value), nullable: true })
  const text = (name: string, value: Value) => ({ ...of(name, 'STRING', value), statistics: false })
  const of = (name: string, type: BasicType, value: Value) => ({ name, type, nullable: false, value })
  return [
    column('id', 'STRING', ({ image }) => image.id),
    column('filepath', 'STRING', ({ image }) => image.filepath),
    column('source', 'STRING', ({ image }) => image.source),
    text('collection', (_, { collection }) => collection),
    column('image_id', 'STRING', ({ image }) => image.imageId),
    nullable('time', 'TIMESTAMP', ({ image }) => (image.time === null ? null : new Date(image.time))),
    nullable('date_precision', 'STRING', (_, { datePrecision }) => datePrecision),
    column('west', 'DOUBLE', ({ image }) => image.box[0]),
    column('south', 'DOUBLE', ({ image }) => image.box[1]),
    column('east', 'DOUBLE', ({ image }) => image.box[2]),
    column('north', 'DOUBLE', ({ image }) => image.box[3]),
    column('longitude', 'DOUBLE', ({ image }) => boxCenter(image.box)[0]),
    column('latitude', 'DOUBLE', ({ image }) => boxCenter(image.box)[1]),
    column('gsd', 'DOUBLE', ({ image }) => image.gsd),
    column('width', 'INT32', ({ image }) => image.width),
    column('height', 'INT32', ({ image }) => image.height),
    nullable('version', 'INT32', ({ edit }) => edit.version),
    nullable('timestamp', 'STRING', ({ edit }) => edit.timestamp),
    nullable('days_apart', 'INT32', daysApart),
    text('geometry', ({ caption }) => caption.geometry),
    text('center_tags', ({ caption }) => JSON.stringify(caption.centerTags)),
    text('surrounding_tags', ({ caption }) => JSON.stringify(caption.surroundingTags)),
    text('title', ({ caption }) => caption.title),
    text('title_multi_objects', ({ caption }) => caption.titleMultiObjects),
    ...(moreCaptions ? [text('more_captions', ({ caption }) => JSON.stringify(caption.more ?? []))] : []),
    ...scorers.map((scorer, i) =>
      column(SIMILARITY + scorer, 'DOUBLE', ({ similarities }) => fromMicro(toMicro(similarities[i]!))),
    ),
    text('sha256', ({ image }) => image.sha256),
    text('phash', ({ phash }) => phash),
    text('licence', (_, { licence }) => licence),
    text('credit', (_, { credit }) => credit),
  ]
}

export interface ManifestWriter {
  readonly rows: number
  add(row: DatasetRow, extras: ManifestExtras): Promise<void>
  end(): Promise<void>
  abort(reason: unknown): Promise<void>
}

/** The column that `cutDataset` adds. */
export const splitColumn = (): SchemaElement =>
  schemaFromColumnData({ columnData: [{ name: 'split', type: 'STRING', nullable: false, data: [] }] })[1]!

/**
 * `manifest.parquet` without its splits: one row per pair, Snappy, written one row group at a time. Its bytes don't depend
 * on when or where it is written.
 */
export function createManifest(storage: Storage, scorers: readonly string[], moreCaptions: boolean): ManifestWriter {
  const columns = columnsFor(scorers, moreCaptions)
  const output = openOutput(storage, MANIFEST)
  const bytes = new ByteWriter()
  /** Takes what the writer has produced; `offset` counts the whole file, `index` the buffer. */
  const drain = async () => {
    const piece = bytes.getBytes().slice()
    bytes.index = 0
    if (piece.length > 0) await output.write(piece)
  }
  const columnData = columns.map(({ name, type, nullable }) => ({ name, type, nullable, data: [] }))
  const schema = schemaFromColumnData({ columnData })
  const parquet = new ParquetWriter({ writer: bytes, schema, createdBy: 'skyscript' })
  const empty = () => columns.map((): (string | number | Date | null)[] => [])
  let pending = empty()
  let characters = 0
  let rows = 0

  const flush = async () => {
    if (pending[0]!.length === 0) return
    // Without page indexes, columns can be copied to another offset in the file.
    const group = columns.map(({ name, statistics }, i) => ({
      name,
      statistics,
      data: pending[i]!,
      offsetIndex: false,
    }))
    pending = empty()
    characters = 0
    await parquet.write({ columnData: group, rowGroupSize: GROUP_ROWS })
    await drain()
  }

  return {
    get rows() {
      return rows
    },
    async add(row, extras) {
      for (const [i, { value }] of columns.entries()) {
        const cell = value(row, extras)
        pending[i]!.push(cell)
        if (typeof cell === 'string') characters += cell.length
      }
      rows++
      if (pending[0]!.length === GROUP_ROWS || characters >= GROUP_CHARACTERS) await flush()
    },
    async end() {
      await flush()
      await parquet.finish()
      await drain()
      await output.end()
    },
    abort: output.abort,
  }
}
