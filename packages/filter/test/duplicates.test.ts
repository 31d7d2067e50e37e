import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentProgress } from '@skyscript/core'
import fc from 'fast-check'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { decodeRgb } from '../src/clip/preprocess.ts'
import { readBenchmarkImages } from '../src/duplicates/benchmark-images.ts'
import { findDuplicates } from '../src/duplicates/find-duplicates.ts'
import { createHashColumn, type Hashes } from '../src/duplicates/hashes.ts'
import { exactDuplicates, matchAgainst, nearDuplicates, repeatedCaptions } from '../src/duplicates/near-duplicates.ts'
import { perceptualHash } from '../src/duplicates/perceptual-hash.ts'
import { assembled, folderStorage, rowOf } from './support/dataset.ts'
import { temporaryFolder } from './support/models.ts'

const hashesOf = (list: readonly bigint[]): Hashes => {
  const column = createHashColumn(list.length)
  for (const hash of list) column.add(hash.toString(16).padStart(16, '0'))
  return column.end()
}

const distance = (a: bigint, b: bigint) => (a ^ b).toString(2).replaceAll('0', '').length

/** Hashes in crowds: a few hashes with some bits flipped, so that distances start at 0. */
const crowd = fc
  .tuple(
    fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(3), fc.array(fc.nat(63), { maxLength: 5 })), { maxLength: 120 }),
  )
  .map(([seeds, flips]) =>
    flips.map(([seed, bits]) => bits.reduce((hash, bit) => hash ^ (1n << BigInt(bit)), seeds[seed % seeds.length]!)),
  )

