// @module-tag slow
/** What files are made of: numbers, planes, masks, locations; and files that are damaged or hostile. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync, zstdCompressSync } from 'node:zlib'
import { InputError, type Position, ServiceError } from '@skyscript/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GDAL, lacks } from '../../../test/support/needs.ts'
import { unpackLzw, unpackPackBits } from '../src/cog/unpack.ts'
import { projectionOf } from '../src/crs/projections.ts'
import { type CogSource, createCogImagery } from '../src/index.ts'
import { PIXEL_STATE } from '../src/pixel-state.ts'
import { agreement, cogSource, type Grid, gdal, gridAt, warped, writePicture } from './cog-set-up.ts'
import { type Entry, IN_DEGREES, inDegrees, type Picture, tiffImage, writeTiff } from './write-tiff.ts'

let folder: string
const at = (name: string) => join(folder, name)
const cog = createCogImagery({ maxConcurrent: 8, maxCloud: 20 })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cog-formats-'))
})
afterAll(async () => {
  await cog.close()
  await rm(folder, { recursive: true, force: true })
})

/** A grid with the file's own pixels, so that every value is known. */
const STEP = 1 / 8192
const [WEST, NORTH] = [7, 47]
const gridOf = (width: number, height: number): Grid => ({
  width,
  height,
  west: WEST,
  north: NORTH,
  stepX: STEP,
  stepY: STEP,
})
const PLACE = inDegrees(WEST, NORTH, STEP)
const rule = (x: number, y: number, band: number) => 1 + ((x * 7 + y * 13 + band * 29) % 200)
let files = 0

async function read(bytes: Buffer, changes: Partial<CogSource> = {}, grid = gridOf(50, 40)): Promise<Buffer> {
  const name = `${files++}.tif`
  await writeFile(at(name), bytes)
  return cog.pixels(cogSource({ files: [at(name)], gsd: 13, ...changes }), `tests/${name}`, grid)
}
const picture = (changes: Partial<Picture> = {}): Picture => ({
  width: 50,
  height: 40,
  rule,
  ...changes,
  entries: [...PLACE, ...(changes.entries ?? [])],
})
const stateAt = (pixels: Buffer, x: number, y: number, width = 50) => pixels[4 * (y * width + x) + 3]
function expected(state: (x: number, y: number) => number = () => PIXEL_STATE.clear, value = rule): Buffer {
  const pixels = Buffer.alloc(50 * 40 * 4)
  for (let i = 0; i < 50 * 40; i++) {
    const [x, y] = [i % 50, Math.floor(i / 50)]
    if (state(x, y) === PIXEL_STATE.masked) continue
    pixels.set([value(x, y, 0), value(x, y, 1), value(x, y, 2), state(x, y)], 4 * i)
  }
  return pixels
}

test.each([
  ['bytes', {}],
  ['separate planes', { planes: 'apart' }],
  ['zstd', { compression: [50000, (bytes: Buffer) => zstdCompressSync(bytes)] }],
  ['uncompressed', { compression: [1, (bytes: Buffer) => bytes] }],
  ['16 bits', { kind: 'uint16' }],
  ['16 bits, signed', { kind: 'int16' }],
  ['floats, separate planes', { kind: 'float32', planes: 'apart' }],
  ['tiles larger than the image', { tile: 64 }],
] as const)('%s: every pixel is at its place', async (_, changes) => {
  const pixels = await read(writeTiff([tiffImage(picture(changes as Partial<Picture>))]))
  expect(pixels.equals(expected())).toBe(true)
})

test('values are stretched between black and white in 256 steps, and clamped beyond', async () => {
  const numbers = [-500, 0, 199, 200, 1200, 3100, 3199.9, 3200, 9000]
  const file = picture({ kind: 'float32', rule: (x) => numbers[x % 9]! })
  const pixels = await read(writeTiff([tiffImage(file)]), { range: [200, 3200] })
  const stretched = numbers.map((value) => Math.max(0, Math.min(255, Math.floor((256 * (value - 200)) / 3000))))
  expect(stretched).toEqual([0, 0, 0, 0, 85, 247, 255, 255, 255])
  expect(Array.from({ length: 9 }, (_, x) => pixels[4 * x])).toEqual(stretched)
  // Three raw zeros are black, whatever colour the stretch gives them.
  expect(stateAt(pixels, 1, 0)).toBe(PIXEL_STATE.black)
  expect(stateAt(pixels, 0, 0)).toBe(PIXEL_STATE.clear)
})

