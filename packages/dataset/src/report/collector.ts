import type { ImageRecord } from '@skyscript/core'
import { count } from '@skyscript/core'
import type { DuplicateSummary } from '../lock.ts'
import type { ReportRow } from './sample.ts'
import { PairSample } from './sample.ts'

/** Number of pairs on the contact sheet. */
const PAIRS = 48
/** Number of tags listed, the most frequent ones. */
const TOP_TAGS = 40
/** Step of the similarity histogram. CLIP gives real pairs 0.1 to 0.4. */
export const SCORE_STEP = 0.01
const SCORE_BINS = Math.round(2 / SCORE_STEP)

/** A pair of the contact sheet, without the image's origin: that must decide no byte, and may name a private server. */
export interface SampledRow extends Omit<ReportRow, 'image'> {
  readonly image: Omit<ImageRecord, 'origin'>
}

/** Facts about the whole run that the rows don't contain. */
export interface ReportSummary {
  /** Meanings of the tag tables' reasons, in the tables' order. */
  readonly meanings: readonly { readonly reason: string; readonly meaning: string }[]
  /** Name of the dataset. */
  readonly name: string
  /** Version of the tool that made it. */
  readonly toolVersion: string
  /** Focus objects read: kept + dropped + failed. */
  readonly objects: number
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: Readonly<Record<string, number>>
  /** Images examined, by source and result: `taken`, or the reason why not. */
  readonly looked: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** The CSVs with their number of rows, in display order. */
  readonly files: readonly { readonly path: string; readonly rows: number }[]
  /** Pairs by split. */
  readonly splits: Readonly<Record<string, number>>
  readonly duplicates: DuplicateSummary
  /** Messages about the cuts for the user. */
  readonly notes: readonly string[]
  /** Benchmark sets by folder; none by default. */
  readonly benchmarks?: Readonly<Record<string, { readonly images: number; readonly classes: number }>>
  /** Credit lines of the imagery and the map; see `creditLines`. */
  readonly credits: readonly string[]
}

export interface SourceStats {
  readonly source: string
  readonly images: number
  /** Images by year, ascending; `''` (no time) is last. */
  readonly years: readonly (readonly [year: string, images: number])[]
  /** Metres per pixel. */
  readonly gsd: { readonly min: number; readonly max: number }
  /** Means in pixels and bytes. */
  readonly width: number
  readonly height: number
  readonly bytes: number
}

export interface ScoreStats {
  readonly scorer: string
  /** Null if there are no pairs. */
  readonly mean: number | null
  readonly min: number
  readonly max: number
  /** Number of pairs per step of SCORE_STEP, from -1. */
  readonly bins: readonly number[]
}

export interface ReportPair {
  readonly row: SampledRow
  /** JPEG; null if the image could not be read. */
  readonly thumbnail: Uint8Array | null
}

/** The data gathered from the pairs. Survives a round trip through JSON. */
export interface ReportData {
  readonly scorers: readonly string[]
  readonly kept: number
  readonly totalBytes: number
  readonly sources: readonly SourceStats[]
  readonly scores: readonly ScoreStats[]
  /** The most frequent groundable tags of focus objects, `key=value`. */
  readonly tags: readonly (readonly [tag: string, images: number])[]
  readonly distinctTags: number
  /** Means over the pairs; null if there are none. */
  readonly words: { readonly title: number | null; readonly titleMultiObjects: number | null }
  /** The pairs of the contact sheet. */
  readonly sample: readonly SampledRow[]
}

/** Everything on the page. */
export interface ReportInput extends ReportSummary, Omit<ReportData, 'sample'> {
  readonly pairs: readonly ReportPair[]
}

export interface ReportCollector {
  /** Rows may come in any order: it changes only the rounding of means. */
  add(row: ReportRow): void
  end(): ReportData
}

interface SourceTotals {
  images: number
  years: Map<number | null, number>
  minGsd: number
  maxGsd: number
  width: number
  height: number
  bytes: number
}

/**
 * Gathers the report in one pass over a dataset. Memory grows with the number of distinct tags, not of pairs.
 *
 * @param options.scorers names in the order of every row's `similarities`
 */
export function createReportCollector(options: {
  readonly seed: number
  readonly scorers: readonly string[]
}): ReportCollector {
  const { seed, scorers } = options
  const sample = new PairSample(seed, PAIRS)
  const sources = new Map<string, SourceTotals>()
  const tags = new Map<string, number>()
  const scores = scorers.map(() => ({
    sum: 0,
    counted: 0,
    min: 1,
    max: -1,
    bins: new Array<number>(SCORE_BINS).fill(0),
  }))
  const words = { title: 0, titleMultiObjects: 0 }
  let kept = 0

  return {
    add(row) {
      const { image, caption, similarities } = row
      kept++
      sample.add(row)
      addToSource(sources, image)
      for (const [key, value] of Object.entries(caption.centerTags)) count(tags, `${key}=${value}`)
      words.title += wordsOf(caption.title)
      words.titleMultiObjects += wordsOf(caption.titleMultiObjects)
      for (const [i, score] of scores.entries()) {
        const similarity = similarities[i]
        if (similarity === undefined || !Number.isFinite(similarity)) continue
        score.sum += similarity
        score.counted++
        score.min = Math.min(score.min, similarity)
        score.max = Math.max(score.max, similarity)
        const bin = Math.floor((similarity + 1) / SCORE_STEP)
        score.bins[Math.min(SCORE_BINS - 1, Math.max(0, bin))]!++
      }
    },

    end: () => ({
      scorers,
      kept,
      totalBytes: [...sources.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      sources: [...sources].sort(byName).map(([source, totals]) => sourceStats(source, totals)),
      scores: scores.map(({ sum, counted, ...rest }, i) => ({
        scorer: scorers[i] ?? '',
        mean: counted === 0 ? null : sum / counted,
        ...rest,
      })),
      tags: [...tags].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, TOP_TAGS),
      distinctTags: tags.size,
      words: {
        title: kept === 0 ? null : words.title / kept,
        titleMultiObjects: kept === 0 ? null : words.titleMultiObjects / kept,
      },
      sample: sample.rows().map(({ image: { origin: _origin, ...image }, ...row }) => ({ ...row, image })),
    }),
  }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)
const nullsLast = (a: number | null, b: number | null) => (a ?? 1e9) - (b ?? 1e9)
const wordsOf = (text: string) => text.split(' ').length

function addToSource(sources: Map<string, SourceTotals>, image: ImageRecord): void {
  let totals = sources.get(image.source)
  if (totals === undefined) {
    totals = { images: 0, years: new Map(), minGsd: Infinity, maxGsd: -Infinity, width: 0, height: 0, bytes: 0 }
    sources.set(image.source, totals)
  }
  const year = image.time === null ? null : new Date(image.time).getUTCFullYear()
  totals.images++
  totals.years.set(year, (totals.years.get(year) ?? 0) + 1)
  totals.minGsd = Math.min(totals.minGsd, image.gsd)
  totals.maxGsd = Math.max(totals.maxGsd, image.gsd)
  totals.width += image.width
  totals.height += image.height
  totals.bytes += image.bytes
}

function sourceStats(source: string, totals: SourceTotals): SourceStats {
  const { images, years, minGsd, maxGsd, width, height, bytes } = totals
  return {
    source,
    images,
    years: [...years].sort(([a], [b]) => nullsLast(a, b)).map(([year, n]) => [year === null ? '' : String(year), n]),
    gsd: { min: minGsd, max: maxGsd },
    width: width / images,
    height: height / images,
    bytes: bytes / images,
  }
}
