import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateSync } from 'node:zlib'
import type { Geometry, OsmObject } from '@skyscript/core'
import { afterAll } from 'vitest'
import {
  type OsmData,
  type OsmMember,
  type OsmNode,
  type OsmWay,
  writePbf,
} from '../../../examples/demo/src/pbf-writer.ts'
import { ProtoWriter } from '../../../examples/demo/src/protobuf.ts'
import { type Need, sharedFile } from '../../../test/support/needs.ts'
import { type ExtractOptions, type ExtractReport, extract } from '../src/index.ts'

export { type OsmData, ProtoWriter, writePbf }

/** Real extracts and test suites that are not part of the repository. */
export const SHARED = fileURLToPath(new URL('../../../../shared/data', import.meta.url))

export const sharedData = (name: string): Need => sharedFile('data', name)

const folder = mkdtempSync(join(tmpdir(), 'osm-extract-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

/** Writes a file that is gone after the tests. */
export function fileOf(bytes: Uint8Array): string {
  const path = join(folder, `${files++}.osm.pbf`)
  writeFileSync(path, bytes)
  return path
}

export interface Read {
  readonly objects: OsmObject[]
  readonly report: ExtractReport
  readonly dropped: Record<string, number>
}

/** Everything tagged in a file, unless the options say else. */
export async function readAll(path: string | readonly string[], options: Partial<ExtractOptions> = {}): Promise<Read> {
  const extraction = extract(path, { wanted: 'all', ...options })
  const objects: OsmObject[] = []
  for await (const object of extraction) objects.push(object)
  const report = extraction.report()
  return { objects, report, dropped: Object.fromEntries(report.dropped) }
}

export const readBytes = (bytes: Uint8Array, options?: Partial<ExtractOptions>): Promise<Read> =>
  readAll(fileOf(bytes), options)

const EDIT = { version: 1, timestamp: '2024-05-01T12:00:00Z' }

/** A small map drawn on a grid of 0.001 degree; nodes are made where they are first named. */
export class Sketch {
  readonly #nodes = new Map<string, OsmNode>()
  readonly #ways: OsmWay[] = []
  readonly #relations: OsmData['relations'][number][] = []

  /** The node at a place of the grid, named `x,y`, with a suffix for a second node at the same place: `3,4b`. */
  node(place: string, tags: Record<string, string> = {}): number {
    const known = this.#nodes.get(place)
    if (known) return known.id
    const [x, y] = place.split(',').map((part) => Number.parseInt(part, 10))
    const id = this.#nodes.size + 1
    this.#nodes.set(place, { id, longitude: x! * 10_000, latitude: y! * 10_000, tags, ...EDIT })
    return id
  }

  /** A way along places, `0,0 1,0 1,1`; `?` stands for a node that the file doesn't have. */
  way(places: string, tags: Record<string, string> = {}): number {
    const id = this.#ways.length + 1
    const nodes = places.split(' ').filter((place) => place !== '')
    this.#ways.push({ id, tags, ...EDIT, nodes: nodes.map((place) => (place === '?' ? 999_999 : this.node(place))) })
    return id
  }

  /** A multipolygon of ways, unless its tags say another type; other members as they are. */
  relation(members: readonly (number | OsmMember)[], tags: Record<string, string> = { landuse: 'forest' }): number {
    const id = this.#relations.length + 1
    this.#relations.push({
      id,
      tags: { type: 'multipolygon', ...tags },
      ...EDIT,
      members: members.map((member) => (typeof member === 'number' ? { type: 'way', ref: member, role: '' } : member)),
    })
    return id
  }

  bytes(): Uint8Array {
    return writePbf({ nodes: [...this.#nodes.values()], ways: this.#ways, relations: this.#relations })
  }

  read(options?: Partial<ExtractOptions>): Promise<Read> {
    return readBytes(this.bytes(), options)
  }
}

/** A geometry in the grid of a sketch, each ring as text from its lowest-left place on: `0,0 4,0 4,4 0,4 0,0`. */
export function drawn(geometry: Geometry): string | string[] | string[][] {
  const place = ([longitude, latitude]: readonly number[]) =>
    `${Math.round(longitude! * 1000)},${Math.round(latitude! * 1000)}`
  if (geometry.type === 'Point') return place(geometry.coordinates)
  if (geometry.type === 'LineString') return geometry.coordinates.map(place).join(' ')
  if (geometry.type === 'MultiLineString') return geometry.coordinates.map((line) => line.map(place).join(' '))
  const ring = (positions: readonly (readonly number[])[]) => {
    const open = positions.slice(0, -1)
    const first = open.reduce((best, [x, y], i) => {
      const [bestX, bestY] = open[best]!
      return y! < bestY! || (y === bestY && x! < bestX!) ? i : best
    }, 0)
    return [...open.slice(first), ...open.slice(0, first), open[first]!].map(place).join(' ')
  }
  const polygon = (rings: readonly (readonly (readonly number[])[])[]) => [
    ring(rings[0]!),
    ...rings.slice(1).map(ring).sort(),
  ]
  return geometry.type === 'Polygon' ? polygon(geometry.coordinates) : geometry.coordinates.map(polygon).sort()
}

/**
 * The same rings give the same value, wherever they start, in whatever order they and the polygons come. Places on a
 * straight edge are left out: the test suite's answers lack some of them.
 */
export function drawnExactly(geometry: Geometry): string[][] {
  const ring = (positions: readonly (readonly number[])[]) => {
    const all = positions.slice(0, -1).map(([x, y]) => [Math.round(x! * 1e7), Math.round(y! * 1e7)] as const)
    const corners = all.filter(([x, y], i) => {
      const [[x0, y0], [x1, y1]] = [all.at(i - 1)!, all[(i + 1) % all.length]!]
      return (x - x0) * (y1 - y) !== (x1 - x) * (y - y0)
    })
    const open = corners.map(String)
    const first = open.indexOf(open.toSorted()[0]!)
    const [forward, backward] = [
      [...open.slice(first), ...open.slice(0, first)],
      [open[first]!, ...open.slice(0, first).reverse(), ...open.slice(first + 1).reverse()],
    ].map((places) => places.join(' '))
    return forward! < backward! ? forward! : backward!
  }
  const polygons =
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : []
  return polygons
    .map((rings) => [ring(rings[0]!), ...rings.slice(1).map(ring).sort()])
    .sort((a, b) => (a.join('|') < b.join('|') ? -1 : 1))
}

/** fileformat.proto: BlobHeader and Blob. `fill` writes the fields of the Blob. */
export function blobOf(type: string, fill: (blob: ProtoWriter) => void): Buffer {
  const body = new ProtoWriter()
  fill(body)
  const bytes = body.finish()
  const head = new ProtoWriter().bytes(1, type).integer(3, bytes.length).finish()
  const size = Buffer.alloc(4)
  size.writeUInt32BE(head.length)
  return Buffer.concat([size, head, bytes])
}

export function zlibBlob(type: string, content: Uint8Array): Buffer {
  return blobOf(type, (blob) => blob.integer(2, content.length).bytes(3, deflateSync(content, { level: 1 })))
}

/** A file of a header and blocks, each block written by hand. */
export function fileOfBlocks(...blocks: ((block: ProtoWriter) => void)[]): Buffer {
  const header = new ProtoWriter().bytes(4, 'OsmSchema-V0.6').bytes(4, 'DenseNodes').finish()
  return Buffer.concat([
    zlibBlob('OSMHeader', header),
    ...blocks.map((fill) => {
      const block = new ProtoWriter()
      fill(block)
      return zlibBlob('OSMData', block.finish())
    }),
  ])
}

/** A string table whose string 0 is empty, as the format asks. */
export const strings =
  (...texts: string[]) =>
  (table: ProtoWriter): void => {
    for (const text of ['', ...texts]) table.bytes(1, text)
  }
