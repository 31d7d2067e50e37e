import type { ImageCandidate } from '@skyscript/core'
import { type Lattice, latticeOf } from './boxes.ts'

/** Maximum pixels per request: 8 MB uncompressed, so that all requests in flight fit in memory. Earth Engine's own limit is 48 MB. */
const MOST_PIXELS = 2_000_000
/** Maximum ratio of pixels requested to pixels delivered. */
const MOST_WASTE = 1.5

/** A rectangle of lattice pixels, counted from the south-west corner. */
export interface PixelRect {
  readonly column: number
  readonly row: number
  readonly width: number
  readonly height: number
}

/** One pixel request, and the images that are cut out of its response. */
export interface PixelRequest {
  readonly candidate: ImageCandidate
  /** The grid to request; it has the candidate's `box` if the request is for a single image. */
  readonly grid: {
    readonly width: number
    readonly height: number
    readonly west: number
    readonly north: number
    readonly degreesPerPixelX: number
    readonly degreesPerPixelY: number
  }
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
 * @param tile the map tile whose lattice the boxes are on; null: one request per image
 * @param mayShare false for an image that needs its own request
 */
export function groupRequests(
  images: readonly ImageCandidate[],
  tile: string | null,
  mayShare: (image: ImageCandidate) => boolean = () => true,
): PixelRequest[] {
  const requests: PixelRequest[] = []
  const byIndex = new Map(images.entries())
  const bySourceImage = Map.groupBy(images.keys(), (i) => {
    const { source, imageId, gsd } = images[i]!
    return `${source}\n${imageId}\n${gsd}`
  })
  for (const indexes of bySourceImage.values()) {
    const { gsd } = images[indexes[0]!]!
    const lattice = tile === null ? null : latticeOf(tile, gsd)
    const single: number[] = []
    const groups: Group[] = []
    for (const i of indexes) {
      const rect = lattice && mayShare(images[i]!) ? rectOf(images[i]!, lattice) : null
      if (rect) groups.push({ ...rect, members: [i], delivered: rect.width * rect.height })
      else single.push(i)
    }
    for (const i of single) requests.push(requestOfOne(images[i]!, i))
    for (const group of groups.length > 1 ? merged(groups) : groups) requests.push(requestOf(group, byIndex, lattice!))
  }
  return requests
}

/** null for a box that is not on this lattice. */
function rectOf({ box, width, height }: ImageCandidate, { west, south, stepX, stepY }: Lattice): PixelRect | null {
  const column = Math.round((box[0] - west) / stepX)
  const row = Math.round((box[1] - south) / stepY)
  const off = Math.max(
    Math.abs(west + column * stepX - box[0]) / stepX,
    Math.abs(south + row * stepY - box[1]) / stepY,
    Math.abs(west + (column + width) * stepX - box[2]) / stepX,
    Math.abs(south + (row + height) * stepY - box[3]) / stepY,
  )
  return off < 1e-3 ? { column, row, width, height } : null
}

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

function requestOfOne(candidate: ImageCandidate, index: number): PixelRequest {
  const { box, width, height } = candidate
  return {
    candidate,
    grid: {
      width,
      height,
      west: box[0],
      north: box[3],
      degreesPerPixelX: (box[2] - box[0]) / width,
      degreesPerPixelY: (box[3] - box[1]) / height,
    },
    parts: [{ index, x: 0, y: 0 }],
  }
}

function requestOf(group: Group, images: ReadonlyMap<number, ImageCandidate>, lattice: Lattice): PixelRequest {
  const [first] = group.members
  if (group.members.length === 1) return requestOfOne(images.get(first!)!, first!)
  const { column, row, width, height } = group
  return {
    candidate: images.get(first!)!,
    grid: {
      width,
      height,
      west: lattice.west + column * lattice.stepX,
      north: lattice.south + (row + height) * lattice.stepY,
      degreesPerPixelX: lattice.stepX,
      degreesPerPixelY: lattice.stepY,
    },
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
): PixelRequest[] {
  const images = new Map(parts.map(({ index }) => [index, of(index)]))
  const lattice = latticeOf(tile, images.values().next().value!.gsd)
  const members = parts.map(({ index }) => ({ index, rect: rectOf(images.get(index)!, lattice)! }))
  const middle = ({ column, row, width, height }: PixelRect) =>
    grid.width >= grid.height ? column + width / 2 : row + height / 2
  members.sort((a, b) => middle(a.rect) - middle(b.rect) || a.index - b.index)
  const half = Math.ceil(members.length / 2)
  return [members.slice(0, half), members.slice(half)].map((list) => {
    const group = list
      .map(({ index, rect }): Group => ({ ...rect, members: [index], delivered: rect.width * rect.height }))
      .reduce(join)
    return requestOf(group, images, lattice)
  })
}

/** Number of pixels that requests ask for. */
export const pixelsIn = (requests: readonly PixelRequest[]): number =>
  requests.reduce((sum, { grid }) => sum + grid.width * grid.height, 0)
