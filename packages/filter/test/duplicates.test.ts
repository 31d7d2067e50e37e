import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, silentProgress } from '@skyscript/core'
import fc from 'fast-check'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { decodeRgb } from '../src/clip/preprocess.ts'
import { readBenchmarkImages } from '../src/duplicates/benchmark-images.ts'
import { findDuplicates } from '../src/duplicates/find-duplicates.ts'
import {
  createHashColumn,
  exactDuplicates,
  type Hashes,
  matchAgainst,
  nearDuplicates,
  repeatedCaptions,
} from '../src/duplicates/near-duplicates.ts'
import { perceptualHash } from '../src/duplicates/perceptual-hash.ts'
import { assembled, folderStorage, rowOf } from './support/dataset.ts'
import { temporaryFolder } from './support/models.ts'

const hashesOf = (list: readonly bigint[]): Hashes => {
  const column = createHashColumn(list.length)
  for (const hash of list) column.add(hash.toString(16).padStart(16, '0'))
  return column.end()
}

const distance = (a: bigint, b: bigint) => (a ^ b).toString(2).replaceAll('0', '').length

/** Hashes in crowds: some bits of a few others flipped, so that there are distances from 0 on. */
const crowd = fc
  .tuple(
    fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(3), fc.array(fc.nat(63), { maxLength: 5 })), { maxLength: 120 }),
  )
  .map(([seeds, flips]) =>
    flips.map(([seed, bits]) => bits.reduce((hash, bit) => hash ^ (1n << BigInt(bit)), seeds[seed % seeds.length]!)),
  )

/** All hashes of ten bits or so: buckets that no band divides. */
const narrow = fc
  .array(fc.integer({ min: 0, max: 4095 }), { minLength: 60, maxLength: 300 })
  .map((list) => list.map((value) => BigInt(value) << 20n))

function groupsByEach(list: readonly bigint[]): number[] {
  const first = list.map((_, i) => i)
  const root = (i: number): number => (first[i] === i ? i : root(first[i]!))
  for (let a = 0; a < list.length; a++) {
    for (let b = 0; b < a; b++) {
      if (distance(list[a]!, list[b]!) > 4) continue
      const [x, y] = [root(a), root(b)]
      first[Math.max(x, y)] = Math.min(x, y)
    }
  }
  return list.map((_, i) => root(i))
}

test.each([
  ['crowds', crowd],
  ['hashes of few bits', narrow],
] as const)('near-duplicates among %s are those that comparing each with each finds', (_, lists) => {
  fc.assert(
    fc.property(lists, (list) => {
      const due = groupsByEach(list)
      const found = nearDuplicates(hashesOf(list))
      expect([...found.firstOf]).toEqual(due)
      const sizes = [...Map.groupBy(due, (root) => root).values()].map((rows) => rows.length).filter((n) => n > 1)
      expect(found.images).toBe(sizes.reduce((sum, n) => sum + n, 0))
      expect(found.groups).toBe(sizes.length)
      expect(found.largest).toBe(Math.max(0, ...sizes))
    }),
    { numRuns: 60 },
  )
})

test.each([
  ['crowds', crowd],
  ['hashes of few bits', narrow],
] as const)('the nearest image of a benchmark among %s is that of comparing each with each', (_, lists) => {
  fc.assert(
    fc.property(lists, lists, (rows, benchmark) => {
      const due = rows.map((row) => {
        const distances = benchmark.map((image) => distance(row, image))
        const least = Math.min(...distances)
        return least <= 4 ? distances.indexOf(least) : -1
      })
      expect([...matchAgainst(hashesOf(rows), hashesOf(benchmark))]).toEqual(due)
    }),
    { numRuns: 60 },
  )
})

test('equal files and repeated captions are counted', () => {
  const list = [5n, 7n, 5n, 9n, 7n, 5n].map((value) => value << 33n)
  expect(exactDuplicates(hashesOf(list))).toMatchObject({ images: 5, groups: 2, largest: 3 })
  expect(repeatedCaptions(hashesOf(list))).toEqual({ pairs: 5, distinct: 3, most: 3 })
  expect(repeatedCaptions(hashesOf([]))).toEqual({ pairs: 0, distinct: 0, most: 0 })
})

