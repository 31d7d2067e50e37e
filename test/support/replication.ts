/** A server of changes on loopback, laid out as planet.openstreetmap.org and Geofabrik are, and small changes for it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { writePbf } from '../../examples/demo/src/pbf-writer.ts'
import { mapOf, place, SMALL_TOWN, type Spot, type Tags } from './small-map.ts'

/** Noon of a day of January 2024. */
export const day = (number: number): string => `2024-01-${String(number).padStart(2, '0')}T12:00:00Z`

/** A node as a change file has it, edited at noon of a day. */
export interface Edit {
  readonly action: 'create' | 'modify' | 'delete'
  readonly id: number
  readonly version: number
  readonly on: number
  readonly at: Spot
  readonly tags?: Tags
}

export function changeText(edits: readonly Edit[]): string {
  const blocks = edits.map(({ action, id, version, on, at, tags = {} }) => {
    const [longitude, latitude] = place(at).map((degrees) => degrees.toFixed(7))
    const within = Object.entries(tags).map(([key, value]) => `<tag k="${key}" v="${value}"/>`)
    return `<${action}><node id="${id}" version="${version}" timestamp="${day(on)}" lon="${longitude}" lat="${latitude}">${within.join('')}</node></${action}>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<osmChange version="0.6">\n${blocks.join('\n')}\n</osmChange>\n`
}

/** What happens to the small town from one day to the next. */
export const DAYS: readonly (readonly Edit[])[] = [
  [{ action: 'create', id: 201, version: 1, on: 2, at: [-60, 20], tags: { natural: 'tree' } }],
  [
    { action: 'modify', id: 9, version: 2, on: 3, at: [-20, 60], tags: { amenity: 'fountain' } },
    {
      action: 'modify',
      id: 201,
      version: 2,
      on: 3,
      at: [-60, 24],
      tags: { natural: 'tree', leaf_type: 'needleleaved' },
    },
  ],
  [
    { action: 'delete', id: 10, version: 2, on: 4, at: [-30, 50] },
    { action: 'create', id: 202, version: 1, on: 4, at: [40, 70], tags: { man_made: 'storage_tank' } },
  ],
  [{ action: 'modify', id: 202, version: 2, on: 5, at: [42, 70], tags: { man_made: 'water_tower' } }],
]

/** The small town as of 1 January 2024, with the header of a server's extract. */
export const townOf = (server: string | undefined, sequence: number | null = 100, timestamp = day(1)): Uint8Array =>
  writePbf(mapOf(SMALL_TOWN), {
    replicationTimestamp: timestamp,
    ...(sequence !== null && { replicationSequence: sequence }),
    ...(server !== undefined && { replicationServer: server }),
  })

type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface Replication {
  /** The base address. */
  readonly url: string
  readonly origin: string
  /** Paths below the base address, in the order of the requests. */
  readonly asked: string[]
  /** What it has by path below the base address: bytes, or how it answers. */
  readonly files: Map<string, string | Uint8Array | Answer>
  /** Puts the changes of a sequence number and their state there, and names it in state.txt. */
  publish(sequence: number, timestamp: string, edits: readonly Edit[]): void
  close(): Promise<void>
}

export const stateText = (sequence: number, timestamp: string): string =>
  `# original OSM minutely replication sequence number 5866723\ntimestamp=${timestamp.replaceAll(':', '\\:')}\nsequenceNumber=${sequence}\n`

export const changesPath = (sequence: number): string =>
  `000/${String(sequence)
    .padStart(6, '0')
    .replace(/(...)(...)/, '$1/$2')}`

export async function startReplication(name = '/europe/town-updates'): Promise<Replication> {
  const files: Replication['files'] = new Map()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url!.startsWith(`${name}/`) ? request.url!.slice(name.length + 1) : request.url!
    asked.push(path)
    const file = files.get(path)
    if (file === undefined) response.writeHead(404).end('no such file')
    else if (typeof file === 'function') file(request, response)
    else response.writeHead(200, { 'content-length': Buffer.byteLength(file), etag: `"${path}"` }).end(file)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    ...{ url: `${origin}${name}`, origin, asked, files },
    publish(sequence, timestamp, edits) {
      files.set(`${changesPath(sequence)}.osc.gz`, gzipSync(changeText(edits)))
      files.set(`${changesPath(sequence)}.state.txt`, stateText(sequence, timestamp))
      files.set('state.txt', stateText(sequence, timestamp))
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
