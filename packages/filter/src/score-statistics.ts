import { fromMicro, MICRO } from './pair-table.ts'

/** How the similarities of one scorer spread. */
export interface ScoreStatistics {
  readonly scorer: string
  /** Null where there are no pairs. */
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  /** `counts[i]` pairs have a similarity from `from + i * step` up to, not with, the next one. */
  readonly histogram: { readonly from: number; readonly step: number; readonly counts: readonly number[] }
}

const BINS_PER_UNIT = 100

/** @param similarities in millionths */
export function scoreStatistics(scorer: string, similarities: Int32Array): ScoreStatistics {
  const step = 1 / BINS_PER_UNIT
  if (similarities.length === 0) {
    return { scorer, min: null, max: null, mean: null, histogram: { from: 0, step, counts: [] } }
  }
  const bins = new Uint32Array(2 * BINS_PER_UNIT + 1)
  let [min, max, sum] = [Infinity, -Infinity, 0]
  for (const micro of similarities) {
    min = Math.min(min, micro)
    max = Math.max(max, micro)
    sum += micro
    bins[binOf(micro)]!++
  }
  const first = binOf(min)
  return {
    scorer,
    min: fromMicro(min),
    max: fromMicro(max),
    mean: fromMicro(Math.round(sum / similarities.length)),
    histogram: { from: first / BINS_PER_UNIT - 1, step, counts: [...bins.subarray(first, binOf(max) + 1)] },
  }
}

const binOf = (micro: number) => Math.floor(((micro + MICRO) * BINS_PER_UNIT) / MICRO)
