// @module-tag slow
/** Every pixel encoding that GDAL writes is either read to GDAL's values or refused by name. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GDAL, lacks } from '../../../test/support/needs.ts'
import { localBytes } from '../src/cog/file-bytes.ts'
import { openGeotiff } from '../src/cog/geotiff-file.ts'
import { checkNumbers, numbersOf } from '../src/cog/numbers.ts'
import { gdal } from './cog-set-up.ts'

let folder: string
const at = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cog-encodings-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const [WIDTH, HEIGHT, STEP] = [110, 70, 1 / 8192]

/** Files with a raw picture of 32-bit floats, pixel after pixel, from 1 up to `most`. */
const written = new Set<string>()
async function writeRaw(name: string, bands: number, most: number): Promise<void> {
  if (written.has(name)) return
  written.add(name)
  const values = Float32Array.from({ length: WIDTH * HEIGHT * bands }, (_, i) => {
    const [pixel, band] = [Math.floor(i / bands), i % bands]
    const [x, y] = [pixel % WIDTH, Math.floor(pixel / WIDTH)]
    return 1 + ((((x * 7 + y * 13 + band * 29 + ((x * y) >> 4)) % 997) * 2654435) % most)
  })
  await writeFile(at(`${name}.img`), Buffer.from(values.buffer))
  const header = [
    'ENVI',
    `samples = ${WIDTH}`,
    `lines = ${HEIGHT}`,
    `bands = ${bands}`,
    'header offset = 0',
    'data type = 4',
  ]
  await writeFile(at(`${name}.hdr`), [...header, 'interleave = bip', 'byte order = 0', ''].join('\n'))
}

/** All values as GDAL reads them, pixel after pixel. */
async function byGdal(file: string, bands: readonly number[]): Promise<Float32Array> {
  const chosen = bands.flatMap((band) => ['-b', band])
  await gdal('gdal_translate', '-of', 'ENVI', '-ot', 'Float32', '-co', 'INTERLEAVE=BIP', ...chosen, file, at('all.bin'))
  const bytes = await readFile(at('all.bin'))
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer)
}

/** The same by our reader. */
async function byUs(file: string, bands: readonly number[]) {
  const geotiff = await openGeotiff(localBytes(file), file)
  const count = WIDTH * HEIGHT
  const places = {
    x: Float64Array.from({ length: count }, (_, i) => 7 + ((i % WIDTH) + 0.5) * STEP),
    y: Float64Array.from({ length: count }, (_, i) => 47 - (Math.floor(i / WIDTH) + 0.5) * STEP),
  }
  const { values, valid } = await geotiff.valuesAt(places, bands, 0.001)
  return {
    values: Float32Array.from(
      { length: count * bands.length },
      (_, i) => values[i % bands.length]![Math.floor(i / bands.length)]!,
    ),
    valid,
  }
}

let files = 0
async function make(bands: number, most: number, ...options: (string | number)[]): Promise<string> {
  const name = `raw-${bands}-${most}`
  await writeRaw(name, bands, most)
  const file = at(`${files++}.tif`)
  const place = ['-a_srs', 'EPSG:4326', '-a_ullr', 7, 47, 7 + WIDTH * STEP, 47 - HEIGHT * STEP]
  await gdal('gdal_translate', ...place, ...options, at(`${name}.img`), file)
  return file
}
const co = (...all: string[]) => all.flatMap((each) => ['-co', each])
const tiled = co('TILED=YES', 'BLOCKXSIZE=32', 'BLOCKYSIZE=48')

