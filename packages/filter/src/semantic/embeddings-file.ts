import { readSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { InputError, type Storage } from '@skyscript/core'
import { EMBEDDINGS, EMBEDDINGS_HEADER, EMBEDDINGS_MAGIC, localFile } from '@skyscript/dataset'
import { openOutput } from '../output.ts'

/** Vectors read or written at a time: 3 MB for ViT-L/14. */
const AT_ONCE = 4096

export interface EmbeddingsWriter {
  readonly sha256: string
  /** @param vector of the next row, base64 */
  add(vector: string): Promise<void>
  end(): Promise<void>
  abort(reason: unknown): Promise<void>
}

export function createEmbeddings(storage: Storage): EmbeddingsWriter {
  const output = openOutput(storage, EMBEDDINGS)
  let pending: Buffer[] = []
  let length: number | null = null
  const flush = async () => {
    const piece = Buffer.concat(pending)
    pending = []
    if (piece.length > 0) await output.write(piece)
  }
  return {
    get sha256() {
      return output.sha256
    },
    async add(text) {
      const vector = Buffer.from(text, 'base64')
      if (length === null) pending.push(headerOf((length = vector.length)))
      if (vector.length !== length) throw new TypeError(`An embedding has ${vector.length} numbers, others ${length}.`)
      pending.push(vector)
      if (pending.length >= AT_ONCE) await flush()
    },
    async end() {
      if (length === null) pending.push(headerOf(0))
      await flush()
      await output.end()
    },
    abort: output.abort,
  }
}

function headerOf(length: number): Buffer {
  const header = Buffer.alloc(EMBEDDINGS_HEADER)
  header.write(EMBEDDINGS_MAGIC, 'latin1')
  header.writeUInt32LE(length, EMBEDDINGS_MAGIC.length)
  return header
}

/** The stored embeddings of a manifest's images, read by row. */
export interface Embeddings {
  readonly rows: number
  /** Numbers in a vector. */
  readonly length: number
  /** In order. The vectors of one piece are one after the other, and valid until the next. */
  read(): AsyncGenerator<Int8Array>
  at(row: number): Int8Array
  close(): Promise<void>
}

/** @throws InputError `no-embeddings` if there are none for `rows` rows */
export async function openEmbeddings(storage: Storage, rows: number): Promise<Embeddings> {
  const missing = () =>
    new InputError(
      'no-embeddings',
      `${EMBEDDINGS} has no embeddings of the dataset's images; run skyscript build with filter.semanticDuplicates to compute them.`,
    )
  if (!(await storage.has(EMBEDDINGS))) throw missing()
  const file = await localFile(storage, EMBEDDINGS)
  let handle: FileHandle | undefined
  try {
    handle = await open(file.path, 'r')
    const header = Buffer.alloc(EMBEDDINGS_HEADER)
    await handle.read(header, 0, header.length, 0)
    const { size } = await handle.stat()
    const length = header.readUInt32LE(EMBEDDINGS_MAGIC.length)
    const isWhole = header.toString('latin1', 0, EMBEDDINGS_MAGIC.length) === EMBEDDINGS_MAGIC
    if (!isWhole || size !== EMBEDDINGS_HEADER + rows * length) throw missing()
    return embeddingsOf(handle, rows, length, file.release)
  } catch (error) {
    await handle?.close()
    await file.release()
    throw error
  }
}

function embeddingsOf(handle: FileHandle, rows: number, length: number, release: () => Promise<void>): Embeddings {
  return {
    rows,
    length,
    async *read() {
      const buffer = Buffer.alloc(AT_ONCE * length)
      for (let row = 0; row < rows; row += AT_ONCE) {
        const bytes = Math.min(AT_ONCE, rows - row) * length
        for (let done = 0; done < bytes; ) {
          const { bytesRead } = await handle.read(buffer, done, bytes - done, EMBEDDINGS_HEADER + row * length + done)
          if (bytesRead === 0) throw new Error(`${EMBEDDINGS} became shorter while it was read.`)
          done += bytesRead
        }
        yield new Int8Array(buffer.buffer, buffer.byteOffset, bytes)
      }
    },
    at(row) {
      const vector = new Int8Array(length)
      // A thousand of these take as long as one asynchronous read.
      readSync(handle.fd, vector, 0, length, EMBEDDINGS_HEADER + row * length)
      return vector
    },
    async close() {
      await handle.close()
      await release()
    },
  }
}
