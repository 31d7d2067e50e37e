import type { ImageCandidate } from '@skyscript/core'
import type { PixelGrid } from './client.ts'
import { DEGREES } from './crs/grid-system.ts'
import { type Lattice, latticeOf, type PixelRect, rectOfBox } from './lattice.ts'
import { sourceFor } from './sources/coarser.ts'
import { mayShare, type Source } from './sources/source.ts'

/** Maximum pixels per request: 8 MB uncompressed, so that all requests in flight fit in memory. Earth Engine's own limit is 48 MB. */
const MOST_PIXELS = 2_000_000
/** Maximum ratio of pixels requested to pixels delivered. */
const MOST_WASTE = 1.5

/** One pixel request, and the images that are cut out of its response. */
export interface PixelRequest {
  readonly candidate: ImageCandidate
  /** The grid to request; it has the candidate's `box` if the request is for a single image. */
  readonly grid: PixelGrid
  /** The images by index in the grouped list, and the pixel offset of each from the north-west. */
  readonly parts: readonly { readonly index: number; readonly x: number; readonly y: number }[]
}

interface Group extends PixelRect {
  readonly members: readonly number[]
  /** Pixels of all members; overlaps are counted each time. */
  readonly delivered: number
}

/**
 * Groups images that are close together and come from the same source image: two groups merge while the pixels
 * requested stay below 1.5 times the pixels delivered. The plan depends only on the boxes, so it is deterministic; and
 * since all boxes are on one lattice, it changes no pixel of an image.
 *
 * @param tile the map tile of the images' objects: the boxes are on lattices of it
 * @param sources those of the images: some have a lattice of their own, and some share no requests
 * @param isShared false: one request per image
 */
export function groupRequests(
  images: readonly ImageCandidate[],
  tile: string,
  sources: readonly Source[] = [],
  isShared = true,
): PixelRequest[] {
  const requests: PixelRequest[] = []
  const byIndex = new Map(images.entries())
  const bySourceImage = Map.groupBy(images.keys(), (i) => {
    const { source, imageId, gsd } = images[i]!
    return `${source}\n${imageId}\n${gsd}`
  })
  for (const indexes of bySourceImage.values()) {
    const first = images[indexes[0]!]!
    const source = sourceFor(first, sources)
    const lattice = latticeFor(first, tile, source)
    const isOwn = source?.latticeIn !== undefined
    const mayMerge = isShared && (source === undefined || mayShare(source))
    const single: number[] = []
    const groups: Group[] = []
    for (const i of indexes) {
      const rect = mayMerge || isOwn ? rectOf(images[i]!, lattice) : null
      if (rect) groups.push({ ...rect, members: [i], delivered: rect.width * rect.height })
      else single.push(i)
    }
    for (const i of single) requests.push(requestOfOne(images[i]!, i, null))
    for (const group of mayMerge && groups.length > 1 ? merged(groups) : groups)
      requests.push(requestOf(group, byIndex, lattice, isOwn))
  }
  return requests
}

/** The lattice of an image's source, or that of the map tile. */
const latticeFor = ({ gsd }: ImageCandidate, tile: string, source: Source | undefined): Lattice =>
  source?.latticeIn?.(tile) ?? latticeOf(tile, gsd)

/** null for a box that is not on this lattice. */
const rectOf = (image: ImageCandidate, lattice: Lattice): PixelRect | null => rectOfBox(lattice, image.box, image)

/**
 * Repeatedly merges the two groups that add the fewest pixels (or save the most), until no two may be merged. Each group
 * remembers the best of the groups after it, so a merge recomputes only those whose best was one of the two. Ties go to
 * the lower indexes.
 */
