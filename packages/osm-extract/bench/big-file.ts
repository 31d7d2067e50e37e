/**
 * Makes a large sorted PBF file out of small ones: copy after copy of each, with ids shifted so that none repeats.
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readdirSync } from 'node:fs'
import { mkdir, rename, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateSync } from 'node:zlib'
import { openPbf, type PbfFile } from '../src/blobs.ts'
import { NODES, RELATIONS, visitBlock, WAYS } from '../src/block.ts'

/** Real extracts, beside the checkout. */
const SHARED = fileURLToPath(new URL('../../../../shared/data', import.meta.url))

/**
 * The file that benchmarks read, made once: copies of the towns in a folder of extracts, at least this many megabytes.
 *
 * @throws Error where osmium isn't on the path
 */
export async function benchFile(megabytes: number, source = SHARED): Promise<string> {
  const work = join(tmpdir(), 'skyscript-bench-extract')
  await mkdir(work, { recursive: true })
  const big = join(work, `big-${megabytes}.osm.pbf`)
  if (await stat(big).catch(() => null)) return big
  const renumbered: string[] = []
  for (const name of readdirSync(source).filter((each) => /^[a-z]+(-20[12]\d)?\.osm\.pbf$/.test(each))) {
    if (name.startsWith('bahamas')) continue
    const target = join(work, name)
    const args = ['renumber', '--no-progress', '-O', '-o', target, join(source, name)]
    const { status, stderr, error } = spawnSync('osmium', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`osmium (Debian: osmium-tool) failed: ${error?.message ?? stderr}`)
    renumbered.push(target)
  }
  process.stderr.write(`Making ${big} (once) ...\n`)
  await makeBigFile(big, renumbered, megabytes * 1e6)
  return big
}

/** Beyond every id of a small extract whose ids were numbered anew, so that copies follow each other. */
const SHIFT = 10_000_000

/** Reads one message after another out of bytes. */
class Reader {
  position = 0
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.position++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }

  /** Field number, wire type and the bytes of each field with its tag. */
  *fields(): Generator<{ field: number; wire: number; whole: Uint8Array; content: Uint8Array }> {
    while (this.position < this.bytes.length) {
      const start = this.position
      const tag = Number(this.varint())
      const wire = tag & 7
      let from = this.position
      if (wire === 0) this.varint()
      else if (wire === 2) {
        const length = Number(this.varint())
        from = this.position
        this.position += length
      } else throw new Error(`Wire type ${wire} is not used by OSM PBF.`)
      const end = this.position
      yield { field: tag >> 3, wire, whole: this.bytes.subarray(start, end), content: this.bytes.subarray(from, end) }
    }
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return Uint8Array.from([...bytes, Number(rest)])
    bytes.push(Number(rest & 0x7fn) | 0x80)
  }
}

const field = (number: number, content: Uint8Array): Uint8Array =>
  Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(content.length)), content])

const zigzag = (value: bigint) => (value >= 0n ? value << 1n : (-value << 1n) - 1n)
const unzigzag = (value: bigint) => (value & 1n ? -((value + 1n) >> 1n) : value >> 1n)

/** A packed list of differences, of which only the first is a number by itself. */
function shiftFirst(packed: Uint8Array, by: bigint): Uint8Array {
  if (packed.length === 0) return packed
  const reader = new Reader(packed)
  const first = unzigzag(reader.varint())
  return Buffer.concat([varint(zigzag(first + by)), packed.subarray(reader.position)])
}

/** PrimitiveGroup fields 2, 3, 4 (dense nodes, way, relation): which of their fields hold ids. */
function shiftElement(kind: number, content: Uint8Array, by: bigint): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { field: number, wire, whole, content: inner } of new Reader(content).fields()) {
    const isList = (kind === 2 && number === 1) || (kind === 3 && number === 8) || (kind === 4 && number === 9)
    if (isList && wire === 2) parts.push(field(number, shiftFirst(inner, by)))
    else if (kind !== 2 && number === 1 && wire === 0) {
      const id = new Reader(inner).varint()
      parts.push(Buffer.concat([varint(8n), varint(id + by)]))
    } else parts.push(whole)
  }
  return Buffer.concat(parts)
}

function shiftBlock(block: Uint8Array, by: bigint): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { field: number, whole, content } of new Reader(block).fields()) {
    if (number !== 2) {
      parts.push(whole)
      continue
    }
    const group: Uint8Array[] = []
    for (const { field: kind, content: element } of new Reader(content).fields()) {
      if (kind < 2 || kind > 4) throw new Error(`Groups of kind ${kind} are not shifted.`)
      group.push(field(kind, shiftElement(kind, element, by)))
    }
    parts.push(field(2, Buffer.concat(group)))
  }
  return Buffer.concat(parts)
}

function blob(type: string, content: Uint8Array): Uint8Array {
  const data = Buffer.concat([
    varint((2n << 3n) | 0n),
    varint(BigInt(content.length)),
    field(3, deflateSync(content, { level: 6 })),
  ])
  const header = Buffer.concat([field(1, Buffer.from(type)), varint((3n << 3n) | 0n), varint(BigInt(data.length))])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(header.length)
  return Buffer.concat([size, header, data])
}

/**
 * Writes copies of the files until the result has at least this many bytes; keeps a result that is there.
 *
 * @param sources sorted files of dense nodes, with ids from 1 on (`osmium renumber`)
 */
async function makeBigFile(path: string, sources: readonly string[], bytes: number): Promise<void> {
  if (await stat(path).catch(() => null)) return
  await mkdir(dirname(path), { recursive: true })
  const files: PbfFile[] = []
  for (const source of sources) files.push(openPbf(source))
  const size = files.reduce((sum, file) => sum + file.bytes, 0)
  const copies = Math.ceil(bytes / size)
  const out = createWriteStream(`${path}.part`)
  const features = ['OsmSchema-V0.6', 'DenseNodes'].map((name) => field(4, Buffer.from(name)))
  out.write(blob('OSMHeader', Buffer.concat([...features, field(5, Buffer.from('Sort.Type_then_ID'))])))
  for (const kind of [NODES, WAYS, RELATIONS]) {
    for (let copy = 0; copy < copies; copy++) {
      for (const [i, file] of files.entries()) {
        const by = BigInt((copy * files.length + i) * SHIFT)
        for (const each of file.index()) {
          if (each.type !== 'OSMData') continue
          const block = file.read(each)
          if (visitBlock(block, { path: file.path, offset: each.offset }, {}) !== kind) continue
          if (!out.write(blob('OSMData', shiftBlock(block, by)))) await once(out, 'drain')
        }
      }
    }
  }
  await new Promise<void>((resolve, reject) => out.end((error?: Error | null) => (error ? reject(error) : resolve())))
  for (const file of files) file.close()
  await rename(`${path}.part`, path)
}
