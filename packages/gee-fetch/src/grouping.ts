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
    return JSON.stringify([source, imageId, gsd])
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
    for (const group of merged(groups)) requests.push(requestOf(group, byIndex, lattice!))
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
 * remembers the best of the groups after it, so a merge recomputes only those whose best was one of the two.
 */
function merged(given: readonly Group[]): Group[] {
  const groups: (Group | null)[] = [...given]
  const best: (Choice | null)[] = groups.map((_, i) => bestAfter(groups, i))
  for (;;) {
    let from = -1
    for (const [i, choice] of best.entries())
      if (choice !== null && (from < 0 || choice.cost < best[from]!.cost)) from = i
    if (from < 0) return groups.filter((group) => group !== null)
    const { place } = best[from]!
    groups[from] = join(groups[from]!, groups[place]!)
    groups[place] = null
    best[place] = null
    for (let i = 0; i < place; i++) {
      if (groups[i] === null) continue
      const known = best[i]
      if (i === from || known?.place === from || known?.place === place) best[i] = bestAfter(groups, i)
      else if (i < from) best[i] = better(known ?? null, choiceOf(groups[i]!, groups[from]!, from))
    }
  }
}

/** A group that another may merge with, by index, and the pixels that the merge adds. */
interface Choice {
  readonly place: number
  readonly cost: number
}

function choiceOf(a: Group, b: Group, place: number): Choice | null {
  const pixels = widthOf(a, b) * heightOf(a, b)
  if (pixels > MOST_PIXELS || pixels > MOST_WASTE * (a.delivered + b.delivered)) return null
  return { place, cost: pixels - a.width * a.height - b.width * b.height }
}

/** Ties go to the lower index. */
function better(a: Choice | null, b: Choice | null): Choice | null {
  if (a === null || b === null) return a ?? b
  return b.cost < a.cost || (b.cost === a.cost && b.place < a.place) ? b : a
}

function bestAfter(groups: readonly (Group | null)[], i: number): Choice | null {
  let best: Choice | null = null
  for (let place = i + 1; place < groups.length; place++) {
    const other = groups[place]
    if (other) best = better(best, choiceOf(groups[i]!, other, place))
  }
  return best
}

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
