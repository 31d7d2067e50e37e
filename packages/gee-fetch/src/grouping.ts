import type { ImageCandidate } from '@skyscript/core'
import { type Lattice, latticeOf } from './boxes.ts'

/** Pixels of one request at most: 8 MB as they come, so that all requests in flight fit in memory. Earth Engine's own limit is 48 MB. */
const MOST_PIXELS = 2_000_000
/** Pixels asked for each pixel that is delivered, at most. */
const MOST_WASTE = 1.5

/** Whole pixels of a lattice, counted from its south-west corner. */
export interface PixelRect {
  readonly column: number
  readonly row: number
  readonly width: number
  readonly height: number
}

/** One request for pixels, and the images that are cut out of it. */
export interface PixelRequest {
  readonly candidate: ImageCandidate
  /** What is asked for; `box` of the candidate where it is for one image alone. */
  readonly grid: {
    readonly width: number
    readonly height: number
    readonly west: number
    readonly north: number
    readonly degreesPerPixelX: number
    readonly degreesPerPixelY: number
  }
  /** The images by their place in the list that was grouped, and where they begin, from the north-west. */
  readonly parts: readonly { readonly index: number; readonly x: number; readonly y: number }[]
}

interface Group extends PixelRect {
  readonly members: readonly number[]
  /** Of all members, overlaps counted each time. */
  readonly delivered: number
}

/**
 * Puts images that lie close and are of one source image into requests that cover several: two groups become one as long
 * as the pixels asked for stay below 1.5 times those delivered. A plan of nothing but the boxes, so it is the same each
 * time; and since all boxes lie on one lattice, no pixel of an image depends on it.
 *
 * @param tile the map tile on whose lattice the boxes lie; null: a request for each image
 */
export function groupRequests(images: readonly ImageCandidate[], tile: string | null): PixelRequest[] {
  const requests: PixelRequest[] = []
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
      const rect = lattice && rectOf(images[i]!, lattice)
      if (rect) groups.push({ ...rect, members: [i], delivered: rect.width * rect.height })
      else single.push(i)
    }
    for (const i of single) requests.push(requestOfOne(images[i]!, i))
    for (const group of merged(groups)) requests.push(requestOf(group, images, lattice!))
  }
  return requests
}

/** null for a box that isn't of this lattice. */
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

/** Joins the two groups that cost the fewest pixels more, or save most, until no two may be joined. */
function merged(groups: Group[]): Group[] {
  let left = groups
  for (;;) {
    let best: { a: Group; b: Group; cost: number } | null = null
    for (const [i, a] of left.entries()) {
      for (let j = i + 1; j < left.length; j++) {
        const b = left[j]!
        const pixels = widthOf(a, b) * heightOf(a, b)
        if (pixels > MOST_PIXELS || pixels > MOST_WASTE * (a.delivered + b.delivered)) continue
        const cost = pixels - a.width * a.height - b.width * b.height
        if (best === null || cost < best.cost) best = { a, b, cost }
      }
    }
    if (best === null) return left
    const { a, b } = best
    const joined = join(a, b)
    left = left.flatMap((group) => (group === a ? [joined] : group === b ? [] : [group]))
  }
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

function requestOf(group: Group, images: readonly ImageCandidate[], lattice: Lattice): PixelRequest {
  const [first] = group.members
  if (group.members.length === 1) return requestOfOne(images[first!]!, first!)
  const { column, row, width, height } = group
  return {
    candidate: images[first!]!,
    grid: {
      width,
      height,
      west: lattice.west + column * lattice.stepX,
      north: lattice.south + (row + height) * lattice.stepY,
      degreesPerPixelX: lattice.stepX,
      degreesPerPixelY: lattice.stepY,
    },
    parts: group.members.map((index) => {
      const rect = rectOf(images[index]!, lattice)!
      return { index, x: rect.column - column, y: row + height - rect.row - rect.height }
    }),
  }
}

/** Pixels that requests ask for. */
export const pixelsIn = (requests: readonly PixelRequest[]): number =>
  requests.reduce((sum, { grid }) => sum + grid.width * grid.height, 0)
