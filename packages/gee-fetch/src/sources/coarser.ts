/** Sources that are read at a multiple of their GSD: from overviews, lower zoom levels, or larger pixels. */
import { boxCenter, type ImageCandidate } from '@skyscript/core'
import { gsdOf, type Source } from './source.ts'

/** Multiples of a source's GSD, as `tiles.coarsen` allows them. */
const FACTORS = [2, 4, 8] as const

const known = new WeakMap<Source, Map<number, Source | null>>()

/** A source at a multiple of its GSD; null where it can't be read so. Always the same object for the same source. */
function coarserBy(source: Source, factor: number): Source | null {
  const own = known.get(source) ?? new Map<number, Source | null>()
  known.set(source, own)
  let coarser = own.get(factor)
  if (coarser === undefined) {
    const read = source.kind === 'tiles' ? source.coarserBy?.(factor) : undefined
    if (source.kind === 'tiles') coarser = read ? { ...read, requests: source.requests } : null
    else coarser = source.gsds ? null : { ...source, gsd: Number((source.gsd * factor).toPrecision(12)) }
    own.set(factor, coarser)
  }
  return coarser
}

/**
 * A source at its own multiples, finest first.
 *
 * @param most the largest multiple; undefined: none
 */
export const coarserOf = (source: Source, most: number | undefined): Source[] =>
  FACTORS.filter((factor) => factor <= (most ?? 1)).flatMap((factor) => coarserBy(source, factor) ?? [])

/** The source of an image among others, at the GSD that the image has. */
export function sourceFor(
  { source: alias, gsd, box }: Pick<ImageCandidate, 'source' | 'gsd' | 'box'>,
  sources: readonly Source[],
): Source | undefined {
  const source = sources.find((each) => each.alias === alias)
  if (!source || source.gsds) return source
  const factor = FACTORS.find((each) => each === Math.round(gsd / gsdOf(source, boxCenter(box)[1])))
  return (factor && coarserBy(source, factor)) ?? source
}
