import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { inflateSync, zstdDecompressSync } from 'node:zlib'
import { InputError, systemReason } from '@skyscript/core'
import { LENGTH, openCursor, readBytes, readMessage, readVarint, VARINT } from './cursor.ts'
import { MAX_BLOB, MAX_BLOB_HEADER } from './limits.ts'
import { decompressLz4 } from './lz4.ts'
import { type Origin, PbfFault } from './pbf-fault.ts'

/** The position of a blob in its file. */
export interface BlobIndex {
  readonly type: 'OSMHeader' | 'OSMData'
  /** Of the blob's message, after its header; in bytes. */
  readonly offset: number
  readonly size: number
}

/** A PBF file that is open, for one thread. */
export interface PbfFile {
  readonly path: string
  readonly bytes: number
  /**
   * Finds the blobs by their headers; no blob is read yet.
   *
   * @throws PbfFault `not-a-pbf`, `pbf-truncated`, `pbf-bad-blob-header`
   */
  index(): BlobIndex[]
  /** The first blob, which is the header. @throws as `index` */
  first(): BlobIndex
  /** The uncompressed content of a blob. @throws PbfFault */
  read(blob: BlobIndex): Uint8Array
  /** The message Blob as the file has it, until the next is read. @throws PbfFault */
  readPacked(blob: BlobIndex): Uint8Array
  close(): void
}

/** @throws InputError `missing-file` or, for a folder, `not-a-pbf` */
export function openPbf(path: string): PbfFile {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw new InputError('missing-file', `${path} can't be read (${systemReason(error)}).`)
  }
  const status = fstatSync(file)
  if (status.isDirectory()) {
    closeSync(file)
    throw new InputError('not-a-pbf', `${path} is a folder, not an OSM PBF file.`)
  }
  return {
    path,
    bytes: status.size,
    index: () => [...blobsIn(file, path, status.size)],
    first: () => blobsIn(file, path, status.size).next().value!,
    read: (blob) => readBlob(file, blob.size, { path, offset: blob.offset }),
    readPacked: (blob) => readPacked(file, blob.size, { path, offset: blob.offset }),
    close: () => closeSync(file),
  }
}

function* blobsIn(file: number, path: string, size: number): Generator<BlobIndex, undefined> {
  const notPbf = (why: string) => new PbfFault('not-a-pbf', `is not an OSM PBF file: ${why}`, { path, offset: 0 })
  const truncated = (offset: number) =>
    new PbfFault('pbf-truncated', 'is cut off; fetch the file again', { path, offset })
  if (size === 0) throw notPbf('it is empty')
  let offset = 0
  while (offset < size) {
    const prefix = readInto(Buffer.allocUnsafe(Math.min(4, size - offset)), file, offset)
    if (prefix.length < 4) throw offset === 0 ? notPbf('it is too short') : truncated(offset)
    const headerSize = prefix.readUInt32BE(0)
    if (headerSize === 0 || headerSize > MAX_BLOB_HEADER) {
      if (offset === 0) throw notPbf('it does not start with a blob header')
      throw new PbfFault('pbf-bad-blob-header', `is damaged: a blob header claims ${headerSize} bytes`, {
        path,
        offset,
      })
    }
    const header = readInto(Buffer.allocUnsafe(headerSize), file, offset + 4)
    if (header.length < headerSize)
      throw offset === 0 ? notPbf('it does not start with a blob header') : truncated(offset)
    const { type, dataSize } = parseBlobHeader(header, { path, offset }, () =>
      notPbf('it does not start with a blob header'),
    )
    if (offset === 0 && type !== 'OSMHeader') throw notPbf('its first blob is no OSMHeader')
    const start = offset + 4 + headerSize
    if (start + dataSize > size) throw truncated(offset)
    if (type === 'OSMHeader' || type === 'OSMData') yield { type, offset: start, size: dataSize }
    offset = start + dataSize
  }
}

/** Blobs are small and their decoding takes far longer: to wait for each on the thread pool would cost a sixth of it all. */
function readInto(buffer: Buffer, file: number, offset: number): Buffer {
  const { length } = buffer
  let done = 0
  while (done < length) {
    const bytesRead = readSync(file, buffer, done, length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return buffer.subarray(0, done)
}

function parseBlobHeader(header: Buffer, origin: Origin, notPbf: () => PbfFault): { type: string; dataSize: number } {
  openCursor(header, origin)
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
    throw origin.offset === 0 ? notPbf() : error
  }
  if (type === '' || dataSize < 0 || dataSize > MAX_BLOB) {
    if (origin.offset === 0) throw notPbf()
    throw new PbfFault('pbf-bad-blob-header', 'is damaged: a blob header has no type or no valid size', origin)
  }
  return { type, dataSize }
}

/** The blob at hand as the file has it; memory that is used again costs no page faults. */
let packed = Buffer.alloc(0)

function readPacked(file: number, size: number, origin: Origin): Uint8Array {
  if (packed.length < size) packed = Buffer.allocUnsafe(2 * size)
  const blob = readInto(packed.subarray(0, size), file, origin.offset)
  if (blob.length < size) throw new PbfFault('pbf-truncated', 'became shorter while it was read', origin)
  return blob
}

function readBlob(file: number, size: number, origin: Origin): Uint8Array {
  const blob = readPacked(file, size, origin)
  openCursor(blob, origin)
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
  if (data === undefined) throw new PbfFault('pbf-empty-blob', 'is damaged: a blob of it has no data', origin)
  return decompress(compression, data, rawSize, origin)
}

/** Field numbers of Blob in fileformat.proto: which compression the data has. */
const RAW = 1
const ZLIB = 3
const LZ4 = 6
const ZSTD = 7

function decompress(compression: number, data: Uint8Array, rawSize: number, origin: Origin): Uint8Array {
  if (compression === RAW) return Buffer.from(data)
  if (rawSize < 0 || rawSize > MAX_BLOB) {
    throw new PbfFault(
      'pbf-bad-raw-size',
      `is damaged: a blob of it claims ${rawSize < 0 ? 'no size' : `${rawSize} bytes, more than ${MAX_BLOB}`}`,
      origin,
    )
  }
  const out = inflated(compression, data, rawSize, origin)
  if (out.length !== rawSize)
    throw new PbfFault(
      'pbf-bad-raw-size',
      `is damaged: a blob of it holds ${out.length} bytes where it claims ${rawSize}`,
      origin,
    )
  return out
}

function inflated(compression: number, data: Uint8Array, rawSize: number, origin: Origin): Uint8Array {
  // One byte more than claimed is allowed, so that a wrong claim is told from a bomb without unpacking either; and room
  // for one more, so that zlib doesn't ask for a second buffer when the first is full.
  const limits = { maxOutputLength: rawSize + 1 }
  try {
    if (compression === ZLIB) return inflateSync(data, { ...limits, chunkSize: Math.max(64, rawSize + 2) })
    if (compression === ZSTD) return zstdDecompressSync(data, limits)
  } catch {
    throw new PbfFault('pbf-bad-compression', 'is damaged: a blob of it can not be decompressed', origin)
  }
  if (compression !== LZ4) {
    throw new PbfFault(
      'pbf-unknown-compression',
      'is compressed by a method other than zlib, lz4 or zstd; rewrite it with `osmium cat`',
      origin,
    )
  }
  const out = new Uint8Array(rawSize)
  const length = decompressLz4(data, out)
  if (length < 0) throw new PbfFault('pbf-bad-compression', 'is damaged: a blob of it can not be decompressed', origin)
  return out.subarray(0, length)
}
