// @module-tag slow
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync, zstdCompressSync } from 'node:zlib'
import { InputError } from '@skyscript/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extract, openPbf, PbfFault } from '../src/index.ts'
import { blobOf, fileOf, fileOfBlocks, ProtoWriter, readAll, Sketch, strings, zlibBlob } from './files.ts'

/** Reads until the end or the error; a fault is one InputError that names the file and ends as a sentence does. */
async function outcome(bytes: Uint8Array): Promise<{ code: string | null; objects: number; offset: number | null }> {
  const path = fileOf(bytes)
  let objects = 0
  try {
    for await (const _ of extract(path, { wanted: 'all' })) objects++
    return { code: null, objects, offset: null }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    expect(error.message.startsWith(`${path} `)).toBe(true)
    expect(error.message).toMatch(/^[\x20-\x7e]{10,400}\.$/)
    expect(error.message).not.toMatch(/undefined|NaN|\[object/)
    return { code: error.code, objects, offset: error instanceof PbfFault ? error.offset : null }
  }
}

const codeOf = async (bytes: Uint8Array) => (await outcome(bytes)).code

function small(): Sketch {
  const sketch = new Sketch()
  sketch.node('50,50', { natural: 'tree', name: 'Linde' })
  const [outer, inner] = [sketch.way('0,0 9,0 9,9 0,9 0,0', { landuse: 'forest' }), sketch.way('3,3 6,3 6,6 3,3')]
  sketch.way('0,0 9,9 20,20', { highway: 'path' })
  sketch.relation([outer, inner], { natural: 'wood' })
  return sketch
}

const HEADER = new ProtoWriter().bytes(4, 'OsmSchema-V0.6').bytes(4, 'DenseNodes').finish()
const BLOCK = new ProtoWriter()
  .message(1, strings('natural', 'tree'))
  .message(2, (group) =>
    group.message(2, (dense) =>
      dense.packedSigned(1, [7]).packedSigned(8, [5]).packedSigned(9, [6]).packed(10, [1, 2, 0]),
    ),
  )
  .finish()

/** Where each blob of a file ends: a file cut there is a whole file with fewer blobs. */
function blobEnds(bytes: Buffer): Set<number> {
  const ends = new Set<number>()
  const headerSizes = /OSM(Header|Data)/g
  expect(bytes.toString('latin1').match(headerSizes)!.length).toBeGreaterThan(1)
  let at = 0
  while (at < bytes.length) {
    const size = bytes.readUInt32BE(at)
    const head = bytes.subarray(at + 4, at + 4 + size)
    // Field 3 is the last of the header: its varint is the size of the blob.
    const from = head.lastIndexOf(0x18) + 1
    let [blob, factor] = [0, 1]
    for (const byte of head.subarray(from)) {
      blob += (byte & 0x7f) * factor
      factor *= 128
    }
    at += 4 + size + blob
    ends.add(at)
  }
  return ends
}

describe('what is no PBF file is refused as such', () => {
  test.each<[string, Uint8Array]>([
    ['an empty file', Buffer.alloc(0)],
    ['one byte', Buffer.from([0])],
    ['zeros', Buffer.alloc(1000)],
    ['0xff', Buffer.alloc(1000, 0xff)],
    ['OSM XML', Buffer.from('<?xml version="1.0"?><osm version="0.6"></osm>')],
    ['a gzip file', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])],
    ['a header that claims 2 GB', Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3])],
    ['a file that starts with data', zlibBlob('OSMData', BLOCK)],
    ['a blob of an unknown type', zlibBlob('Something', BLOCK)],
  ])('%s', async (_, bytes) => {
    expect(await outcome(bytes)).toEqual({ code: 'not-a-pbf', objects: 0, offset: 0 })
  })

  test('any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect(await codeOf(bytes)).toBe('not-a-pbf')
      }),
      { numRuns: 150 },
    )
  })

  test('a folder, and a file that is not there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'a-folder-'))
    await expect(readAll(folder)).rejects.toMatchObject({
      code: 'not-a-pbf',
      message: `${folder} is a folder, not an OSM PBF file.`,
    })
    rmdirSync(folder)
    await expect(readAll(folder)).rejects.toMatchObject({
      code: 'missing-file',
      message: expect.stringContaining(folder),
    })
  })
})