/** Patches of all brightnesses that run into one another, as fields and woods do. */
async function scene(seed: number, side = 300): Promise<Buffer> {
  const grid = 14
  const patches = Buffer.from(
    Array.from({ length: grid * grid * 3 }, (_, i) => Math.imul(i * 3 + 1, 2_654_435_761 * (2 * seed + 1)) >>> 24),
  )
  return sharp(patches, { raw: { width: grid, height: grid, channels: 3 } })
    .resize(side, side)
    .jpeg({ quality: 90 })
    .toBuffer()
}

const hashOfImage = async (bytes: Uint8Array) => BigInt(`0x${perceptualHash(await decodeRgb(bytes))}`)

test('one picture in another size, quality or brightness is near, and another picture is not', async () => {
  const hashes: bigint[] = []
  for (let seed = 0; seed < 8; seed++) {
    const jpeg = await scene(seed)
    const hash = await hashOfImage(jpeg)
    const others = [
      sharp(jpeg).jpeg({ quality: 60 }),
      sharp(jpeg).resize(220, 220),
      sharp(jpeg).resize(380, 380),
      sharp(jpeg).modulate({ brightness: 1.03 }),
      sharp(jpeg).png(),
    ]
    for (const other of others) expect(distance(hash, await hashOfImage(await other.toBuffer()))).toBeLessThanOrEqual(4)
    for (const different of hashes) expect(distance(hash, different)).toBeGreaterThan(4)
    hashes.push(hash)
  }
})

test('a flat image has one hash whatever its colour and size, and a single pixel has one', async () => {
  for (const [width, height, value] of [
    [300, 200, 90],
    [17, 400, 90],
    [1, 1, 7],
    [33, 31, 255],
  ] as const) {
    const data = new Uint8Array(width * height * 3).fill(value)
    expect(perceptualHash({ data, width, height })).toBe('8000000000000000')
  }
})

test("a benchmark's folder is read with those in it, and what can't be read is listed", async () => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'AID', 'Airport'), { recursive: true })
  const [a, b] = [await scene(1), await scene(2)]
  await writeFile(join(folder, 'AID', 'Airport', 'airport_1.JPG'), a)
  await writeFile(join(folder, 'beach.tif'), await sharp(b).tiff().toBuffer())
  await writeFile(join(folder, 'broken.png'), 'no image')
  await writeFile(join(folder, 'README.txt'), 'about')
  const read = await readBenchmarkImages(folder, silentProgress)
  expect(read.files).toEqual(['AID/Airport/airport_1.JPG', 'beach.tif'])
  expect(read.unreadable.map(({ file }) => file)).toEqual(['broken.png'])
  const rows = hashesOf([await hashOfImage(await sharp(b).jpeg({ quality: 70 }).toBuffer()), await hashOfImage(a)])
  expect([...matchAgainst(rows, read.hashes)]).toEqual([1, 0])
  expect((await readBenchmarkImages(folder, silentProgress)).fingerprint).toBe(read.fingerprint)
  for (const wrong of [join(folder, 'gone'), join(folder, 'README.txt')])
    await expect(readBenchmarkImages(wrong, silentProgress)).rejects.toThrow(InputError)
})

test('of stored pairs the summary counts files, looks and titles', async () => {
  const list = Array.from({ length: 12 }, (_, i) =>
    rowOf(`n${i}`, {
      phash: i < 4 ? `000000000000000${i}` : `${i.toString(16)}f0f0f0f0f0f0f0f`,
      title: `a title ${i % 5}`,
    }),
  )
  const { folder } = await assembled(list)
  expect(await findDuplicates(folderStorage(folder))).toMatchObject({
    exact: { images: 12, groups: 1 },
    near: { groups: 2, largest: 8 },
    captions: { pairs: 12, distinct: 5, most: 3 },
  })
})
