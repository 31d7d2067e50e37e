import { createHash } from 'node:crypto'
import { type Box, count, type Tags } from '@skyscript/core'
import { SIMILARITY } from '../names.ts'
import type { Manifest, Row } from './dataset.ts'

/** How many of the most frequent tags are listed. */
const TOP_TAGS = 25
/** Step of the similarity histogram, and so the accuracy of its percentiles. */
const SIMILARITY_STEP = 0.005
const SIMILARITY_BINS = Math.round(2 / SIMILARITY_STEP)
/** Longer captions are counted as having this many words. */
const MAX_WORDS = 1000
/** Larger images are counted as having this many pixels a side. */
const MAX_PIXELS = 20_000

/** Mean and percentiles of a column. */
export interface Spread {
  readonly mean: number
  readonly p5: number
  readonly median: number
  readonly p95: number
}

export interface SourceFacts {
  readonly source: string
  readonly collection: string
  readonly licence: string
  readonly credits: readonly string[]
  readonly pairs: number
  /** Metres a pixel. */
  readonly gsds: readonly number[]
}

export interface CaptionFacts {
  readonly words: Spread
  readonly longest: number
  readonly distinct: number
  /** Share of pairs whose caption another pair has too. */
  readonly repeated: number
}

/** Statistics of all pairs of a manifest. */
export interface Statistics {
  readonly pairs: number
  readonly sources: readonly SourceFacts[]
  /** Pairs by split, then by source. */
  readonly splits: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Pairs by year, ascending; `undated` last. */
  readonly years: ReadonlyMap<string, number>
  /** Bounding box of all images, degrees; null if there are none. */
  readonly box: Box | null
  /** ISO dates of the first and the last image; null if none has a time. */
  readonly dates: readonly [first: string, last: string] | null
  /** Pixels. */
  readonly sizes: { readonly width: Spread; readonly height: Spread }
  /** The most frequent tags of the objects, `key=value`. */
  readonly tags: readonly (readonly [tag: string, pairs: number])[]
  readonly distinctTags: number
  readonly captions: { readonly title: CaptionFacts; readonly title_multi_objects: CaptionFacts }
  readonly similarities: ReadonlyMap<string, Spread>
}

/** One pass over a manifest. Memory: 16 bytes per pair, and the distinct tags. */
export async function gatherStatistics(
  manifest: Manifest,
  progress: (pairs: number) => void = () => {},
): Promise<Statistics> {
  const columns = [
    ...['source', 'collection', 'licence', 'credit', 'time', 'west', 'south', 'east', 'north', 'gsd'],
    ...['width', 'height', 'center_tags', 'title', 'title_multi_objects', 'split'],
    ...manifest.scorers.map((scorer) => `${SIMILARITY}${scorer}`),
  ]
  const sources = createSources()
  const splits = new Map<string, Map<string, number>>()
  const years = new Map<string, number>()
  const tags = new Map<string, number>()
  const extent = createExtent()
  const sizes = { width: createHistogram(MAX_PIXELS), height: createHistogram(MAX_PIXELS) }
  const captions = {
    title: createCaptions(manifest.rows),
    title_multi_objects: createCaptions(manifest.rows),
  }
  const similarities = new Map(manifest.scorers.map((scorer) => [scorer, createHistogram(SIMILARITY_BINS)]))
  let pairs = 0
  for await (const row of manifest.read(columns)) {
    progress(++pairs)
    sources.add(row)
    extent.add(row)
    const split = String(row.split)
    if (!splits.has(split)) splits.set(split, new Map())
    count(splits.get(split)!, String(row.source))
    count(years, row.time instanceof Date ? String(row.time.getUTCFullYear()) : 'undated')
    sizes.width.add(Number(row.width))
    sizes.height.add(Number(row.height))
    for (const [key, value] of Object.entries(JSON.parse(String(row.center_tags)) as Tags))
      count(tags, `${key}=${value}`)
    captions.title.add(String(row.title))
    captions.title_multi_objects.add(String(row.title_multi_objects))
    for (const [scorer, histogram] of similarities)
      histogram.add(Math.round((Number(row[`${SIMILARITY}${scorer}`]) + 1) / SIMILARITY_STEP))
  }
  return {
    pairs,
    sources: sources.end(),
    splits,
    // `undated` sorts after every number.
    years: new Map([...years].sort(([a], [b]) => (a < b ? -1 : 1))),
    ...extent.end(),
    sizes: { width: sizes.width.spread(), height: sizes.height.spread() },
    tags: [...tags].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, TOP_TAGS),
    distinctTags: tags.size,
    captions: { title: captions.title.end(), title_multi_objects: captions.title_multi_objects.end() },
    similarities: new Map(
      [...similarities].map(([scorer, histogram]) => [scorer, histogram.spread(SIMILARITY_STEP, -1)]),
    ),
  }
}