describe.skipIf(lacks(GDAL))('compared with gdal_translate', () => {
  test.each([
    ...[1, 3, 4, 7].map((bits) => [`${bits} bits`, 3, 2 ** bits - 1, ['-ot', 'Byte', ...co(`NBITS=${bits}`)]] as const),
    ...[10, 12, 15].map(
      (bits) => [`${bits} bits`, 3, 2 ** bits - 1, ['-ot', 'UInt16', ...co(`NBITS=${bits}`)]] as const,
    ),
    ...[17, 24, 31].map(
      (bits) => [`${bits} bits`, 3, 2 ** Math.min(bits, 24) - 1, ['-ot', 'UInt32', ...co(`NBITS=${bits}`)]] as const,
    ),
    ['24 bits, big-endian', 3, 2 ** 24 - 1, ['-ot', 'UInt32', ...co('NBITS=24', 'ENDIANNESS=BIG')]],
    ['12 bits, big-endian', 3, 4095, ['-ot', 'UInt16', ...co('NBITS=12', 'ENDIANNESS=BIG')]],
    ['12 bits, separate planes', 3, 4095, ['-ot', 'UInt16', ...co('NBITS=12', 'INTERLEAVE=BAND')]],
    ['12 bits of one band', 1, 4095, ['-ot', 'UInt16', ...co('NBITS=12')]],
    ['12 bits of five bands', 5, 4095, ['-ot', 'UInt16', ...co('NBITS=12')]],
    ['16-bit floats', 3, 2047, ['-ot', 'Float32', ...co('NBITS=16')]],
    ['16-bit floats, big-endian', 3, 2047, ['-ot', 'Float32', ...co('NBITS=16', 'ENDIANNESS=BIG')]],
    ['16-bit floats, predicted', 3, 2047, ['-ot', 'Float32', ...co('NBITS=16', 'PREDICTOR=3')]],
    ['64-bit floats', 3, 9999, ['-ot', 'Float64']],
    ['64-bit floats, predicted', 3, 9999, ['-ot', 'Float64', ...co('PREDICTOR=3')]],
    ['floats, predicted by differences', 3, 9999, ['-ot', 'Float32', ...co('PREDICTOR=2')]],
    ['floats, big-endian and predicted', 3, 9999, ['-ot', 'Float32', ...co('PREDICTOR=3', 'ENDIANNESS=BIG')]],
    ['floats, predicted, separate planes', 3, 9999, ['-ot', 'Float32', ...co('PREDICTOR=3', 'INTERLEAVE=BAND')]],
    ['16 bits, big-endian and predicted', 3, 60_000, ['-ot', 'UInt16', ...co('PREDICTOR=2', 'ENDIANNESS=BIG')]],
    ['16 bits, big-endian', 3, 60_000, ['-ot', 'UInt16', ...co('ENDIANNESS=BIG')]],
    ['32 bits, predicted', 3, 9e6, ['-ot', 'UInt32', ...co('PREDICTOR=2')]],
    ['32 bits, signed, big-endian', 3, 9e6, ['-ot', 'Int32', ...co('ENDIANNESS=BIG', 'PREDICTOR=2')]],
    ['64 bits', 3, 9e6, ['-ot', 'UInt64']],
    ['64 bits, signed, predicted', 3, 9e6, ['-ot', 'Int64', ...co('PREDICTOR=2')]],
    ['8 bits, signed', 3, 100, ['-ot', 'Byte', ...co('PIXELTYPE=SIGNEDBYTE')]],
    ['8 bits, predicted, four bands', 4, 255, ['-ot', 'Byte', ...co('PREDICTOR=2')]],
    ['BigTIFF, big-endian', 3, 255, ['-ot', 'Byte', ...co('BIGTIFF=YES', 'ENDIANNESS=BIG')]],
  ] as readonly (readonly [string, number, number, readonly string[]])[])(
    '%s: every value is equal, in tiles and in strips',
    async (_, bands, most, options) => {
      const isPredicted = options.some((each) => each.startsWith('PREDICTOR'))
      for (const [layout, packing] of [
        [tiled, 'DEFLATE'],
        [co('BLOCKYSIZE=37'), isPredicted ? 'LZW' : 'NONE'],
      ] as const) {
        const file = await make(bands, most, ...layout, ...co(`COMPRESS=${packing}`), ...options)
        const all = Array.from({ length: bands }, (_, i) => i + 1)
        const { values, valid } = await byUs(file, all)
        expect(valid.every((each) => each === 1)).toBe(true)
        const expected = await byGdal(file, all)
        expect(
          values.findIndex((value, i) => value !== expected[i]),
          packing,
        ).toBe(-1)
      }
    },
  )

  test.each([
    ['WebP, lossless', 3, ['COMPRESS=WEBP', 'WEBP_LOSSLESS=YES'], 0],
    ['WebP', 3, ['COMPRESS=WEBP', 'WEBP_LEVEL=80'], 0],
    ['WebP with alpha', 4, ['COMPRESS=WEBP', 'WEBP_LOSSLESS=YES'], 0],
    ['JPEG with four bands', 4, ['COMPRESS=JPEG', 'PHOTOMETRIC=MINISBLACK', 'JPEG_QUALITY=95'], 1],
    ['JPEG with four bands, the fourth infrared', 4, ['COMPRESS=JPEG', 'PHOTOMETRIC=RGB', 'ALPHA=UNSPECIFIED'], 1],
    ['JPEG in CMYK', 4, ['COMPRESS=JPEG', 'PHOTOMETRIC=CMYK', 'JPEG_QUALITY=95'], 1],
    ['inks', 4, ['COMPRESS=LZW', 'PHOTOMETRIC=CMYK'], 0],
    ['CMYK, separate planes', 4, ['COMPRESS=LZW', 'PHOTOMETRIC=CMYK', 'INTERLEAVE=BAND'], 0],
  ] as const)('%s: red, green and blue are GDAL’s', async (_, bands, options, spread) => {
    for (const layout of [co('TILED=YES', 'BLOCKXSIZE=32', 'BLOCKYSIZE=48'), []]) {
      const file = await make(bands, 250, '-ot', 'Byte', ...layout, ...co(...options))
      const { values, valid } = await byUs(file, [1, 2, 3])
      expect(valid.every((each) => each === 1)).toBe(true)
      const expected = await byGdal(file, [1, 2, 3])
      expect(values.findIndex((value, i) => Math.abs(value - expected[i]!) > spread)).toBe(-1)
    }
  })

  test('a band is alpha only if the file says so and it is not requested as a colour', async () => {
    const valid = async (file: string, bands: number[]) =>
      (await byUs(file, bands)).valid.reduce((sum, each) => sum + each, 0)
    await writeRaw('four', 4, 250)
    const file = async (...options: string[]) => {
      const bytes = await readFile(at('four.img'))
      const values = new Float32Array(
        bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
      )
      for (let i = 3; i < values.length; i += 8) values[i] = 0
      await writeFile(at('four.img'), Buffer.from(values.buffer))
      const name = at(`${files++}.tif`)
      const place = ['-a_srs', 'EPSG:4326', '-a_ullr', 7, 47, 7 + WIDTH * STEP, 47 - HEIGHT * STEP]
      await gdal('gdal_translate', ...place, '-ot', 'Byte', ...co(...options), at('four.img'), name)
      return name
    }
    const all = WIDTH * HEIGHT
    const infrared = await file('PHOTOMETRIC=RGB', 'ALPHA=UNSPECIFIED')
    const opacity = await file('PHOTOMETRIC=RGB', 'ALPHA=YES')
    expect([await valid(infrared, [1, 2, 3]), await valid(infrared, [4, 1, 2])]).toEqual([all, all])
    expect([await valid(opacity, [1, 2, 3]), await valid(opacity, [4, 1, 2])]).toEqual([all / 2, all])
  })

  test.each([
    ['LERC', ['-ot', 'Float32', ...co('COMPRESS=LERC')]],
    ['LZMA', ['-ot', 'Byte', ...co('COMPRESS=LZMA')]],
    ['complex', ['-ot', 'CFloat32']],
    ['CIELab', ['-ot', 'Byte', ...co('PHOTOMETRIC=CIELAB')]],
  ] as const)('%s: refused by name', async (name, options) => {
    const file = await make(3, 250, ...options)
    await expect(byUs(file, [1, 2, 3])).rejects.toMatchObject({
      code: 'image-damaged',
      message: expect.stringContaining(name),
    })
  })

  test('YCbCr outside JPEG: refused by name', async () => {
    const file = await make(3, 250, '-ot', 'Byte', ...co('COMPRESS=LZW', 'PHOTOMETRIC=RGB'))
    // GDAL can't write it, so the photometric interpretation is changed from RGB to YCbCr.
    const bytes = await readFile(file)
    const entry = bytes.indexOf(Buffer.from('060103000100000002000000', 'hex'))
    expect(entry).toBeGreaterThan(0)
    bytes[entry + 8] = 6
    await writeFile(file, bytes)
    await expect(byUs(file, [1, 2, 3])).rejects.toMatchObject({
      code: 'image-damaged',
      message: expect.stringContaining('YCbCr'),
    })
  })
})