describe('pixels without data are masked', () => {
  const half = (x: number) => (x < 20 ? PIXEL_STATE.masked : PIXEL_STATE.clear)

  test('by a nodata value in all bands', async () => {
    const holed = (x: number, y: number, band: number) => (x < 20 || (x === 30 && band === 1) ? 255 : rule(x, y, band))
    const pixels = await read(writeTiff([tiffImage(picture({ rule: holed, entries: [[42113, 2, '255']] }))]))
    expect(pixels.equals(expected(half, holed))).toBe(true)
  })

  test('by NaN', async () => {
    const holed = (x: number, y: number, band: number) => (x < 20 ? Number.NaN : rule(x, y, band))
    const pixels = await read(writeTiff([tiffImage(picture({ rule: holed, kind: 'float32' }))]))
    expect(pixels.equals(expected(half))).toBe(true)
  })

  test('by an alpha band', async () => {
    const four = (x: number, y: number, band: number) => (band < 3 ? rule(x, y, band) : x < 20 ? 0 : 1)
    const pixels = await read(writeTiff([tiffImage(picture({ rule: four, bands: 4, entries: [[338, 3, [2]]] }))]))
    expect(pixels.equals(expected(half))).toBe(true)
  })

  test('by a sparse tile, if the file has a nodata value', async () => {
    const missing = (x: number, y: number) => (x < 16 && y < 16 ? PIXEL_STATE.masked : PIXEL_STATE.clear)
    const sparse = picture({ without: [0], entries: [[42113, 2, '0']] })
    expect((await read(writeTiff([tiffImage(sparse)]))).equals(expected(missing))).toBe(true)
    const black = await read(writeTiff([tiffImage(picture({ without: [0] }))]))
    expect(stateAt(black, 3, 3)).toBe(PIXEL_STATE.black)
  })

  test('by a mask, with one for each overview', async () => {
    const level = (width: number, height: number, type: number, changes: Partial<Picture>): Picture => ({
      width,
      height,
      rule,
      ...changes,
      entries: [...(type === 0 ? PLACE : []), [254, 4, [type]]],
    })
    const hides = (until: number) => ({ bands: 1, rule: (x: number) => (x < until ? 0 : 255) })
    const bytes = writeTiff(
      [level(50, 40, 0, {}), level(50, 40, 4, hides(20)), level(25, 20, 1, {}), level(25, 20, 5, hides(15))].map(
        tiffImage,
      ),
    )
    expect((await read(bytes)).equals(expected(half))).toBe(true)
    const coarse = { ...gridOf(25, 20), stepX: 2 * STEP, stepY: 2 * STEP }
    const pixels = await read(bytes, { gsd: 28 }, coarse)
    expect([14, 15].map((x) => stateAt(pixels, x, 5, 25))).toEqual([PIXEL_STATE.masked, PIXEL_STATE.clear])
  })
})

test('the overview used is no coarser than the source’s pixels, whatever the grid', async () => {
  const level = (width: number, value: number, type: number): Picture => ({
    width,
    height: width,
    rule: () => value,
    entries: [...(type === 0 ? PLACE : []), [254, 4, [type]]],
  })
  const bytes = writeTiff([level(64, 10, 0), level(32, 20, 1), level(16, 40, 1)].map(tiffImage))
  const metres = STEP * 110_540
  for (const [times, value] of [
    [0.5, 10],
    [1, 10],
    [1.9, 10],
    [1.97, 20],
    [2, 20],
    [3.7, 20],
    [4, 40],
    [50, 40],
  ] as const) {
    for (const grid of [gridOf(16, 16), { ...gridOf(5, 5), stepX: 8 * STEP, stepY: 8 * STEP }])
      expect((await read(bytes, { gsd: metres * times }, grid))[0], `${times}`).toBe(value)
  }
})

