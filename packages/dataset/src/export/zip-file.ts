import { crc32 } from 'node:zlib'

/** Numbers from these on are written to Zip64 fields (APPNOTE.TXT 4.4.1.4). */
const LIMIT_16 = 0xffff
const LIMIT_32 = 0xffffffff
/** Version 2.0; 4.5 with Zip64. */
const [PLAIN, ZIP64] = [20, 45]
/** The first date that a zip file can hold, 1980-01-01, so that equal files give equal bytes. */
const FIRST_DAY = 0x0021
/** A regular file, readable by all, made on Unix. */
const UNIX = 3 << 8
const MODE = 0o100644 * 2 ** 16
/** A folder, accessible to all, with MS-DOS's folder bit. */
const FOLDER_MODE = 0o40755 * 2 ** 16 + 0x10
const SLASH = 0x2f
/** Records of the directory gathered into one buffer. */
const GATHER = 4096

export interface ZipEntry {
  /** ASCII, with forward slashes; a folder's name ends with one. */
  readonly name: string
  /** Less than 4 GB. */
  readonly content: Uint8Array
}

/**
 * A zip file (PKWARE's APPNOTE.TXT 6.3.10) of stored entries: JPEG doesn't shrink, and zlib's output for the rest differs
 * between processors. It is streamed: only the directory at the end, about 75 bytes per entry, is held in memory. Zip64
 * fields are used only if a plain zip can't hold the numbers.
 *
 * Written for this package because yazl keeps an object of some hundred bytes per entry and computes checksums in
 * JavaScript.
 */
export async function* zipFile(entries: AsyncIterable<ZipEntry>): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = []
  let gathered: Buffer[] = []
  let offset = 0
  let count = 0
  for await (const { name, content } of entries) {
    if (!isName(name)) throw new TypeError(`"${name}" can't be a name in a zip.`)
    const entry = { name: Buffer.from(name), size: content.length, crc: crc32(content), offset }
    const head = localHeader(entry)
    yield head
    yield content
    gathered.push(directoryRecord(entry))
    if (gathered.length === GATHER) {
      directory.push(Buffer.concat(gathered))
      gathered = []
    }
    offset += head.length + content.length
    count++
  }
  directory.push(Buffer.concat(gathered))
  yield* directory
  const size = directory.reduce((total, { length }) => total + length, 0)
  yield endOfFile(count, size, offset)
}

/** ASCII without spaces, relative, and inside the folder that the file is unpacked into. */
const isName = (name: string) => /^(?!\/)[\x21-\x7e]+$/.test(name) && !name.split('/').includes('..')

interface Placed {
  readonly name: Buffer
  readonly size: number
  readonly crc: number
  readonly offset: number
}

/** APPNOTE.TXT 4.3.7. */
function localHeader({ name, size, crc }: Placed): Buffer {
  const bytes = Buffer.alloc(30)
  bytes.writeUInt32LE(0x04034b50, 0)
  bytes.writeUInt16LE(PLAIN, 4)
  writeFacts(bytes, 6, { name, size, crc })
  return Buffer.concat([bytes, name])
}

/** APPNOTE.TXT 4.3.12; an offset that needs 8 bytes goes into the extra field 1 (4.5.3). */
function directoryRecord({ name, size, crc, offset }: Placed): Buffer {
  const isFar = offset >= LIMIT_32
  const bytes = Buffer.alloc(46)
  const extra = Buffer.alloc(isFar ? 12 : 0)
  bytes.writeUInt32LE(0x02014b50, 0)
  bytes.writeUInt16LE(UNIX | (isFar ? ZIP64 : PLAIN), 4)
  bytes.writeUInt16LE(isFar ? ZIP64 : PLAIN, 6)
  writeFacts(bytes, 8, { name, size, crc })
  bytes.writeUInt16LE(extra.length, 30)
  bytes.writeUInt32LE(name.at(-1) === SLASH ? FOLDER_MODE : MODE, 38)
  bytes.writeUInt32LE(Math.min(offset, LIMIT_32), 42)
  if (isFar) {
    extra.writeUInt16LE(1, 0)
    extra.writeUInt16LE(8, 2)
    extra.writeBigUInt64LE(BigInt(offset), 4)
  }
  return Buffer.concat([bytes, name, extra])
}

/** The fields that both headers share: no flags, stored, date, checksum, both sizes, length of the name. */
function writeFacts(bytes: Buffer, at: number, { name, size, crc }: Omit<Placed, 'offset'>): void {
  bytes.writeUInt16LE(FIRST_DAY, at + 6)
  bytes.writeUInt32LE(crc, at + 8)
  bytes.writeUInt32LE(size, at + 12)
  bytes.writeUInt32LE(size, at + 16)
  bytes.writeUInt16LE(name.length, at + 20)
}

/** APPNOTE.TXT 4.3.14 to 4.3.16. */
function endOfFile(count: number, size: number, offset: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, LIMIT_16), 8)
  end.writeUInt16LE(Math.min(count, LIMIT_16), 10)
  end.writeUInt32LE(Math.min(size, LIMIT_32), 12)
  end.writeUInt32LE(Math.min(offset, LIMIT_32), 16)
  if (count < LIMIT_16 && size < LIMIT_32 && offset < LIMIT_32) return end
  const far = Buffer.alloc(56)
  far.writeUInt32LE(0x06064b50, 0)
  far.writeBigUInt64LE(BigInt(far.length - 12), 4)
  far.writeUInt16LE(UNIX | ZIP64, 12)
  far.writeUInt16LE(ZIP64, 14)
  far.writeBigUInt64LE(BigInt(count), 24)
  far.writeBigUInt64LE(BigInt(count), 32)
  far.writeBigUInt64LE(BigInt(size), 40)
  far.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(offset + size), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([far, locator, end])
}
