import { open, stat } from 'node:fs/promises'
import { isUrl, ServiceError, sha256, systemReason } from '@skyscript/core'
import type { Http, RangeAnswer } from '../http.ts'
import { hostOf } from '../http.ts'
import { type SharedWork, shareWork } from '../shared-work.ts'

/** A range of bytes that a TIFF reader requests. */
export interface Slice {
  readonly offset: number
  readonly length: number
}

/** The bytes of a file, local or remote; geotiff's `BaseSource`. */
export interface FileBytes {
  fetch(slices: readonly Slice[], signal?: AbortSignal): Promise<ArrayBuffer[]>
  readonly fileSize: number | null
  /** Identifies the file's content: its size, and its ETag, time or first bytes; null before the first read. */
  readonly version: string | null
  close(): Promise<void>
}

/** Minimum bytes read from a remote file at once: headers and small tiles come with their neighbours. */
const BLOCK = 64 * 1024
/** Blocks cached per file: a COG's headers and the nearby tiles, 8 MB. */
const BLOCKS_IN_MEMORY = 128
/** Larger than any tile or strip of an image; a damaged header may request any size. */
const MOST_BYTES = 64 * 2 ** 20

/** A block is a view of one response. */
interface Block {
  readonly work: SharedWork<Buffer>
  readonly from: number
}

function checkSlice({ offset, length }: Slice, size: number | null, name: string): void {
  const fits = Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && length <= MOST_BYTES
  if (!fits || (size !== null && offset >= size))
    throw new ServiceError('image-damaged', `${name} points to ${length} bytes at ${offset}, which it doesn't have.`, {
      retry: false,
      status: 400,
    })
}

/** How often to look for a known version again, if a server answers with several in turn. */
const COMPARISONS = 4

/**
 * A file on a server, read with range requests in blocks of 64 KiB; the most recent blocks are cached.
 *
 * Servers behind one address may each have a different ETag for the same file. So a new ETag only means a new file if
 * the size differs too, or the bytes of a known block.
 */
export function remoteBytes(url: string, http: Http): FileBytes {
  const blocks = new Map<number, Block>()
  /** The whole file, if the server ignored the range and sent all of it. */
  let whole: Buffer | null = null
  let size: number | null = null
  /** Versions known to belong to the same file. */
  const versions = new Set<string | null>()
  /** The first and the last bytes read, by block. */
  const samples = new Map<'first' | 'last', { readonly block: number; readonly bytes: Buffer }>()

  const read = async (first: number, end: number, signal?: AbortSignal): Promise<Buffer> => {
    // If a range ends beyond the file, some servers answer with the whole file.
    const to = Math.min(end * BLOCK, size ?? Number.POSITIVE_INFINITY)
    const answer = await http.range(url, first * BLOCK, to, signal)
    if (!(await isSameFile(answer, signal))) {
      blocks.clear()
      throw changed(hostOf(url))
    }
    versions.add(answer.version)
    size = answer.size ?? size
    if (answer.from === 0 && answer.bytes.length === answer.size) whole = answer.bytes
    const bytes = answer.bytes.subarray(first * BLOCK - answer.from)
    const sample = { block: first, bytes: bytes.subarray(0, BLOCK) }
    if (!samples.has('first')) samples.set('first', sample)
    samples.set('last', sample)
    return bytes
  }
  const isSameFile = async (answer: RangeAnswer, signal?: AbortSignal): Promise<boolean> => {
    if (size !== null && answer.size !== null && answer.size !== size) return false
    if (versions.size === 0 || versions.has(answer.version)) return true
    for (const { block, bytes } of samples.values()) {
      let isSeen = false
      for (let attempt = 0; attempt < COMPARISONS && !isSeen; attempt++) {
        const again = await http.range(url, block * BLOCK, block * BLOCK + bytes.length, signal)
        isSeen = again.version === answer.version
        const start = block * BLOCK - again.from
        if (!again.bytes.subarray(start, start + bytes.length).equals(bytes)) return false
      }
      if (!isSeen) return false
    }
    return true
  }
  /** Requests the missing blocks, adjacent ones together. */
  const want = (first: number, end: number): Block[] => {
    const isThere = (at: number) => blocks.get(at)?.work.isAbandoned === false
    for (let to = first; to < end; to++) {
      if (isThere(to)) continue
      const from = to
      while (to + 1 < end && !isThere(to + 1)) to++
      const work = shareWork((signal) => read(from, to + 1, signal))
      for (let at = from; at <= to; at++) blocks.set(at, { work, from: (at - from) * BLOCK })
    }
    const found = Array.from({ length: end - first }, (_, i) => blocks.get(first + i)!)
    for (const [i, block] of found.entries()) {
      blocks.delete(first + i)
      blocks.set(first + i, block)
    }
    // The limit grows with the read, which the limit of an LRUCache could not.
    while (blocks.size > Math.max(BLOCKS_IN_MEMORY, end - first)) blocks.delete(blocks.keys().next().value!)
    return found
  }
  const bytesOf = async (at: number, block: Block, signal?: AbortSignal): Promise<Buffer> => {
    try {
      return (await block.work.wait(signal)).subarray(block.from, block.from + BLOCK)
    } catch (error) {
      if (!signal?.aborted && blocks.get(at) === block) blocks.delete(at)
      throw error
    }
  }
  return {
    get fileSize() {
      return size
    },
    get version() {
      const first = samples.get('first')
      return first === undefined ? null : remoteVersion(size, versions.values().next().value ?? null, first.bytes)
    },
    fetch: (slices, signal) =>
      Promise.all(
        slices.map(async (slice) => {
          checkSlice(slice, size, hostOf(url))
          const { offset, length } = slice
          if (whole) return exactly(whole.subarray(offset, offset + length))
          const first = Math.floor(offset / BLOCK)
          const wanted = want(first, Math.ceil((offset + Math.max(1, length)) / BLOCK))
          const parts = await Promise.all(wanted.map((block, i) => bytesOf(first + i, block, signal)))
          const start = offset - first * BLOCK
          return exactly(Buffer.concat(parts).subarray(start, start + length))
        }),
      ),
    async close() {
      blocks.clear()
      whole = null
    },
  }
}