test.each([
  ['2021:06:01 10:00:00', '2021-06-01T10:00:00.000Z'],
  ['2021-06-01 10:00:00', '2021-06-01T10:00:00.000Z'],
  ['2021:13:01 10:00:00', null],
  ['    :  :     :  :  ', null],
])('a time and a long description may be anywhere in the file: %s', async (text, said) => {
  const described: Entry[] = [
    [270, 2, 'so it is described '.repeat(200)],
    [306, 2, text],
  ]
  const bytes = writeTiff([tiffImage(picture({ width: 700, height: 500, entries: described }))])
  const file = at(`dated${files++}.tif`)
  await writeFile(file, bytes)
  const [found] = await cog.find(cogSource({ files: [file] }), [6, 46, 8, 48])
  expect(found!.time === null ? null : new Date(found!.time).toISOString()).toBe(said)
  expect((await read(bytes)).includes(PIXEL_STATE.masked)).toBe(false)
})

describe('the location of a file', () => {
  const placed = (...entries: Entry[]) => writeTiff([tiffImage({ width: 50, height: 40, rule, entries })])
  const scale: Entry = [33550, 12, [STEP, STEP, 0]]

  test('is read from a tie point at any pixel, at a pixel’s centre, or from a matrix', async () => {
    const all = expected()
    const tied = placed(scale, [33922, 12, [10, 5, 0, WEST + 10 * STEP, NORTH - 5 * STEP, 0]], IN_DEGREES)
    expect((await read(tied)).equals(all)).toBe(true)
    const point: Entry = [34735, 3, [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 2, 2048, 0, 1, 4326]]
    const middle = placed(scale, [33922, 12, [0, 0, 0, WEST + STEP / 2, NORTH - STEP / 2, 0]], point)
    expect((await read(middle)).equals(all)).toBe(true)
    const matrix: Entry = [34264, 12, [STEP, 0, 0, WEST, 0, -STEP, 0, NORTH, 0, 0, 0, 0, 0, 0, 0, 1]]
    expect((await read(placed(matrix, IN_DEGREES))).equals(all)).toBe(true)
  })

  test.each([
    [
      'rotated',
      [[34264, 12, [STEP, STEP / 9, 0, WEST, STEP / 9, -STEP, 0, NORTH, 0, 0, 0, 0, 0, 0, 0, 1]]],
      /rotated.*/,
    ],
    ['from south to north', [[34264, 12, [STEP, 0, 0, WEST, 0, STEP, 0, NORTH, 0, 0, 0, 0, 0, 0, 0, 1]]], /where/],
    ['nowhere', [], /where it is/],
  ] as const)('%s: refused with one sentence', async (_, entries, said) => {
    await expect(read(placed(...(entries as readonly Entry[]), IN_DEGREES))).rejects.toMatchObject({
      code: 'image-damaged',
      status: 400,
      message: expect.stringMatching(said),
    })
  })
})

test.each([
  ['a palette', 3],
  ['inks', 5],
  ['CIELab', 8],
  ['YCbCr', 6],
])('colours of type %s are refused, not shown as red, green and blue', async (name, photometric) => {
  const bytes = writeTiff([tiffImage(picture({ entries: [[262, 3, [photometric]]] }))])
  await expect(read(bytes)).rejects.toThrow(name)
})

test('a grid that needs many tiles is read in parts, with the same pixels', async () => {
  const size = 720
  const bytes = writeTiff([tiffImage(picture({ width: size, height: size }))])
  // 45 x 45 tiles of three bands exceed what is read at once.
  const pixels = await read(bytes, {}, gridOf(size, size))
  for (let i = 0; i < size * size; i += 101) {
    const [x, y] = [i % size, Math.floor(i / size)]
    expect([...pixels.subarray(4 * i, 4 * i + 4)]).toEqual([rule(x, y, 0), rule(x, y, 1), rule(x, y, 2), 255])
  }
}, 20_000)

