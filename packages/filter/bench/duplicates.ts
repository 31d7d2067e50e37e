/**
 * Time (seconds) and peak memory of finding duplicates among 5.2 million images, each case in its own process: evenly
 * spread hashes, like those of most pictures, and crowds of very similar hashes, like those of water, desert and cloud.
 *
 *   npm run bench:duplicates -- [--rows N] [--images N]
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Hashes } from '../src/duplicates/hashes.ts'
import { exactDuplicates, matchAgainst, nearDuplicates, repeatedCaptions } from '../src/duplicates/near-duplicates.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '5200000' },
    images: { type: 'string', default: '100000' },
    case: { type: 'string' },
  },
})
const [rows, images] = [Number(values.rows), Number(values.images)]

/** Numbers below 2^32, the same in each run: a counter through MurmurHash3's final mix. */
function createRandom(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    return (x ^ (x >>> 16)) >>> 0
  }
}

function hashesBy(count: number, next: (row: number) => readonly [high: number, low: number]): Hashes {
  const hashes = { high: new Uint32Array(count), low: new Uint32Array(count) }
  for (let row = 0; row < count; row++) [hashes.high[row], hashes.low[row]] = next(row) as [number, number]
  return hashes
}

type Hash = readonly [high: number, low: number]

function spread(count: number, seed: number): Hashes {
  const random = createRandom(seed)
  return hashesBy(count, () => [random(), random()])
}

/** `crowds` centres, each with equally many hashes around it, up to `flips` bits away. */
function crowded(count: number, seed: number, crowds: number, flips: number): Hashes {
  // Centres come from one seed, so that benchmark and dataset share them.
  const centres: Hash[] = []
  const random = createRandom(7)
  for (let i = 0; i < crowds; i++) centres.push([random(), random()])
  const draw = createRandom(seed)
  return hashesBy(count, () => {
    let [high, low] = centres[draw() % crowds]!
    for (let left = draw() % (flips + 1); left > 0; left--) {
      const bit = draw() >>> 26
      if (bit < 32) low ^= 1 << bit
      else high ^= 1 << (bit - 32)
    }
    return [high, low]
  })
}

/** Half spread, a quarter in 1,000 small crowds, a quarter in one wide crowd. */
function mixed(count: number, seed: number): Hashes {
  const parts = [spread(count >> 1, seed), crowded(count >> 2, seed, 1000, 8), crowded(count >> 2, seed, 1, 12)]
  return {
    high: Uint32Array.from(parts.flatMap(({ high }) => [...high])),
    low: Uint32Array.from(parts.flatMap(({ low }) => [...low])),
  }
}

/** Only 26 of the bits are ever set, so that most bands are equal in all hashes. */
function narrow(count: number, seed: number): Hashes {
  const random = createRandom(seed)
  return hashesBy(count, () => [random() & 0x00055555, random() & 0x15555555])
}

const kinds: Record<string, (count: number, seed: number) => Hashes> = {
  spread,
  mixed,
  'one crowd, 12 bits wide': (count, seed) => crowded(count, seed, 1, 12),
  '20 crowds, 24 bits wide': (count, seed) => crowded(count, seed, 20, 24),
  narrow,
}
const finds: Record<string, (hashes: Hashes, kind: string) => unknown> = {
  near: (hashes) => nearDuplicates(hashes),
  exact: exactDuplicates,
  captions: repeatedCaptions,
  match: (hashes, kind) => {
    const matches = matchAgainst(hashes, kinds[kind]!(images, 77))
    return { matched: matches.reduce((sum, match) => sum + (match >= 0 ? 1 : 0), 0) }
  },
}

if (values.case === undefined) {
  for (const kind of Object.keys(kinds)) {
    for (const find of Object.keys(finds)) {
      if ((find === 'exact' || find === 'captions') && kind !== 'spread' && kind !== 'mixed') continue
      const args = [
        fileURLToPath(import.meta.url),
        '--case',
        `${find}/${kind}`,
        '--rows',
        `${rows}`,
        '--images',
        `${images}`,
      ]
      spawnSync(process.execPath, args, { stdio: 'inherit' })
    }
  }
} else {
  const [find, kind] = values.case.split('/') as [string, string]
  const hashes = kinds[kind]!(rows, 51)
  const before = process.resourceUsage().maxRSS
  const rss = process.memoryUsage().rss
  const start = performance.now()
  const result = finds[find]!(hashes, kind) as Record<string, unknown>
  const seconds = ((performance.now() - start) / 1000).toFixed(2)
  const peak = process.resourceUsage().maxRSS
  const beyond =
    peak > before ? `${Math.round(peak / 1024 - rss / 2 ** 20)}` : `< ${Math.round(before / 1024 - rss / 2 ** 20)}`
  const facts = Object.entries(result).filter(([, value]) => typeof value === 'number')
  process.stdout.write(
    `${find.padEnd(9)}${kind.padEnd(26)}${seconds.padStart(7)} s ${beyond.padStart(6)} MB beyond the hashes  ${facts.map(([name, value]) => `${name} ${value}`).join(', ')}\n`,
  )
}
