/** Calls of the REST API written by hand, so that what Google's client sends is not the only thing the server is tried with. */
import { writeFile } from 'node:fs/promises'
import { type Box, type OsmObject, type Position, toFeatureLine } from '@skyscript/core'

export type Node = Readonly<Record<string, unknown>>

export const constant = (value: unknown): Node => ({ constantValue: value })
export const invoke = (functionName: string, args: Readonly<Record<string, Node>> = {}): Node => ({
  functionInvocationValue: { functionName, arguments: args },
})
export const graph = (node: Node) => ({ result: '0', values: { 0: node } })

/** A rectangle in degrees, as a constructor of the API. */
export const rectangle = ([west, south, east, north]: Box): Node =>
  invoke('GeometryConstructors.Polygon', {
    coordinates: constant([
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ]),
  })

export const near = (collection: string, box: Box): Node =>
  invoke('Collection.filter', {
    collection: invoke('ImageCollection.load', { id: constant(collection) }),
    filter: invoke('Filter.intersects', { leftField: constant('.all'), rightValue: rectangle(box) }),
  })

export interface Grid {
  readonly width: number
  readonly height: number
  readonly west: number
  readonly north: number
  /** Degrees. */
  readonly step: number
}

export const pixelsBody = (node: Node, { width, height, west, north, step }: Grid, fileFormat = 'NPY') => ({
  expression: graph(node),
  fileFormat,
  grid: {
    dimensions: { width, height },
    affineTransform: { scaleX: step, scaleY: -step, translateX: west, translateY: north, shearX: 0, shearY: 0 },
    crsCode: 'EPSG:4326',
  },
})

export interface Answered {
  readonly status: number
  readonly type: string | null
  readonly body: Buffer
  /** The message of an error's body. */
  readonly message: string
  readonly headers: Headers
}

export async function post(url: string, method: string, body: unknown, init: RequestInit = {}): Promise<Answered> {
  const response = await fetch(`${url}/v1/projects/p/${method}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
    ...init,
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  let message = ''
  if (response.status !== 200) message = JSON.parse(bytes.toString()).error.message
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: bytes,
    message,
    headers: response.headers,
  }
}

export async function compute(url: string, node: Node): Promise<unknown> {
  const { status, body, message } = await post(url, 'value:compute', { expression: graph(node) })
  if (status !== 200) throw new Error(`${status}: ${message}`)
  return JSON.parse(body.toString()).result
}

/** The values of an NPY body, row by row, bands interleaved; all bands one byte. */
export function npyBytes(body: Buffer): Uint8Array {
  return body.subarray(10 + body.readUInt16LE(8))
}

/** Near Bern: a field with a lake and a house in it. */
export const PLACE: Position = [7.45, 46.72]

export async function writeFeatures(path: string): Promise<void> {
  const [x, y] = PLACE
  const square = (id: string, tags: Record<string, string>, west: number, south: number, side: number): OsmObject => ({
    id,
    tags,
    version: 1,
    timestamp: null,
    geometry: {
      type: 'Polygon',
      coordinates: [
        [
          [west, south],
          [west + side, south],
          [west + side, south + side],
          [west, south + side],
          [west, south],
        ],
      ],
    },
  })
  const objects = [
    square('a1', { landuse: 'farmland' }, x - 0.01, y - 0.01, 0.02),
    square('a2', { natural: 'water', water: 'lake' }, x - 0.004, y - 0.004, 0.003),
    square('a3', { building: 'warehouse' }, x + 0.001, y + 0.001, 0.001),
  ]
  await writeFile(path, objects.map((object) => `${toFeatureLine(object)}\n`).join(''))
}
