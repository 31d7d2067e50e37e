/**
 * CPU time per image in milliseconds (one core), without waiting: reading its pixels, cutting them out, checking and
 * encoding them. Compared with libvips only encoding the same pixels.
 *
 *   npm run bench:image -- [--pixels 512]
 */
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { cutOut } from '../src/cut-out.ts'
import { encode } from '../src/fetch-images.ts'
import { parseNpy } from '../src/npy.ts'
import { measurePixels } from '../src/pixel-checks.ts'
import { SOURCES } from '../src/sources/sources.ts'

const { values } = parseArgs({ options: { pixels: { type: 'string', default: '512' } } })
const side = Number(values.pixels)
const ROUNDS = 200

// One thread: this measures the work, not how well it is spread.
sharp.concurrency(1)

/** Artificial hills and fields that compress like aerial imagery: about 0.6 bits per pixel and channel. */
function pictureOf(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 4)
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)]
    const field = ((Math.floor(x / 37) * 7 + Math.floor(y / 23) * 13) % 5) * 18
    const texture = ((x * 2654435761 + y * 40503) >>> 7) % 23
    const hill = 60 * Math.sin(x / 90) * Math.cos(y / 70)
    for (const [channel, base] of [96, 112, 80, 255].entries())
      pixels[4 * i + channel] = channel === 3 ? 255 : Math.max(0, Math.min(255, base + field + texture + hill))
  }
  return pixels
}

function npyOf(pixels: Buffer, width: number, height: number): Buffer {
  const text = `{'descr': [('r', '|u1'), ('g', '|u1'), ('b', '|u1'), ('v', '|u1')], 'fortran_order': False, 'shape': (${height}, ${width}), }`
  const header = Buffer.from(`${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`, 'latin1')
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8])
  return Buffer.concat([start, header, pixels])
}

/** CPU milliseconds per round, median of blocks. */
async function cost(task: () => Promise<unknown>): Promise<number> {
  const blocks: number[] = []
  for (let block = 0; block < 10; block++) {
    const before = process.cpuUsage()
    for (let i = 0; i < ROUNDS / 10; i++) await task()
    const { user, system } = process.cpuUsage(before)
    blocks.push((user + system) / 1000 / (ROUNDS / 10))
  }
  return blocks.toSorted((a, b) => a - b)[blocks.length >> 1]!
}

// Two images per side in one request, as grouping would combine them.
const [wide, high] = [2 * side, 2 * side]
const body = npyOf(pictureOf(wide, high), wide, high)
const all = parseNpy(body, wide, high)
const size = { width: side, height: side }
const one = cutOut(all, wide, { x: side >> 1, y: side >> 1 }, size)
const jpeg = await encode(one, size)
const rows: [string, number][] = [
  [
    'ours: cut out, check, encode',
    await cost(async () => {
      const own = cutOut(all, wide, { x: side >> 1, y: side >> 1 }, size)
      if (measurePixels(own, side, SOURCES.P3).valid < 1) throw new Error('The test image fails the checks.')
      return encode(own, size)
    }),
  ],
  [
    '  of which cutting and checking',
    await cost(async () => measurePixels(cutOut(all, wide, { x: 9, y: 9 }, size), side, SOURCES.P3)),
  ],
  [
    'only encoding, with libvips',
    await cost(() =>
      sharp(one, { raw: { ...size, channels: 4 } })
        .removeAlpha()
        .jpeg({ quality: 82 })
        .toBuffer(),
    ),
  ],
]
process.stdout.write(`${side} x ${side} pixels, JPEG of ${(jpeg.length / 1000).toFixed(0)} kB, one core\n`)
for (const [name, ms] of rows) process.stdout.write(`${name.padEnd(32)}${ms.toFixed(2).padStart(8)} ms\n`)