describe('unpacking', () => {
  /** 9-bit codes, as the first 254 of a stream are. */
  const codes = (...all: number[]) => {
    const bits = all.map((code) => code.toString(2).padStart(9, '0')).join('')
    return Buffer.from(
      bits
        .padEnd(8 * Math.ceil(bits.length / 8), '0')
        .match(/.{8}/g)!
        .map((each) => Number.parseInt(each, 2)),
    )
  }

  test('LZW matches the TIFF 6.0 example, and a code may refer to the string being written', () => {
    expect([...new Uint8Array(unpackLzw(codes(256, 7, 258, 8, 8, 258, 6, 6, 257), 100))]).toEqual([
      7, 7, 7, 8, 8, 7, 7, 6, 6,
    ])
    expect(Buffer.from(unpackLzw(codes(256, 65, 258, 259, 257), 100)).toString()).toBe('AAAAAA')
    // An unknown code ends the stream; so does the end of the bytes.
    expect([...new Uint8Array(unpackLzw(codes(256, 7, 300, 8), 100))]).toEqual([7])
    expect([...new Uint8Array(unpackLzw(codes(256, 7, 8).subarray(0, 3), 100))]).toEqual([7])
  })

  test('PackBits matches its well-known example', () => {
    const packed = Buffer.from('FEAA0280002AFDAA0380002A22F7AA', 'hex')
    expect(Buffer.from(unpackPackBits(packed, 100)).toString('hex')).toBe(
      'aaaaaa80002aaaaaaaaa80002a22aaaaaaaaaaaaaaaaaaaa',
    )
    expect(new Uint8Array(unpackPackBits(Buffer.from([128, 0, 5]), 10))).toEqual(Uint8Array.of(5))
  })

  test('output that would fill memory stops at the limit', () => {
    const packed = Buffer.alloc(2 ** 20, 0x81)
    expect(() => unpackPackBits(packed, 2 ** 16)).toThrow('more than 65536 bytes')
    const codes = Array.from({ length: 3000 }, (_, i) => (i === 0 ? 256 : i === 1 ? 65 : 256 + i))
    const bits = codes.map((code, i) => code.toString(2).padStart(i < 255 ? 9 : i < 767 ? 10 : i < 1791 ? 11 : 12, '0'))
    const bytes = bits
      .join('')
      .match(/.{8}/g)!
      .map((each) => Number.parseInt(each, 2))
    expect(() => unpackLzw(Buffer.from(bytes), 2 ** 20)).toThrow('more than 1048576 bytes')
  })
})

describe('hostile files', () => {
  const refusal = async (bytes: Buffer, changes: Partial<CogSource> = {}) => {
    const from = performance.now()
    const error = await read(bytes, changes).then(
      () => null,
      (reason) => reason as ServiceError,
    )
    expect(performance.now() - from).toBeLessThan(2000)
    return error
  }
  const damaged = { code: 'image-damaged', status: 400, retry: false }

  test('a tile that unpacks endlessly', async () => {
    const bomb = deflateSync(Buffer.alloc(100 * 2 ** 20))
    const bytes = writeTiff([tiffImage(picture({ compression: [8, () => bomb], tile: 64 }))])
    expect(await refusal(bytes)).toMatchObject(damaged)
  })

  test('tiles as large as the Earth, and millions of one-pixel tiles', async () => {
    const huge: Entry[] = [
      [322, 4, [2 ** 20]],
      [323, 4, [2 ** 20]],
    ]
    expect(await refusal(writeTiff([tiffImage(picture({ entries: huge }))]))).toMatchObject(damaged)
    const wide: Entry[] = [
      [256, 4, [2 ** 31]],
      [257, 4, [2 ** 31]],
    ]
    const found = await refusal(writeTiff([tiffImage(picture({ entries: wide }))]))
    expect(found === null || found.code === 'image-damaged').toBe(true)
  })

  test('directories that form a cycle', async () => {
    const bytes = writeTiff([tiffImage(picture())])
    const directory = bytes.readUInt32LE(4)
    bytes.writeUInt32LE(directory, directory + 2 + 12 * bytes.readUInt16LE(directory))
    expect(await refusal(bytes)).toBeNull()
  })

  test('300 seeded mutations of a tiled, masked file with overviews: pixels or a proper error, within two seconds', async () => {
    const images = [
      picture({ entries: [[254, 4, [0]]] }),
      { ...picture({ bands: 1, rule: () => 255 }), entries: [[254, 4, [4]]] as Entry[] },
      { width: 25, height: 20, rule, entries: [[254, 4, [1]]] as Entry[] },
    ]
    const good = writeTiff(images.map(tiffImage))
    let seed = 7
    const draw = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return Math.floor((seed / 2 ** 32) * below)
    }
    let refused = 0
    for (let round = 0; round < 300; round++) {
      const bad = Buffer.from(good)
      for (let i = 0; i < 3; i++) bad[draw(bad.length)] = draw(256)
      const bytes = draw(5) === 0 ? bad.subarray(0, draw(bad.length)) : bad
      const error = await refusal(bytes, { gsd: draw(2) === 0 ? 13 : 28 })
      if (error === null) continue
      refused++
      expect(error instanceof ServiceError || (error as unknown) instanceof InputError, String(error)).toBe(true)
    }
    expect(refused).toBeGreaterThan(30)
  }, 60_000)
})

