/** What is chosen of what a web service offers. */
import {
  type Box,
  boxCenter,
  boxContains,
  boxesIntersect,
  type Extent,
  InputError,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  type Position,
  radians,
} from '@skyscript/core'
import { coveredBy } from '../coverage.ts'
import { areaOf } from '../crs/epsg.ts'
import { epsgOf, type GridSystem, gridSystemOf, isInDegrees, WEB_MERCATOR } from '../crs/grid-system.ts'
import { type Fault, listed, type Service } from './service.ts'
import { placeAt, type TileSource } from './tile-source.ts'

/** What is said where `placeOf` finds nothing. */
export const NOTHING_HERE = 'has nothing within the extent of the source; correct its extent'

/**
 * Where the layers of a service may have pictures, and its bounds; null for nowhere.
 *
 * @param layers bounds of each; null where they are not known
 */
export function placeOf<E extends Extent>(
  given: E,
  layers: readonly (Box | null)[],
): { extent: E | Box; box: Box } | null {
  const { extent, outline } = coveredBy(given)
  let box = extent
  for (const own of layers) {
    if (own === null) continue
    if (!boxesIntersect(box, own)) return null
    const [west, south, east, north] = box
    box = [Math.max(west, own[0]), Math.max(south, own[1]), Math.min(east, own[2]), Math.min(north, own[3])]
  }
  return { extent: outline ? given : box, box }
}

/**
 * Of the systems that a service names, the first metric one that is made for the middle of an extent; else web mercator,
 * else degrees; null where none is known here.
 */
export function systemFor(names: readonly string[], extent: Box, owner: string): string | null {
  const middle = boxCenter(extent)
  const known = names.flatMap((name): { name: string; system: GridSystem; epsg: number }[] => {
    const epsg = epsgOf(name)
    try {
      return epsg === null ? [] : [{ name, epsg, system: gridSystemOf(epsg, owner) }]
    } catch (error) {
      if (error instanceof InputError) return []
      throw error
    }
  })
  const isNative = ({ system, epsg }: (typeof known)[number]) => {
    const area = system === WEB_MERCATOR || isInDegrees(system) ? null : areaOf(epsg)
    return area !== null && boxContains(area, [...middle, ...middle] as unknown as Box) && isTrue(system, middle)
  }
  const best =
    known.find(isNative) ??
    known.find(({ system }) => system === WEB_MERCATOR) ??
    known.find(({ system }) => isInDegrees(system))
  return best ? (/CRS:?84$/i.test(best.name) ? 'CRS:84' : `EPSG:${best.epsg}`) : null
}

/** How much longer or shorter than on the ground a system that is made for a place may have it. */
const MOST_STRETCHED = 0.02

/** Whether a system has lengths at a place as they are on the ground: those for the whole world don't. */
function isTrue({ forward, unit }: GridSystem, [longitude, latitude]: Position): boolean {
  const step = 1e-3
  const ends = [
    [longitude, latitude],
    [longitude + step, latitude],
    [longitude, latitude + step],
  ].map((place) => forward(place as unknown as Position))
  const [[x, y], ...others] = ends as [Position, Position, Position]
  const metres = [METRES_PER_DEGREE_LONGITUDE * Math.cos(radians(latitude)), METRES_PER_DEGREE_LATITUDE]
  return others.every(
    ([otherX, otherY], i) =>
      Math.abs((Math.hypot(otherX - x, otherY - y) * unit) / (metres[i]! * step) - 1) <= MOST_STRETCHED,
  )
}

/** PNG is taken if it is at most this many times as large as JPEG. */
const LARGER = 3
/** Smaller JPEGs show nothing: white, or outside of the pictures. */
const SHOWS_SOMETHING = 0.03
/** Places in an extent that are tried until one shows something, as shares of its sides. */
const PLACES: readonly Position[] = [
  [0.5, 0.5],
  [0.25, 0.25],
  [0.75, 0.25],
  [0.25, 0.75],
  [0.75, 0.75],
]

/**
 * PNG where a service gives it without enlarging its answers more than threefold, else its JPEG.
 *
 * @param png the source with PNGs, and the format's name
 */
export async function smallerFormat(
  service: Service,
  png: readonly [format: string, source: TileSource],
  jpeg: readonly [format: string, source: TileSource],
): Promise<string> {
  const [, { extent, tile }] = png
  for (const [u, v] of PLACES) {
    const at: Position = [extent[0] + u! * (extent[2] - extent[0]), extent[1] + v! * (extent[3] - extent[1])]
    const [ours, theirs] = await Promise.all([png, jpeg].map(([, source]) => service.tile(source, placeAt(source, at))))
    if (!ours || !theirs || theirs.length < SHOWS_SOMETHING * tile.width * tile.height) continue
    return ours.length <= LARGER * theirs.length ? png[0] : jpeg[0]
  }
  return jpeg[0]
}

/** Types that are decoded here, without loss and with it, best first. */
const LOSSLESS = ['image/png; mode=24bit', 'image/png', 'image/png24', 'image/vnd.jpeg-png']
const LOSSY = ['image/jpeg', 'image/jpg', 'image/webp']

/**
 * The type of pictures to ask for, of those that a service offers.
 *
 * @param sourceWith the source with a type, to try it
 * @throws InputError where none is decoded here
 */
export async function formatFor(
  offered: readonly string[],
  sourceWith: (format: string) => TileSource,
  service: Service,
  fault: Fault,
): Promise<string> {
  if (offered.length === 0) throw fault('names no format of its pictures; set format of the source')
  const known = offered.map((each) => each.toLowerCase())
  const find = (names: readonly string[]) => names.find((name) => known.includes(name))
  const [png, jpeg] = [find(LOSSLESS), find(LOSSY)]
  if (png !== undefined && jpeg !== undefined)
    return smallerFormat(service, [png, sourceWith(png)], [jpeg, sourceWith(jpeg)])
  // PNGs of few colours are better than none.
  const only = png ?? jpeg ?? known.find((each) => each.startsWith('image/png'))
  if (only === undefined) throw fault(`gives no PNG and no JPEG, only ${listed(offered)}; use another layer or service`)
  return only
}
