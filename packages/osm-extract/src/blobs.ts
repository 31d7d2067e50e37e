import { type FileHandle, open } from 'node:fs/promises'
import { inflateSync, zstdDecompressSync } from 'node:zlib'
import { InputError, messageOf } from '@skyscript/core'
import { LENGTH, openCursor, readBytes, readMessage, readVarint, VARINT } from './cursor.ts'
import { MAX_BLOB, MAX_BLOB_HEADER } from './limits.ts'
import { decompressLz4 } from './lz4.ts'
import { PbfFault } from './pbf-fault.ts'

/** Where a blob lies in its file. */
export interface BlobIndex {
  readonly type: 'OSMHeader' | 'OSMData'
  /** Of the blob's message, after its header; in bytes. */
  readonly offset: number
  readonly size: number
}

export interface PbfFile {
  readonly path: string
  readonly bytes: number
  readonly blobs: readonly BlobIndex[]
  /** The uncompressed content of a blob. */
  read(blob: BlobIndex): Promise<Uint8Array>
  close(): Promise<void>
}

/**
 * Opens a PBF file and finds its blobs by their headers; no blob is read yet.
 *
 * @throws InputError `missing-file`; PbfFault `not-a-pbf`, `pbf-truncated`, `pbf-bad-blob-header`
 */
export async function openPbf(path: string): Promise<PbfFile> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      'missing-file',
      `${path} can't be read (${error.code === 'ENOENT' ? 'there is no such file' : messageOf(error)}).`,
    )
  })
  try {
    const { size } = await file.stat()
    const blobs = await indexBlobs(file, path, size)
    return { path, bytes: size, blobs, read: (blob) => readBlob(file, blob), close: () => file.close() }
  } catch (error) {
    await file.close()
    throw (error as NodeJS.ErrnoException).code === 'EISDIR'
      ? new InputError('not-a-pbf', `${path} is a folder, not an OSM PBF file.`)
      : error
  }
}

async function indexBlobs(file: FileHandle, path: string, size: number): Promise<BlobIndex[]> {
  const notPbf = (why: string) => new PbfFault('not-a-pbf', `${path} is not an OSM PBF file: ${why}`, 0)
  const truncated = (at: number) => new PbfFault('pbf-truncated', `${path} is cut off; fetch the file again`, at)
  if (size === 0) throw notPbf('it is empty')
  const blobs: BlobIndex[] = []
  let offset = 0
  while (offset < size) {
    const prefix = await readAt(file, offset, Math.min(4, size - offset))
    if (prefix.length < 4) throw offset === 0 ? notPbf('it is too short') : truncated(offset)
    const headerSize = prefix.readUInt32BE(0)
    if (headerSize === 0 || headerSize > MAX_BLOB_HEADER) {
      if (offset === 0) throw notPbf('it does not start with a blob header')
      throw new PbfFault('pbf-bad-blob-header', `${path} is damaged: a blob header claims ${headerSize} bytes`, offset)
    }
    const header = await readAt(file, offset + 4, headerSize)
    if (header.length < headerSize)
      throw offset === 0 ? notPbf('it does not start with a blob header') : truncated(offset)
    const { type, dataSize } = parseBlobHeader(header, offset, () => notPbf('it does not start with a blob header'))
    if (offset === 0 && type !== 'OSMHeader') throw notPbf('its first blob is no OSMHeader')
    const start = offset + 4 + headerSize
    if (start + dataSize > size) throw truncated(offset)
    if (type === 'OSMHeader' || type === 'OSMData') blobs.push({ type, offset: start, size: dataSize })
    offset = start + dataSize
  }
  return blobs
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return buffer.subarray(0, done)
}

function parseBlobHeader(header: Buffer, offset: number, notPbf: () => PbfFault): { type: string; dataSize: number } {
  openCursor(header, offset)
  let type = ''
  let dataSize = -1
  try {
    readMessage(header.length, (field, wire, limit) => {
      if (field === 1 && wire === LENGTH) type = Buffer.from(readBytes(limit)).toString('latin1')
      else if (field === 3 && wire === VARINT) dataSize = readVarint(limit)
      else return false
      return true
    })
  } catch (error) {
    throw offset === 0 ? notPbf() : error
  }
  if (type === '' || dataSize < 0 || dataSize > MAX_BLOB) {
    if (offset === 0) throw notPbf()
    throw new PbfFault('pbf-bad-blob-header', 'The file is damaged: a blob header has no type or no valid size', offset)
  }
  return { type, dataSize }
}

async function readBlob(file: FileHandle, { offset, size }: BlobIndex): Promise<Uint8Array> {
  const blob = await readAt(file, offset, size)
  if (blob.length < size) throw new PbfFault('pbf-truncated', 'The file became shorter while it was read', offset)
  openCursor(blob, offset)
  let rawSize = -1
  let compression = 0
  let data: Uint8Array | undefined
  readMessage(size, (field, wire, limit) => {
    if (field === 2 && wire === VARINT) rawSize = readVarint(limit)
    else if ([1, 3, 4, 5, 6, 7].includes(field) && wire === LENGTH) {
      compression = field
      data = readBytes(limit)
    } else return false
    return true
  })
  if (data === undefined) throw new PbfFault('pbf-empty-blob', 'A blob of the file has no data', offset)
  return decompress(compression, data, rawSize, offset)
}

/** Field numbers of Blob in fileformat.proto: which compression the data has. */
const RAW = 1
const ZLIB = 3
const LZ4 = 6
const ZSTD = 7

function decompress(compression: number, data: Uint8Array, rawSize: number, offset: number): Uint8Array {
  if (compression === RAW) return data
  if (rawSize < 0 || rawSize > MAX_BLOB) {
    throw new PbfFault(
      'pbf-bad-raw-size',
      `A blob of the file claims ${rawSize < 0 ? 'no size' : `${rawSize} bytes, more than ${MAX_BLOB}`}`,
      offset,
    )
  }
  const out = inflated(compression, data, rawSize, offset)
  if (out.length !== rawSize)
    throw new PbfFault(
      'pbf-bad-raw-size',
      `A blob of the file holds ${out.length} bytes where it claims ${rawSize}`,
      offset,
    )
  return out
}

function inflated(compression: number, data: Uint8Array, rawSize: number, offset: number): Uint8Array {
  // One byte more than claimed is allowed, so that a wrong claim is told from a bomb without unpacking either.
  const limits = { maxOutputLength: rawSize + 1 }
  try {
    if (compression === ZLIB) return inflateSync(data, { ...limits, chunkSize: Math.max(64, rawSize) })
    if (compression === ZSTD) return zstdDecompressSync(data, limits)
  } catch {
    throw new PbfFault('pbf-bad-compression', 'A blob of the file can not be decompressed', offset)
  }
  if (compression !== LZ4) {
    throw new PbfFault(
      'pbf-unknown-compression',
      'The file is compressed by a method other than zlib, lz4 or zstd; rewrite it with `osmium cat`',
      offset,
    )
  }
  const out = new Uint8Array(rawSize)
  const length = decompressLz4(data, out)
  if (length < 0) throw new PbfFault('pbf-bad-compression', 'A blob of the file can not be decompressed', offset)
  return out.subarray(0, length)
}
