import { type Box, boxCenter, type Config } from '@skyscript/core'
import { gsdOf, type Source, sourcesOf } from '@skyscript/gee-fetch'
import type { ExtractIndex } from './run.ts'

/** Points and lines are never taken from coarser sources, m/pixel. */
const COARSEST_FOR_POINTS = 10

/**
 * What `filter.split.degrees: auto` needs to know of a region before any of its images is there: its extent as `osm.clip`
 * or the headers of all extracts declare it, and the side of an image of a point from the source that is tried first. Of
 * sources that may cover the region, those of scattered scenes count only where there is no other.
 */
export function splitRegion(
  {
    osm,
    imagery,
    tiles,
  }: Pick<Config, 'tiles'> & {
    readonly osm: Pick<Config['osm'], 'clip'>
    readonly imagery: Pick<Config['imagery'], 'sources' | 'prefer'>
  },
  inputs: ExtractIndex['inputs'],
): { declared: Box | null; imageSide: number } {
  const declared = typeof osm.clip === 'object' && osm.clip !== null ? eastward(osm.clip) : unionOf(inputs)
  const sources = sourcesOf(imagery.sources)
  const gsdIn = (source: Source) => (declared === null ? source.gsd : gsdOf(source, boxCenter(declared)[1]))
  const suitable = sources.filter(
    (source) => gsdIn(source) <= COARSEST_FOR_POINTS && (declared === null || overlaps(source.extent, declared)),
  )
  const steady = suitable.filter((source) => source.kind !== 'earth-engine' || !source.scattered)
  const candidates = [steady, suitable, sources].find((list) => list.length > 0) ?? []
  const gsds = candidates.map(gsdIn)
  const gsd = imagery.prefer === 'listed' ? gsds[0]! : Math.min(...gsds)
  return { declared, imageSide: gsd * tiles.pointPixels }
}

/** With an east above 180 where it crosses that meridian. */
const eastward = ([west, south, east, north]: Box): Box => [west, south, east < west ? east + 360 : east, north]

/** Null unless every extract declares a box. Of the two ways around the Earth the narrower. */
function unionOf(inputs: ExtractIndex['inputs']): Box | null {
  const boxes = inputs.flatMap(({ box }) => (box === null ? [] : [eastward(box)]))
  if (boxes.length === 0 || boxes.length < inputs.length) return null
  const around = (turned: readonly Box[]): Box => [
    Math.min(...turned.map(([west]) => west)),
    Math.min(...turned.map(([, south]) => south)),
    Math.max(...turned.map(([, , east]) => east)),
    Math.max(...turned.map(([, , , north]) => north)),
  ]
  const plain = around(boxes)
  const over180 = around(
    boxes.map(([west, south, east, north]) =>
      west < 0 ? [west + 360, south, east + 360, north] : [west, south, east, north],
    ),
  )
  return over180[2] - over180[0] < plain[2] - plain[0] ? over180 : plain
}

const overlaps = (a: Box, b: Box): boolean =>
  a[1] < b[3] && b[1] < a[3] && [-360, 0, 360].some((turn) => a[0] + turn < b[2] && b[0] < a[2] + turn)
