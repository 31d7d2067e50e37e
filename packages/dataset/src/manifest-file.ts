import { type FileHandle, open } from 'node:fs/promises'
import { InputError, messageOf } from '@skyscript/core'
import {
  type AsyncBuffer,
  type ColumnData,
  type FileMetaData,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetRead,
} from 'hyparquet'
import { snappyUncompressor } from 'hysnappy'
import { MANIFEST, SIMILARITY } from './names.ts'

/** The requested columns of one row group, each as long as the group. */
export type GroupColumns = Readonly<Record<string, readonly unknown[]>>

/** A manifest, read by row groups. */
export interface ManifestFile {
  readonly path: string
  readonly rows: number
  readonly columns: ReadonlySet<string>
  /** Scorers with a similarity column, in column order. */
  readonly scorers: readonly string[]
  readonly metadata: FileMetaData
  /** By row group: its first row, and the row after its last. */
  readonly groups: readonly { readonly from: number; readonly to: number }[]
  /** Minimum or maximum of a numeric column, from the footer; undefined if there are no rows. */
  extreme(column: string, which: 'min' | 'max'): number | undefined
  /** Memory: one group. */
  readGroup(group: number, columns: readonly string[]): Promise<GroupColumns>
  /** Text columns as raw UTF-8. */
  readTexts(group: number, columns: readonly string[]): Promise<Readonly<Record<string, readonly Uint8Array[]>>>
  /** Raw bytes of the file. */
  bytes(start: number, end: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** Three times as fast as hyparquet's default. */
const compressors = { SNAPPY: snappyUncompressor() }

/** hyparquet's default drops a byte order mark at the start of a text; this keeps it. */
const STRINGS = {
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
}
const BYTES = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes }

/**
 * Opens a dataset's manifest.
 *
 * @param path path of a local file
 * @throws InputError `bad-manifest` if it is not Parquet
 */
export async function openManifestFile(path: string): Promise<ManifestFile> {
  const handle = await open(path, 'r')
  try {
    return await readManifestFile(path, handle)
  } catch (error) {
    await handle.close()
    const message = `${MANIFEST} can't be read as Parquet (${messageOf(error)}); run skyscript build again.`
    throw new InputError('bad-manifest', message, { cause: error })
  }
}

async function readManifestFile(path: string, handle: FileHandle): Promise<ManifestFile> {
  const bytes = async (start: number, end: number) => {
    const buffer = Buffer.allocUnsafeSlow(end - start)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
    if (bytesRead !== buffer.length) throw new Error(`it ends at byte ${start + bytesRead}`)
    return buffer
  }
  const { size } = await handle.stat()
  const file: AsyncBuffer = {
    byteLength: size,
    slice: async (start, end = size) => (await bytes(start, end)).buffer,
  }
  const metadata = await parquetMetadataAsync(file)
  const columns = metadata.schema.slice(1).map(({ name }) => name)
  let row = 0
  const groups = metadata.row_groups.map(({ num_rows }) => {
    const from = row
    row += Number(num_rows)
    return { from, to: row }
  })
  const read = async (group: number, wanted: readonly string[], parsers: Partial<ParquetParsers>) => {
    const { from, to } = groups[group]!
    const found: Record<string, unknown[]> = Object.fromEntries(wanted.map((name) => [name, new Array(to - from)]))
    // A column of several pages comes in several parts.
    const onChunk = ({ columnName, columnData, rowStart }: ColumnData) => {
      const column = found[columnName]!
      for (let i = 0; i < columnData.length; i++) column[rowStart - from + i] = columnData[i]
    }
    const range = { rowStart: from, rowEnd: to }
    await parquetRead({ file, metadata, columns: [...wanted], ...range, onChunk, parsers, compressors })
    return found
  }
  return {
    path,
    rows: row,
    columns: new Set(columns),
    scorers: columns.filter((name) => name.startsWith(SIMILARITY)).map((name) => name.slice(SIMILARITY.length)),
    metadata,
    groups,
    extreme(column, which) {
      const key = which === 'min' ? 'min_value' : 'max_value'
      const values = metadata.row_groups.flatMap(({ columns: chunks }) => {
        const chunk = chunks.find(({ meta_data }) => meta_data!.path_in_schema[0] === column)
        const value = chunk?.meta_data?.statistics?.[key]
        return typeof value === 'number' ? [value] : []
      })
      return values.length === 0 ? undefined : values.reduce((a, b) => Math[which](a, b))
    },
    readGroup: (group, wanted) => read(group, wanted, STRINGS),
    readTexts: (group, wanted) => read(group, wanted, BYTES) as Promise<Record<string, Uint8Array[]>>,
    bytes,
    close: () => handle.close(),
  }
}
