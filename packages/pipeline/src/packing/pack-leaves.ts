import { type Config, fingerprintOf, mapTileBox } from '@skyscript/core'
import { groupRequests, pixelsIn, type RequestShare, requestShares, sourcesOf } from '@skyscript/gee-fetch'
import { type Leaf, leavesOf } from '../leaves.ts'
import type { PlannedTable } from './planned-table.ts'

/** The planned images of a leaf as they are stored, and what a plan says of them. */
export interface PackedLeaf {
  readonly name: string
  /** Fingerprint of the images. */
  readonly content: string
  readonly kept: number
  /** Requests for pixels and their pixels, if each image is of its first candidate. */
  readonly requests: number
  readonly pixels: number
  /** Of these, what sources outside of Earth Engine are asked for, by alias. */
  readonly others?: Readonly<Record<string, RequestShare>>
  /** JSON of the images, sorted by id. */
  readonly json: Uint8Array<ArrayBuffer>
}

export interface PackSettings {
  readonly tile: string
  readonly grouping: boolean
  readonly sources: Config['imagery']['sources']
}

const utf8 = new TextEncoder()

/** Puts the planned images of a map tile into the leaves of its quadtree. */
export function* packLeaves(table: PlannedTable, settings: PackSettings): Generator<PackedLeaf> {
  const { tile, grouping, sources } = settings
  const all = Array.from({ length: table.size }, (_, image) => image)
  const known = sourcesOf(sources)
  for (const { name, items } of leavesOf(all, (image) => table.position(image), mapTileBox(tile))) {
    const images = sortedById(items, table)
    const { text, canonical } = table.json(images)
    const first = images.map((image) => table.first(image))
    const requests = groupRequests(first, tile, known, grouping)
    const others = requestShares(requests, known)
    yield {
      name,
      content: fingerprintOf(`[${canonical}]`),
      kept: images.length,
      requests: requests.length,
      pixels: pixelsIn(requests),
      ...(others && { others }),
      json: utf8.encode(`${text}\n`),
    }
  }
}

function sortedById(images: Leaf<number>['items'], table: PlannedTable): number[] {
  const ids = images.map((image) => ({ image, id: table.id(image) }))
  return ids.sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ image }) => image)
}
