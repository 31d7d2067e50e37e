import { type Box, boxCenter, type Config, type FocusObject, mapTileAt, mapTileBox } from '@skyscript/core'
import { areaPixels } from './boxes.ts'
import { mayCover } from './coverage.ts'
import { coarserOf } from './sources/coarser.ts'
import { gsdOf, type Source } from './sources/source.ts'

export interface ImagerySettings {
  readonly sources: readonly Source[]
  readonly prefer: Config['imagery']['prefer']
  readonly year: Config['imagery']['year']
  readonly tiles: Config['tiles']
  readonly seed: number
}

/** Coarser images show ground, not objects: a point or line would vanish in them, so they are used for areas only. */
const COARSEST_FOR_POINTS = 10

/**
 * The sources that could show an object, preferred first, decided without any request (paper, section "Image
 * selection"): GSD at most the coarsest at which any of its tags is visible, the object inside the source's extent, and
 * for an area an image size from `tiles.minPixels` to `tiles.maxPixels`. With `tiles.coarsen`, a source whose image of an
 * area would be too large is read at the smallest multiple of its GSD that fits.
 *
 * @returns the sources, or why there are none: `no-source-fine-enough`, `no-source-here`, `area-too-small`,
 * `area-too-large`, `area-between-sources` (too large for the finer sources and too small for the coarser)
 */
export function suitableSources(
  { box, isArea, maxGsd }: Pick<FocusObject, 'box' | 'isArea' | 'maxGsd'>,
  { sources, prefer, tiles }: Pick<ImagerySettings, 'sources' | 'prefer' | 'tiles'>,
): { sources: Source[] } | { reason: string } {
  const here = sources.filter((source) => mayCover(source, box))
  if (here.length === 0) return { reason: 'no-source-here' }
  const gsdIn = gsdsAt(box)
  const fine = here.filter((source) => gsdIn(source) <= maxGsd)
  if (prefer === 'finest') fine.sort((a, b) => gsdIn(a) - gsdIn(b))
  if (fine.length === 0) return { reason: 'no-source-fine-enough' }
  if (!isArea) {
    const near = fine.filter((source) => gsdIn(source) <= COARSEST_FOR_POINTS)
    return near.length > 0 ? { sources: near } : { reason: 'no-source-fine-enough' }
  }
  const sizeIn = (source: Source) => {
    const size = areaPixels(box, gsdIn(source), tiles)
    if (size !== 'too-large' || !source.gsds) return size
    // A coarser image of the source may be small enough.
    return areaPixels(box, Math.min(source.gsds[1], maxGsd), tiles) === 'too-large' ? size : null
  }
  const sized = fine.map((source) => {
    const size = sizeIn(source)
    if (size !== 'too-large') return { source, size }
    const smaller = coarserOf(source, tiles.coarsen).find(
      (each) => gsdIn(each) <= maxGsd && typeof areaPixels(box, gsdIn(each), tiles) !== 'string',
    )
    return smaller ? { source: smaller, size: null } : { source, size }
  })
  const fitting = sized.filter(({ size }) => typeof size !== 'string').map(({ source }) => source)
  if (tiles.coarsen && prefer === 'finest') fitting.sort((a, b) => gsdIn(a) - gsdIn(b))
  if (fitting.length > 0) return { sources: fitting }
  const small = sized.some(({ size }) => size === 'too-small')
  const large = sized.some(({ size }) => size === 'too-large')
  return { reason: small && large ? 'area-between-sources' : small ? 'area-too-small' : 'area-too-large' }
}

/** Whether an object can be seen at a GSD. */
export const isFine = ({ isArea, maxGsd }: Pick<FocusObject, 'isArea' | 'maxGsd'>, gsd: number): boolean =>
  gsd <= maxGsd && (isArea || gsd <= COARSEST_FOR_POINTS)

/** GSD by source in the map tile of an object, m/pixel: the finest where images have their own. */
function gsdsAt(box: Box): (source: Source) => number {
  let latitude: number | undefined
  return (source) => {
    if (!source.gsdAt) return source.gsds?.[0] ?? source.gsd
    latitude ??= boxCenter(mapTileBox(mapTileAt(boxCenter(box))))[1]
    return gsdOf(source, latitude)
  }
}