test('unsupported number formats are named', () => {
  expect(() => checkNumbers({ bits: 24, format: 3, predictor: 1 })).toThrow('floating-point numbers have 24 bits')
  expect(() => checkNumbers({ bits: 12, format: 2, predictor: 1 })).toThrow('signed numbers have 12 bits')
  expect(() => checkNumbers({ bits: 12, format: 1, predictor: 2 })).toThrow('12 bits have predictor 2')
  expect(() => checkNumbers({ bits: 8, format: 1, predictor: 3 })).toThrow('predictor 3')
  expect(() => checkNumbers({ bits: 128, format: 6, predictor: 1 })).toThrow('sample format 6')
})

test('numbers of any bit width unpack to what was packed, with rows padded to a byte', () => {
  const shape = fc.record({
    bits: fc.integer({ min: 1, max: 31 }).filter((bits) => ![8, 16, 24].includes(bits)),
    samples: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(),
  })
  fc.assert(
    fc.property(shape, ({ bits, samples, width, height, seed }) => {
      const numbers = Array.from({ length: samples * width * height }, (_, i) => ((i + 1) * (seed + 7919)) % 2 ** bits)
      const text = Array.from({ length: height }, (_, y) => {
        const line = numbers.slice(y * samples * width, (y + 1) * samples * width)
        const all = line.map((value) => value.toString(2).padStart(bits, '0')).join('')
        return all.padEnd(8 * Math.ceil(all.length / 8), '0')
      }).join('')
      const bytes = Uint8Array.from(text.match(/.{8}/g)!, (each) => Number.parseInt(each, 2))
      const layout = { bits, format: 1, littleEndian: seed % 2 === 0, predictor: 1, samples, width, height }
      expect(Array.from(numbersOf(bytes, layout))).toEqual(numbers)
      expect(() => numbersOf(bytes.subarray(1), layout)).toThrow('of')
    }),
  )
})