/** Hashes that differ only in about ten bits: buckets that no band divides. */
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
  ['hashes with few bits', narrow],
] as const)('near-duplicates among %s match a comparison of all pairs', (_, lists) => {
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
  ['hashes with few bits', narrow],
] as const)('the nearest benchmark image among %s matches a comparison of all pairs', (_, lists) => {
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

const bitsApart = (a: Hashes, i: number, b: Hashes, j: number) => {
  let bits = 0
  for (let x = a.high[i]! ^ b.high[j]!; x !== 0; x &= x - 1) bits++
  for (let x = a.low[i]! ^ b.low[j]!; x !== 0; x &= x - 1) bits++
  return bits
}

/** `count` hashes, each with up to `flips` of its `width` lowest bits flipped from a hash in which all others are set. */
function wideCrowd(count: number, width: number, flips: number, seed: number): Hashes {
  const random = fc.sample(fc.nat(2 ** 30 - 1), { numRuns: count * (flips + 1), seed })
  return hashesOf(
    Array.from({ length: count }, (_, row) => {
      let hash = 2n ** 64n - 2n ** BigInt(width)
      const draws = random.slice(row * (flips + 1), (row + 1) * (flips + 1))
      for (const draw of draws.slice(1, 1 + (draws[0]! % (flips + 1)))) hash ^= 1n << BigInt(draw % width)
      return hash
    }),
  )
}

/** Code words at least 5 bits apart (the shortened BCH code of 31 bits): near, and none near enough. */
function codeWords(count: number): Hashes {
  const generator = 0b11101101001n
  return hashesOf(
    Array.from({ length: count }, (_, message) => {
      let word = 0n
      for (let bit = 0n; bit < 21n; bit++) if ((BigInt(message) >> bit) & 1n) word ^= generator << bit
      return word << 16n
    }),
  )
}

test.each([
  ['a crowd in 64 bits', () => wideCrowd(1500, 64, 8, 51), [0, 1, 2, 4, 7]],
  ['a crowd in 24 bits', () => wideCrowd(2000, 24, 9, 52), [1, 4]],
  ['code words', () => codeWords(2048), [4, 5]],
] as const)('%s: buckets that must be divided again hide no pair, at any distance', (_, make, distances) => {
  const hashes = make()
  const rows = hashes.high.length
  const benchmark = { high: hashes.high.slice(0, 600).reverse(), low: hashes.low.slice(0, 600).reverse() }
  for (let i = 0; i < 600; i += 3) benchmark.low[i]! ^= 0x30000
  for (const most of distances) {
    const firstOf = Uint32Array.from({ length: rows }, (_, row) => row)
    const root = (row: number): number => (firstOf[row] === row ? row : (firstOf[row] = root(firstOf[row]!)))
    for (let a = 0; a < rows; a++) {
      for (let b = 0; b < a; b++) {
        if (bitsApart(hashes, a, hashes, b) > most) continue
        const [x, y] = [root(a), root(b)]
        firstOf[Math.max(x, y)] = Math.min(x, y)
      }
    }
    expect(nearDuplicates(hashes, { distance: most }).firstOf).toEqual(firstOf.map((_, row) => root(row)))
    const nearest = Int32Array.from({ length: rows }, (_, row) => {
      let [found, least] = [-1, most + 1]
      for (let i = 0; i < 600; i++) {
        const bits = bitsApart(hashes, row, benchmark, i)
        if (bits < least) [found, least] = [i, bits]
      }
      return found
    })
    expect(matchAgainst(hashes, benchmark, most)).toEqual(nearest)
  }
})

test('text without 16 leading hex digits is refused, and only the first 64 bits of a sha256 are used', () => {
  const column = createHashColumn(2)
  column.add('FFFFFFFE00000001'.padEnd(64, '7'))
  expect(column.end()).toEqual({ high: Uint32Array.of(0xfffffffe), low: Uint32Array.of(1) })
  for (const wrong of ['', '0123456789abcde', '0123456789abcdeg', '0123456789abcdé0'])
    expect(() => column.add(wrong)).toThrow(RangeError)
})

test('equal files and repeated captions are counted', () => {
  const list = [5n, 7n, 5n, 9n, 7n, 5n].map((value) => value << 33n)
  expect(exactDuplicates(hashesOf(list))).toMatchObject({ images: 5, groups: 2, largest: 3 })
  expect(repeatedCaptions(hashesOf(list))).toEqual({ pairs: 5, distinct: 3, most: 3 })
  expect(repeatedCaptions(hashesOf([]))).toEqual({ pairs: 0, distinct: 0, most: 0 })
})

/** Patches of all brightnesses that blend into each other, like fields and woods. */
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

test('a picture in another size, quality or brightness is near, and another picture is not', async () => {
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

test('a flat image has the same hash for any colour and size, and a single pixel has one', async () => {
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

test("a benchmark's folder is read with its subfolders, and unreadable files are listed", async () => {
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
    await expect(readBenchmarkImages(wrong, silentProgress)).rejects.toMatchObject({
      code: 'bad-exclude',
      message: expect.stringContaining(`${wrong} is not a folder; name the folder`),
    })
})

test('links are followed, but not in cycles; BMP files, broken links and empty files are listed with the reason', async () => {
  const [folder, elsewhere] = [await temporaryFolder(), await temporaryFolder()]
  const jpeg = await scene(3)
  await writeFile(join(elsewhere, 'a.jpeg'), jpeg)
  await symlink(elsewhere, join(folder, 'linked'))
  await symlink(folder, join(folder, 'round'))
  await symlink(join(folder, 'gone'), join(folder, 'dead'))
  await writeFile(join(folder, 'b.bmp'), Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]))
  await writeFile(join(folder, 'c.png'), '')
  await writeFile(join(folder, 'd.bmp'), jpeg)
  await writeFile(join(folder, 'e.jpg'), await sharp(jpeg).gif().toBuffer())
  const progress: [number, number | undefined][] = []
  const read = await readBenchmarkImages(folder, { update: (done, total) => progress.push([done, total]) })
  expect(read.files).toEqual(['d.bmp', 'linked/a.jpeg'])
  expect(read.unreadable.map(({ file }) => file)).toEqual(['b.bmp', 'c.png', 'dead', 'e.jpg'])
  expect(read.unreadable[0]!.why).toBe('BMP is not supported; convert it to PNG')
  expect(progress.at(-1)).toEqual([5, 5])
})

test('an image from the network is never decoded as TIFF, even after a benchmark was', async () => {
  const folder = await temporaryFolder()
  const tiff = await sharp(await scene(4))
    .tiff()
    .toBuffer()
  await writeFile(join(folder, 'a.tif'), tiff)
  expect((await readBenchmarkImages(folder, silentProgress)).files).toEqual(['a.tif'])
  await expect(decodeRgb(tiff)).rejects.toThrow('JPEG or PNG')
})

test('the summary of stored pairs counts duplicate files, look-alikes and titles', async () => {
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
