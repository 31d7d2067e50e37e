import { open } from 'node:fs/promises'
import { InputError, messageOf, type Storage } from '@skyscript/core'
import { type AsyncBuffer, type ColumnData, type FileMetaData, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { localFile } from './local-file.ts'
import { MANIFEST, SIMILARITY } from './manifest.ts'

/** The columns of one row group that were asked for, each as long as the group. */
export type GroupColumns = Readonly<Record<string, readonly unknown[]>>

/** A manifest that is read back, to be cut anew. */
export interface ManifestFile {
  readonly rows: number
  readonly columns: ReadonlySet<string>
  /** Those whose similarities it has, in the order of its columns. */
  readonly scorers: readonly string[]
  readonly metadata: FileMetaData
  /** Row group by row group, in their order. Memory: one group. */
  read(columns: readonly string[]): AsyncGenerator<GroupColumns>
  /** Bytes as they stand in the file. */
  bytes(start: number, end: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** A text may begin with a byte order mark, which a decoder of files would take away. */
const PARSERS = {
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
}

/**
 * Opens a dataset's manifest.
 *
 * @throws InputError `bad-manifest` where it can't be read; ServiceError `missing-key` where there is none
 */
export async function openManifestFile(storage: Storage): Promise<ManifestFile> {
  const { path, release } = await localFile(storage, MANIFEST)
  const handle = await open(path, 'r')
  const close = async () => {
    await handle.close()
    await release()
  }
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
  try {
    const metadata = await parquetMetadataAsync(file)
    const columns = metadata.schema.slice(1).map(({ name }) => name)
    return {
      rows: Number(metadata.num_rows),
      columns: new Set(columns),
      scorers: columns.filter((name) => name.startsWith(SIMILARITY)).map((name) => name.slice(SIMILARITY.length)),
      metadata,
      async *read(wanted) {
        let rowStart = 0
        for (const { num_rows } of metadata.row_groups) {
          const rowEnd = rowStart + Number(num_rows)
          const group: Record<string, unknown[]> = Object.fromEntries(
            wanted.map((name) => [name, new Array(rowEnd - rowStart)]),
          )
          // A column of several pages comes in several parts.
          const onChunk = ({ columnName, columnData, rowStart: first }: ColumnData) => {
            const column = group[columnName]!
            for (let i = 0; i < columnData.length; i++) column[first - rowStart + i] = columnData[i]
          }
          await parquetRead({ file, metadata, columns: [...wanted], rowStart, rowEnd, onChunk, parsers: PARSERS })
          yield group
          rowStart = rowEnd
        }
      },
      bytes,
      close,
    }
  } catch (error) {
    await close()
    const message = `${MANIFEST} of ${storage.url} can't be read as Parquet (${messageOf(error)}); run skyscript build again.`
    throw new InputError('bad-manifest', message, { cause: error })
  }
}
