import type { Storage } from '@skyscript/core'
import type { ManifestFile } from '@skyscript/dataset'
import { MANIFEST } from '@skyscript/dataset'
import type { ColumnChunk, SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { splitColumn } from './manifest.ts'
import { openOutput } from './output.ts'

/** `split` is inserted before this column. */
const NEXT_COLUMN = 'sha256'

/** Writes a copy of a manifest with new splits. */
export interface SplitsWriter {
  readonly sha256: string
  /** Splits of the rows in the next row group. */
  add(splits: readonly string[]): Promise<void>
  end(): Promise<void>
  abort(reason: unknown): Promise<void>
}

/**
 * Rewrites a dataset's manifest with new splits. All other columns are copied as compressed bytes, so this takes as long
 * as copying the file; only their offsets change.
 */
export function createSplitsWriter(storage: Storage, from: ManifestFile): SplitsWriter {
  const { metadata } = from
  const output = openOutput(storage, MANIFEST)
  const buffer = new ByteWriter(1 << 22)
  const others = metadata.schema.slice(1).filter(({ name }) => name !== 'split')
  const at = others.findIndex(({ name }) => name === NEXT_COLUMN)
  const fields: SchemaElement[] = [...others.slice(0, at), splitColumn(), ...others.slice(at)]
  const schema = [{ ...metadata.schema[0]!, num_children: fields.length }, ...fields]
  const parquet = new ParquetWriter({ writer: buffer, schema, createdBy: 'skyscript' })
  let next = 0

  const drain = async () => {
    const piece = buffer.getBytes().slice()
    buffer.index = 0
    if (piece.length > 0) await output.write(piece)
  }

  /** A column's chunk with offsets for the new file. */
  const copied = (chunk: ColumnChunk, group: Uint8Array, groupStart: number): ColumnChunk => {
    const meta = chunk.meta_data!
    const start = startOf(chunk)
    const moved = BigInt(buffer.offset - start)
    buffer.appendBytes(
      group.subarray(
        start - groupStart,
        start - groupStart + Number(meta.total_compressed_size),
      ) as Uint8Array<ArrayBuffer>,
    )
    return {
      file_offset: BigInt(start) + moved,
      meta_data: {
        ...meta,
        data_page_offset: meta.data_page_offset + moved,
        ...(meta.dictionary_page_offset !== undefined && {
          dictionary_page_offset: meta.dictionary_page_offset + moved,
        }),
      },
    }
  }

  return {
    get sha256() {
      return output.sha256
    },
    async add(splits) {
      const group = metadata.row_groups[next++]!
      const starts = group.columns.map(startOf)
      const ends = group.columns.map((chunk, i) => starts[i]! + Number(chunk.meta_data!.total_compressed_size))
      const groupStart = Math.min(...starts)
      const bytes = await from.bytes(groupStart, Math.max(...ends))
      const chunkOf = new Map(group.columns.map((chunk) => [chunk.meta_data!.path_in_schema[0]!, chunk]))
      const columns: ColumnChunk[] = []
      for (const { name } of fields) {
        if (name !== 'split') columns.push(copied(chunkOf.get(name)!, bytes, groupStart))
        else {
          parquet.write({ columnData: [{ name, data: [...splits], offsetIndex: false }], rowGroupSize: splits.length })
          columns.push(...parquet.row_groups.pop()!.columns)
        }
      }
      const sum = (of: (chunk: ColumnChunk) => bigint) => columns.reduce((total, chunk) => total + of(chunk), 0n)
      parquet.row_groups.push({
        columns,
        num_rows: group.num_rows,
        total_byte_size: sum((chunk) => chunk.meta_data!.total_uncompressed_size),
        total_compressed_size: sum((chunk) => chunk.meta_data!.total_compressed_size),
      })
      await drain()
    },
    async end() {
      await parquet.finish()
      await drain()
      await output.end()
    },
    abort: output.abort,
  }
}

/** A chunk begins with its dictionary, if it has one. */
const startOf = ({ meta_data }: ColumnChunk): number =>
  Number(meta_data!.dictionary_page_offset ?? meta_data!.data_page_offset)