describe('a damaged file never looks whole', () => {
  test('cut off at any byte that does not end a blob, it is refused before any object comes', async () => {
    const bytes = Buffer.from(small().bytes())
    const ends = blobEnds(bytes)
    expect([...ends].at(-1)).toBe(bytes.length)
    for (let length = 0; length < bytes.length; length++) {
      if (ends.has(length)) continue
      const { code, objects } = await outcome(bytes.subarray(0, length))
      expect([length, code, objects]).toEqual([length, expect.stringMatching(/^(not-a-pbf|pbf-truncated)$/), 0])
    }
  })

  /** Ten thousand mutations in all; each may take some milliseconds, and none may hang. */
  const MUTATIONS = { numRuns: 5000 }
  async function endsSoon(bytes: Uint8Array): Promise<void> {
    const started = performance.now()
    await outcome(bytes)
    expect(performance.now() - started).toBeLessThan(2000)
  }

  test('with any byte changed, it gives one clear fault or a result, and never hangs', {
    timeout: 60_000,
  }, async () => {
    const bytes = Buffer.from(small().bytes())
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(bytes)
        damaged[at] = damaged[at]! ^ change
        await endsSoon(damaged)
      }),
      MUTATIONS,
    )
  })

  test('with any bytes of a block changed behind its compression, it gives one clear fault or a result', {
    timeout: 60_000,
  }, async () => {
    const file = openPbf(fileOf(small().bytes()))
    const [header, ...blocks] = file.index().map((blob) => Buffer.from(file.read(blob)))
    file.close()
    expect(blocks.length).toBeGreaterThan(2)
    const change = fc.tuple(fc.nat(2 ** 20), fc.integer({ min: 0, max: 255 }))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(blocks.length - 1),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async (which, changes) => {
          const damaged = blocks.map((block, i) => (i === which ? Buffer.from(block) : block))
          for (const [at, value] of changes) damaged[which]![at % damaged[which]!.length] = value
          await endsSoon(
            Buffer.concat([zlibBlob('OSMHeader', header!), ...damaged.map((block) => zlibBlob('OSMData', block))]),
          )
        },
      ),
      MUTATIONS,
    )
  })

  test('the fault names the byte at which the bad blob starts', async () => {
    const header = zlibBlob('OSMHeader', HEADER)
    const good = zlibBlob('OSMData', BLOCK)
    const bad = blobOf('OSMData', (blob) => blob.integer(2, 10).bytes(3, Buffer.from('not zlib')))
    const { code, offset } = await outcome(Buffer.concat([header, good, bad]))
    const headOf = bad.readUInt32BE(0) + 4
    expect([code, offset]).toEqual(['pbf-bad-compression', header.length + good.length + headOf])
  })
})

describe('a poisoned blob is refused by name', () => {
  const huge = 2 ** 40
  const packed = deflateSync(BLOCK)
  test.each<[string, (blob: ProtoWriter) => void]>([
    ['pbf-bad-raw-size', (blob) => blob.integer(2, huge).bytes(3, packed)],
    ['pbf-bad-raw-size', (blob) => blob.integer(2, 32 * 2 ** 20 + 1).bytes(3, packed)],
    ['pbf-bad-raw-size', (blob) => blob.integer(2, -1).bytes(3, packed)],
    ['pbf-bad-raw-size', (blob) => blob.bytes(3, packed)],
    ['pbf-bad-raw-size', (blob) => blob.integer(2, BLOCK.length + 1).bytes(3, packed)],
    ['pbf-bad-raw-size', (blob) => blob.integer(2, BLOCK.length - 1).bytes(3, packed)],
    ['pbf-bad-compression', (blob) => blob.integer(2, BLOCK.length - 2).bytes(3, packed)],
    ['pbf-bad-compression', (blob) => blob.integer(2, 100).bytes(3, deflateSync(Buffer.alloc(30 * 2 ** 20)))],
    ['pbf-bad-compression', (blob) => blob.integer(2, BLOCK.length).bytes(3, packed.subarray(0, -5))],
    ['pbf-bad-compression', (blob) => blob.integer(2, BLOCK.length).bytes(3, Buffer.alloc(0))],
    ['pbf-bad-compression', (blob) => blob.integer(2, BLOCK.length).bytes(7, packed)],
    ['pbf-bad-raw-size', (blob) => blob.integer(2, BLOCK.length + 9).bytes(7, zstdCompressSync(BLOCK))],
    ['pbf-bad-compression', (blob) => blob.integer(2, BLOCK.length).bytes(6, Buffer.from([0xf0]))],
    ['pbf-bad-compression', (blob) => blob.integer(2, BLOCK.length).bytes(6, Buffer.from([0x10, 65, 9, 0]))],
    [
      'pbf-bad-compression',
      (blob) => blob.integer(2, BLOCK.length).bytes(6, Buffer.from([0x1f, 65, 1, 0, 255, 255, 255, 1])),
    ],
    ['pbf-bad-raw-size', (blob) => blob.integer(2, BLOCK.length).bytes(6, Buffer.from([0x10, 65]))],
    ['pbf-unknown-compression', (blob) => blob.integer(2, BLOCK.length).bytes(4, packed)],
    ['pbf-unknown-compression', (blob) => blob.integer(2, BLOCK.length).bytes(5, packed)],
    ['pbf-empty-blob', (blob) => blob.integer(2, BLOCK.length)],
    ['pbf-empty-blob', () => {}],
  ])('%s', async (code, fill) => {
    expect(await codeOf(Buffer.concat([zlibBlob('OSMHeader', HEADER), blobOf('OSMData', fill)]))).toBe(code)
  })

  test('a blob header that claims more than the format allows, after good blobs', async () => {
    const head = new ProtoWriter()
      .bytes(1, 'OSMData')
      .integer(3, 2 ** 31)
      .finish()
    const size = Buffer.from([0, 0, 0, head.length])
    expect(await codeOf(Buffer.concat([zlibBlob('OSMHeader', HEADER), size, head]))).toBe('pbf-bad-blob-header')
    expect(await codeOf(Buffer.concat([zlibBlob('OSMHeader', HEADER), Buffer.from([0, 2, 0, 0])]))).toBe(
      'pbf-bad-blob-header',
    )
  })

  test('a second header: two files in one', async () => {
    const one = Buffer.from(small().bytes())
    expect(await codeOf(Buffer.concat([one, one]))).toBe('pbf-second-header')
  })

  test('an unknown required feature, named without its control characters; history', async () => {
    const header = (feature: string) => zlibBlob('OSMHeader', new ProtoWriter().bytes(4, feature).finish())
    expect(await codeOf(header('WayHulls'))).toBe('unsupported-feature')
    expect(await codeOf(header(`\u001b[31m${'x'.repeat(9999)}`))).toBe('unsupported-feature')
    expect(await codeOf(header('HistoricalInformation'))).toBe('history-file')
  })
})