describe.skipIf(lacks(GDAL))('compared with gdalwarp', () => {
  const BERN: [number, number] = [7.44, 46.95]
  const tiled = ['-of', 'GTiff', '-co', 'TILED=YES']

  async function make(name: string, epsg: number, place: Position, ...options: string[]): Promise<CogSource> {
    const [x, y] = projectionOf(epsg, name).forward(place)
    await writePicture(at('picture.ppm'), 700, 500)
    const corners = ['-a_srs', `EPSG:${epsg}`, '-a_ullr', x - 3500, y + 2500, x + 3500, y - 2500]
    await gdal('gdal_translate', ...corners, ...options, at('picture.ppm'), at(name))
    return cogSource({ files: [at(name)] })
  }

  test.each([
    ['strips of JPEG in YCbCr', ['-of', 'GTiff', '-co', 'COMPRESS=JPEG', '-co', 'PHOTOMETRIC=YCBCR']],
    ['JPEG in RGB', [...tiled, '-co', 'COMPRESS=JPEG', '-co', 'PHOTOMETRIC=RGB']],
    ['JPEG, separate planes', [...tiled, '-co', 'COMPRESS=JPEG', '-co', 'INTERLEAVE=BAND']],
    ['deflate, separate planes', [...tiled, '-co', 'COMPRESS=DEFLATE', '-co', 'INTERLEAVE=BAND']],
    ['strips of LZW, predicted', ['-of', 'GTiff', '-co', 'COMPRESS=LZW', '-co', 'PREDICTOR=2']],
    ['strips of PackBits', ['-of', 'GTiff', '-co', 'COMPRESS=PACKBITS']],
    ['16 bits, signed, predicted', [...tiled, '-ot', 'Int16', '-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=2']],
    ['floats, predicted', [...tiled, '-ot', 'Float32', '-co', 'COMPRESS=ZSTD', '-co', 'PREDICTOR=3']],
    ['BigTIFF', [...tiled, '-co', 'BIGTIFF=YES', '-co', 'COMPRESS=LZW']],
    ['big-endian', [...tiled, '-ot', 'UInt16', '-co', 'ENDIANNESS=BIG', '-co', 'COMPRESS=DEFLATE']],
  ] as const)('%s: at least 99.9 % of pixels are equal', async (name, options) => {
    const source = await make(`${name}.tif`, 32632, BERN, ...options)
    const grid = gridAt(BERN, 10, 300, 200)
    await gdal('gdal_translate', '-ot', 'Byte', '-of', 'GTiff', source.files[0]!, at('bytes.tif'))
    const theirs = await warped(at('bytes.tif'), grid, folder)
    expect(agreement(await cog.pixels(source, `tests/${name}.tif`, grid), theirs)).toBeGreaterThan(0.999)
  })

  test.each([
    [2056, BERN],
    [3857, BERN],
    [32632, BERN],
    [28992, [5.5, 52.2]],
    [5514, [16, 49.5]],
  ] as const)('EPSG:%i: an overview’s pixels are where gdalwarp has them', async (epsg, place) => {
    const options = ['-of', 'COG', '-co', 'COMPRESS=DEFLATE', '-co', 'RESAMPLING=NEAREST', '-co', 'BLOCKSIZE=128']
    const source = await make(`overviews-${epsg}.tif`, epsg, place as Position, ...options)
    // Mercator metres are shorter on the ground.
    const gsd = epsg === 3857 ? 14 : 20
    const grid = gridAt(place, gsd, 120, 90)
    const theirs = await warped(source.files[0]!, grid, folder, '-ovr', '0')
    const ours = await cog.pixels({ ...source, gsd }, `tests/overviews-${epsg}.tif`, grid)
    expect(agreement(ours, theirs)).toBeGreaterThan(0.999)
  })
})