function merged(given: readonly Group[]): Group[] {
  const groups: (Group | null)[] = [...given]
  // All pairs are looked at: numbers side by side are ten times as fast as objects.
  const column = () => new Float64Array(given.length)
  const [west, south, east, north, area, delivered] = [column(), column(), column(), column(), column(), column()]
  const put = (i: number, group: Group) => {
    west[i] = group.column
    south[i] = group.row
    east[i] = group.column + group.width
    north[i] = group.row + group.height
    area[i] = group.width * group.height
    delivered[i] = group.delivered
  }
  for (const [i, group] of given.entries()) put(i, group)
  /** By group, the group after it that it should merge with, NONE without one, and the pixels that this adds. */
  const best = new Int32Array(given.length).fill(NONE)
  const costs = new Float64Array(given.length)

  /** The pixels that a merge of two groups adds; Infinity where they may not merge. */
  const costOf = (a: number, b: number): number => {
    const width = Math.max(east[a]!, east[b]!) - Math.min(west[a]!, west[b]!)
    const height = Math.max(north[a]!, north[b]!) - Math.min(south[a]!, south[b]!)
    const pixels = width * height
    if (pixels > MOST_PIXELS || pixels > MOST_WASTE * (delivered[a]! + delivered[b]!)) return Infinity
    return pixels - area[a]! - area[b]!
  }
  const findBest = (i: number) => {
    best[i] = NONE
    costs[i] = Infinity
    for (let place = i + 1; place < groups.length; place++) {
      if (groups[place] === null) continue
      const cost = costOf(i, place)
      if (cost >= costs[i]!) continue
      best[i] = place
      costs[i] = cost
    }
  }

  for (let i = 0; i < groups.length; i++) findBest(i)
  for (;;) {
    let from = NONE
    for (let i = 0; i < groups.length; i++)
      if (best[i] !== NONE && (from === NONE || costs[i]! < costs[from]!)) from = i
    if (from === NONE) return groups.filter((group) => group !== null)
    const place = best[from]!
    const group = join(groups[from]!, groups[place]!)
    groups[from] = group
    groups[place] = null
    best[place] = NONE
    put(from, group)
    for (let i = 0; i < place; i++) {
      if (groups[i] === null) continue
      if (i === from || best[i] === from || best[i] === place) findBest(i)
      else if (i < from) {
        const cost = costOf(i, from)
        if (cost > costs[i]! || (cost === costs[i] && (cost === Infinity || best[i]! < from))) continue
        best[i] = from
        costs[i] = cost
      }
    }
  }
}

/** No group. */
const NONE = -1

const widthOf = (a: PixelRect, b: PixelRect): number =>
  Math.max(a.column + a.width, b.column + b.width) - Math.min(a.column, b.column)
const heightOf = (a: PixelRect, b: PixelRect): number =>
  Math.max(a.row + a.height, b.row + b.height) - Math.min(a.row, b.row)

const join = (a: Group, b: Group): Group => ({
  column: Math.min(a.column, b.column),
  row: Math.min(a.row, b.row),
  width: widthOf(a, b),
  height: heightOf(a, b),
  members: [...a.members, ...b.members],
  delivered: a.delivered + b.delivered,
})

/** @param own its grid on its source's own lattice; null: the grid is the box's */
function requestOfOne(candidate: ImageCandidate, index: number, own: PixelGrid | null): PixelRequest {
  const { box, width, height } = candidate
  const [west, south, east, north] = box
  const grid = own ?? { width, height, west, north, stepX: (east - west) / width, stepY: (north - south) / height }
  return { candidate, grid, parts: [{ index, x: 0, y: 0 }] }
}

function gridOf({ column, row, width, height }: PixelRect, { system, west, south, stepX, stepY }: Lattice): PixelGrid {
  const place = { width, height, west: west + column * stepX, north: south + (row + height) * stepY, stepX, stepY }
  return system === DEGREES ? place : { crs: system.crs, ...place }
}

function requestOf(
  group: Group,
  images: ReadonlyMap<number, ImageCandidate>,
  lattice: Lattice,
  isOwn: boolean,
): PixelRequest {
  const [first] = group.members
  const candidate = images.get(first!)!
  const grid = gridOf(group, lattice)
  if (group.members.length === 1) return requestOfOne(candidate, first!, isOwn ? grid : null)
  const { column, row, height } = group
  return {
    candidate,
    grid,
    parts: group.members.map((index) => {
      const rect = rectOf(images.get(index)!, lattice)!
      return { index, x: rect.column - column, y: row + height - rect.row - rect.height }
    }),
  }
}

/**
 * The same images in two requests: the western and the eastern half, or the southern and the northern half if the
 * request is taller than wide. Pixels keep their positions.
 *
 * @param of the candidate to request, by index in the grouped list
 */
export function halvesOf(
  { grid, parts }: PixelRequest,
  of: (index: number) => ImageCandidate,
  tile: string,
  sources: readonly Source[] = [],
): PixelRequest[] {
  const images = new Map(parts.map(({ index }) => [index, of(index)]))
  const first = images.values().next().value!
  const source = sourceFor(first, sources)
  const lattice = latticeFor(first, tile, source)
  const members = parts.map(({ index }) => ({ index, rect: rectOf(images.get(index)!, lattice)! }))
  const middle = ({ column, row, width, height }: PixelRect) =>
    grid.width >= grid.height ? column + width / 2 : row + height / 2
  members.sort((a, b) => middle(a.rect) - middle(b.rect) || a.index - b.index)
  const half = Math.ceil(members.length / 2)
  return [members.slice(0, half), members.slice(half)].map((list) => {
    const group = list
      .map(({ index, rect }): Group => ({ ...rect, members: [index], delivered: rect.width * rect.height }))
      .reduce(join)
    return requestOf(group, images, lattice, source?.latticeIn !== undefined)
  })
}

/** Number of pixels that requests ask for. */
export const pixelsIn = (requests: readonly PixelRequest[]): number =>
  requests.reduce((sum, { grid }) => sum + grid.width * grid.height, 0)