describe('the compressions of the format hold the same', () => {
  const header = zlibBlob('OSMHeader', HEADER)
  /** One LZ4 block with only literals. */
  const lz4 = (bytes: Uint8Array) => {
    const rest = bytes.length - 15
    return Buffer.concat([Buffer.from([0xf0, ...new Array(Math.floor(rest / 255)).fill(255), rest % 255]), bytes])
  }
  test.each<[string, (blob: ProtoWriter) => void]>([
    ['raw', (blob) => blob.bytes(1, BLOCK)],
    ['raw with its size', (blob) => blob.integer(2, BLOCK.length).bytes(1, BLOCK)],
    ['zlib', (blob) => blob.integer(2, BLOCK.length).bytes(3, deflateSync(BLOCK))],
    ['lz4', (blob) => blob.integer(2, BLOCK.length).bytes(6, lz4(BLOCK))],
    ['zstd', (blob) => blob.integer(2, BLOCK.length).bytes(7, zstdCompressSync(BLOCK))],
  ])('%s', async (_, fill) => {
    const { objects } = await readAll(fileOf(Buffer.concat([header, blobOf('OSMData', fill)])))
    expect(objects).toEqual([
      {
        id: 'n7',
        tags: { natural: 'tree' },
        version: 0,
        timestamp: null,
        geometry: { type: 'Point', coordinates: [6e-7, 5e-7] },
      },
    ])
  })

  test('a run in lz4, whose source and target overlap', async () => {
    const text = 'a'.repeat(300)
    const block = new ProtoWriter()
      .message(1, strings('k', text))
      .message(2, (group) => group.message(1, (node) => node.signed(1, 3).packed(2, [1]).packed(3, [2])))
      .finish()
    const at = Buffer.from(block).indexOf('aaaa')
    const before = block.subarray(0, at + 1)
    const after = block.subarray(at + 300)
    // A token with extended lengths: literals up to the first a, a match of 299 at distance 1, then the rest.
    const run = [0x0f | (Math.min(before.length, 15) << 4), ...(before.length >= 15 ? [before.length - 15] : [])]
    const body = Buffer.concat([
      Buffer.from(run),
      before,
      Buffer.from([1, 0, 255, 299 - 4 - 15 - 255]),
      Buffer.from([after.length << 4]),
      after,
    ])
    expect(after.length).toBeLessThan(15)
    const file = Buffer.concat([header, blobOf('OSMData', (blob) => blob.integer(2, block.length).bytes(6, body))])
    const { objects } = await readAll(fileOf(file))
    expect(objects[0]!.tags).toEqual({ k: text })
  })

  test('blobs and fields of kinds to come are passed over', async () => {
    const unknown = blobOf('OSMIndex', (blob) => blob.integer(2, 10 ** 12).bytes(3, Buffer.from('whatever')))
    const block = new ProtoWriter().bytes(60, 'new').integer(61, -1).float(62, 1).finish()
    const file = Buffer.concat([header, unknown, zlibBlob('OSMData', Buffer.concat([BLOCK, block])), unknown])
    expect(await outcome(file)).toEqual({ code: null, objects: 1, offset: null })
  })
})

test('a file with only a header, or with empty blocks, has no objects', async () => {
  expect(await outcome(fileOfBlocks())).toEqual({ code: null, objects: 0, offset: null })
  expect(
    await outcome(
      fileOfBlocks(
        () => {},
        (block) => block.bytes(2, ''),
      ),
    ),
  ).toEqual({ code: null, objects: 0, offset: null })
  expect(readFileSync(fileOf(fileOfBlocks())).length).toBeGreaterThan(20)
})