function createSources() {
  const found = new Map<
    string,
    { facts: Row; pairs: number; licences: Set<string>; credits: Set<string>; gsds: Set<number> }
  >()
  return {
    add(row: Row) {
      const source = String(row.source)
      const entry = found.get(source) ?? {
        facts: row,
        pairs: 0,
        licences: new Set(),
        credits: new Set(),
        gsds: new Set(),
      }
      found.set(source, entry)
      entry.pairs++
      entry.licences.add(String(row.licence))
      entry.credits.add(String(row.credit))
      entry.gsds.add(Number(row.gsd))
    },
    end: (): SourceFacts[] =>
      [...found]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([source, { facts, pairs, licences, credits, gsds }]) => ({
          source,
          collection: String(facts.collection),
          licence: [...licences].sort().join('; '),
          credits: [...credits].sort(),
          pairs,
          gsds: [...gsds].sort((a, b) => a - b),
        })),
  }
}

function createExtent() {
  // One box on each side of 0 degrees: data around 180 degrees gets a box that crosses it.
  const [east, west] = [0, 1].map((): Box => [Infinity, Infinity, -Infinity, -Infinity]) as [Box, Box]
  let [first, last] = [Infinity, -Infinity]
  const day = (time: number) => new Date(time).toISOString().slice(0, 10)
  return {
    add(row: Row) {
      const box = Number(row.west) + Number(row.east) >= 0 ? east : west
      box[0] = Math.min(box[0], Number(row.west))
      box[1] = Math.min(box[1], Number(row.south))
      box[2] = Math.max(box[2], Number(row.east))
      box[3] = Math.max(box[3], Number(row.north))
      if (!(row.time instanceof Date)) return
      first = Math.min(first, row.time.getTime())
      last = Math.max(last, row.time.getTime())
    },
    end: (): Pick<Statistics, 'box' | 'dates'> => ({
      box: extentOf(east, west),
      dates: first === Infinity ? null : [day(first), day(last)],
    }),
  }
}

/** The narrower of the two boxes around both: across 0 degrees, or across 180 with west > east. */
function extentOf(east: Box, west: Box): Box | null {
  const [south, north] = [Math.min(east[1], west[1]), Math.max(east[3], west[3])]
  if (south === Infinity) return null
  const over0: Box = [Math.min(east[0], west[0]), south, Math.max(east[2], west[2]), north]
  const over180: Box = [east[0], south, west[2], north]
  const gap = east[0] - west[2]
  return gap < Infinity && 360 - gap < over0[2] - over0[0] ? over180 : over0
}

/** Histogram of whole numbers from 0; larger ones count as `largest`. */
function createHistogram(largest: number) {
  const bins = new Float64Array(largest + 1)
  let total = 0
  let sum = 0
  let top = 0
  return {
    add(value: number) {
      if (!Number.isFinite(value)) return
      bins[Math.min(largest, Math.max(0, value))]!++
      total++
      sum += value
      top = Math.max(top, value)
    },
    get largest() {
      return top
    },
    /** In the unit of the data: bin * step + offset. */
    spread(step = 1, offset = 0): Spread {
      const at = (share: number) => {
        let below = 0
        const bin = bins.findIndex((pairs) => {
          below += pairs
          return below >= share * total
        })
        return bin * step + offset
      }
      if (total === 0) return { mean: Number.NaN, p5: Number.NaN, median: Number.NaN, p95: Number.NaN }
      return { mean: (sum / total) * step + offset, p5: at(0.05), median: at(0.5), p95: at(0.95) }
    },
  }
}

/** Lengths and repetitions of captions, by 53 bits of a hash: 5.2 million captions take 42 MB. */
function createCaptions(rows: number) {
  const words = createHistogram(MAX_WORDS)
  const hashes = new Float64Array(rows)
  let size = 0
  return {
    add(caption: string) {
      words.add(caption.split(' ').length)
      const digest = createHash('sha256').update(caption).digest()
      hashes[size++] = digest.readUIntBE(0, 6) * 32 + (digest[6]! & 31)
    },
    end(): CaptionFacts {
      hashes.sort()
      let distinct = 0
      let single = 0
      for (let at = 0, next = 0; at < size; at = next) {
        while (next < size && hashes[next] === hashes[at]) next++
        distinct++
        if (next === at + 1) single++
      }
      return {
        words: words.spread(),
        longest: words.largest,
        distinct,
        repeated: size === 0 ? 0 : (size - single) / size,
      }
    },
  }
}
