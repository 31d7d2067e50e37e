import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { boxCenter, type Storage } from '@skyscript/core'
import { type BasicType, type ColumnSource, fileWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer'
import type { DatasetRow } from './assemble.ts'
import type { Split } from './splits.ts'

export const MANIFEST = 'manifest.parquet'
/** Rows held in memory, some 30 MB with their tags. */
const ROW_GROUP = 10_000

/** What the manifest says of a pair beside the row itself. */
export interface ManifestExtras {
  readonly split: Split
  readonly collection: string
  readonly licence: string
  readonly credit: string
}

interface Column {
  readonly name: string
  readonly type: BasicType
  readonly nullable: boolean
  readonly value: (row: DatasetRow, extras: ManifestExtras) => unknown
}

/** Box and centre in degrees, GSD in m/pixel, size in pixels, time in UTC. */
function columnsFor(scorers: readonly string[]): Column[] {
  const column = (name: string, type: BasicType, value: Column['value'], nullable = false): Column => ({ name, type, nullable, value })
  return [
    column('id', 'STRING', ({ image }) => image.id),
    column('filepath', 'STRING', ({ image }) => image.filepath),
    column('source', 'STRING', ({ image }) => image.source),
    column('collection', 'STRING', (_, { collection }) => collection),
    column('image_id', 'STRING', ({ image }) => image.imageId),
    column('time', 'TIMESTAMP', ({ image }) => (image.time === null ? null : new Date(image.time)), true),
    column('west', 'DOUBLE', ({ image }) => image.box[0]),
    column('south', 'DOUBLE', ({ image }) => image.box[1]),
    column('east', 'DOUBLE', ({ image }) => image.box[2]),
    column('north', 'DOUBLE', ({ image }) => image.box[3]),
    column('longitude', 'DOUBLE', ({ image }) => boxCenter(image.box)[0]),
    column('latitude', 'DOUBLE', ({ image }) => boxCenter(image.box)[1]),
    column('gsd', 'DOUBLE', ({ image }) => image.gsd),
    column('width', 'INT32', ({ image }) => image.width),
    column('height', 'INT32', ({ image }) => image.height),
    column('version', 'INT32', ({ caption }) => caption.version),
    column('timestamp', 'STRING', ({ caption }) => caption.timestamp, true),
    column('center_tags', 'STRING', ({ caption }) => JSON.stringify(caption.centerTags)),
    column('surrounding_tags', 'STRING', ({ caption }) => JSON.stringify(caption.surroundingTags)),
    column('title', 'STRING', ({ caption }) => caption.title),
    column('title_multi_objects', 'STRING', ({ caption }) => caption.titleMultiObjects),
    ...scorers.map((scorer, i) => column(`similarity_CLIP_${scorer}`, 'DOUBLE', ({ similarities }) => similarities[i])),
    column('split', 'STRING', (_, { split }) => split),
    column('sha256', 'STRING', ({ image }) => image.sha256),
    column('licence', 'STRING', (_, { licence }) => licence),
    column('credit', 'STRING', (_, { credit }) => credit),
  ]
}

export interface ManifestWriter {
  add(row: DatasetRow, extras: ManifestExtras): void
  /** Stores the manifest; returns the number of rows. */
  end(): Promise<number>
  /** Removes what was written where it can't be ended. */
  discard(): Promise<void>
}

/** Parquet needs its end written last and a known size, so it is made in a temporary file. */
export async function createManifest(storage: Storage, scorers: readonly string[]): Promise<ManifestWriter> {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-manifest-'))
  const path = join(folder, MANIFEST)
  const columns = columnsFor(scorers)
  let pending: unknown[][] = columns.map(() => [])
  let rows = 0
  const dataOf = (): ColumnSource[] => columns.map(({ name, type, nullable }, i) => ({ name, type, nullable, data: pending[i]! }) as ColumnSource)
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: schemaFromColumnData({ columnData: dataOf() }),
    createdBy: 'skyscript',
  })
  const flush = () => {
    if (pending[0]!.length === 0) return
    writer.write({ columnData: dataOf(), rowGroupSize: ROW_GROUP })
    pending = columns.map(() => [])
  }
  const discard = () => rm(folder, { recursive: true, force: true })
  return {
    add(row, extras) {
      for (const [i, { value }] of columns.entries()) pending[i]!.push(value(row, extras))
      rows++
      if (pending[0]!.length === ROW_GROUP) flush()
    },
    async end() {
      flush()
      await writer.finish()
      await storage.put(MANIFEST, createReadStream(path))
      await discard()
      return rows
    },
    discard,
  }
}