/** A local file; opened for each read, so that none stays open. */
export function localBytes(path: string): FileBytes {
  let known: { readonly size: number; readonly mtimeMs: number } | undefined
  return {
    get fileSize() {
      return known?.size ?? null
    },
    get version() {
      return known === undefined ? null : localVersion(known)
    },
    async fetch(slices) {
      const file = await open(path).catch(asFault(path))
      try {
        const { size, mtimeMs } = await file.stat().catch(asFault(path))
        if (known && (known.size !== size || known.mtimeMs !== mtimeMs)) throw changed(path)
        known = { size, mtimeMs }
        const parts: ArrayBuffer[] = []
        for (const slice of slices) {
          checkSlice(slice, size, path)
          const { buffer, bytesRead } = await file
            .read(Buffer.alloc(slice.length), 0, slice.length, slice.offset)
            .catch(asFault(path))
          parts.push(exactly(buffer.subarray(0, bytesRead)))
        }
        return parts
      } finally {
        await file.close()
      }
    },
    async close() {},
  }
}

/** A missing file or a folder is final; a temporary failure of the disk (EIO, ESTALE) is not. */
const asFault =
  (path: string) =>
  (error: NodeJS.ErrnoException): never => {
    const { code } = error
    const isGone = code === 'ENOENT' || code === 'ENOTDIR'
    throw new ServiceError(
      isGone ? 'image-missing' : code === 'EISDIR' ? 'image-damaged' : 'imagery-unreadable',
      `${path} can't be read (${systemReason(error)}).`,
      { retry: !isGone && code !== 'EISDIR', ...(isGone && { status: 404 }), cause: error },
    )
  }

const localVersion = ({ size, mtimeMs }: { readonly size: number; readonly mtimeMs: number }) => `${size} ${mtimeMs}`

/** If a server sends neither ETag nor time, the first bytes: in a GeoTIFF they include the sizes of its compressed tiles. */
const remoteVersion = (size: number | null, version: string | null, first: Buffer) =>
  `${size} ${version ?? sha256(first.subarray(0, BLOCK))}`

/**
 * The current version of a file, in the format of `FileBytes.version`.
 *
 * @throws ServiceError if it is missing or can't be checked
 */
export async function versionAt(address: string, http: Http): Promise<string> {
  if (!isUrl(address)) return localVersion(await stat(address).catch(asFault(address)))
  const { size, version } = await http.range(address, 0, 1)
  if (version !== null) return remoteVersion(size, version, Buffer.alloc(0))
  const { bytes } = await http.range(address, 0, BLOCK)
  return remoteVersion(size, null, bytes)
}

const changed = (name: string): ServiceError =>
  new ServiceError('image-changed', `${name} was replaced while it was read; it is read again.`, { retry: true })

/** geotiff uses the whole underlying buffer, so a view must be copied. */
function exactly(bytes: Buffer): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
}
