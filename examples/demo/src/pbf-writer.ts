import { constants, deflateSync } from 'node:zlib'
import { deltas, ProtoWriter } from './protobuf.ts'

/** What every OSM element has. Timestamps are ISO 8601 in UTC with seconds. */
interface Element {
  readonly id: number
  readonly tags: Readonly<Record<string, string>>
  readonly version: number
  readonly timestamp: string
}

/** Longitude and latitude in whole 1e-7 degrees, WGS84: the resolution of the OSM database. */
export interface OsmNode extends Element {
  readonly longitude: number
  readonly latitude: number
}

export interface OsmWay extends Element {
  readonly nodes: readonly number[]
}

export interface OsmMember {
  readonly type: 'node' | 'way' | 'relation'
  readonly ref: number
  readonly role: string
}

export interface OsmRelation extends Element {
  readonly members: readonly OsmMember[]
}

export interface OsmData {
  readonly nodes: readonly OsmNode[]
  readonly ways: readonly OsmWay[]
  readonly relations: readonly OsmRelation[]
}

export interface PbfOptions {
  /** Elements in a block; by default the wiki page's "8000 entities". */
  readonly blockElements?: number
  /** Whether elements are sorted by id and the header says so. */
  readonly sorted?: boolean
  /** ISO 8601, of the newest change in the file; left out by default. */
  readonly replicationTimestamp?: string
  readonly replicationSequence?: number
  /** Base address of the server that publishes changes. */
  readonly replicationServer?: string
}

const MEMBER_TYPES = { node: 0, way: 1, relation: 2 } as const
const WRITING_PROGRAM = 'skyscript-demo-town'

/**
 * An .osm.pbf file: an OSMHeader blob (bounding box, required features OsmSchema-V0.6 and DenseNodes, optional feature
 * Sort.Type_then_ID) and OSMData blobs of dense nodes, then ways, then relations, each sorted by id, all zlib.
 * Field numbers as in https://wiki.openstreetmap.org/wiki/PBF_Format and its fileformat.proto and osmformat.proto.
 *
 * The same data gives the same bytes on every machine: blobs are packed with zlib's run-length strategy, since the
 * match search of the other strategies hashes with whatever instructions the processor has.
 */
export function writePbf(data: OsmData, options: PbfOptions = {}): Uint8Array {
  const { blockElements = 8000, sorted = true } = options
  function* blocks<T extends Element>(elements: readonly T[]): Generator<readonly T[]> {
    const ordered = sorted ? elements.toSorted((a, b) => a.id - b.id) : elements
    for (let start = 0; start < ordered.length; start += blockElements)
      yield ordered.slice(start, start + blockElements)
  }
  const blobs: Uint8Array[] = [blob('OSMHeader', header(data, sorted, options))]
  for (const nodes of blocks(data.nodes)) blobs.push(blob('OSMData', block(nodes, writeDenseNodes)))
  for (const ways of blocks(data.ways)) blobs.push(blob('OSMData', block(ways, eachAs(3, writeWay))))
  for (const relations of blocks(data.relations))
    blobs.push(blob('OSMData', block(relations, eachAs(4, writeRelation))))
  return Buffer.concat(blobs)
}

/** fileformat.proto: the size of the BlobHeader as four big-endian bytes, the BlobHeader, the Blob. */
function blob(type: 'OSMHeader' | 'OSMData', content: Uint8Array): Uint8Array {
  const packed = deflateSync(content, { level: 9, strategy: constants.Z_RLE })
  const body = new ProtoWriter().integer(2, content.length).bytes(3, packed).finish()
  const head = new ProtoWriter().bytes(1, type).integer(3, body.length).finish()
  const size = Buffer.alloc(4)
  size.writeUInt32BE(head.length)
  return Buffer.concat([size, head, body])
}

/** HeaderBlock; its bounding box is in nanodegrees. */
function header(
  data: OsmData,
  sorted: boolean,
  { replicationTimestamp, replicationSequence, replicationServer }: PbfOptions,
): Uint8Array {
  const writer = new ProtoWriter()
  if (data.nodes.length > 0) {
    let [left, right, top, bottom] = [Infinity, -Infinity, -Infinity, Infinity]
    for (const { longitude, latitude } of data.nodes) {
      left = Math.min(left, longitude)
      right = Math.max(right, longitude)
      top = Math.max(top, latitude)
      bottom = Math.min(bottom, latitude)
    }
    writer.message(1, (box) => {
      for (const [index, edge] of [left, right, top, bottom].entries()) box.signed(index + 1, edge * 100)
    })
  }
  writer.bytes(4, 'OsmSchema-V0.6').bytes(4, 'DenseNodes')
  if (sorted) writer.bytes(5, 'Sort.Type_then_ID')
  writer.bytes(16, WRITING_PROGRAM)
  if (replicationTimestamp !== undefined) writer.integer(32, seconds(replicationTimestamp))
  if (replicationSequence !== undefined) writer.integer(33, replicationSequence)
  if (replicationServer !== undefined) writer.bytes(34, replicationServer)
  return writer.finish()
}

/** Index of a string in the block's string table. */
type Intern = (text: string) => number

/** PrimitiveBlock of one group, with granularity 100 nanodegrees and timestamps in seconds (both the defaults). */
function block<T extends Element>(
  elements: readonly T[],
  write: (group: ProtoWriter, elements: readonly T[], intern: Intern) => void,
): Uint8Array {
  const strings = new Map<string, number>([['', 0]])
  const intern: Intern = (text) => {
    const known = strings.get(text)
    if (known !== undefined) return known
    strings.set(text, strings.size)
    return strings.size - 1
  }
  const group = new ProtoWriter()
  write(group, elements, intern)
  return new ProtoWriter()
    .message(1, (table) => {
      for (const text of strings.keys()) table.bytes(1, text)
    })
    .bytes(2, group.finish())
    .finish()
}

const seconds = (timestamp: string): number => Date.parse(timestamp) / 1000

function writeDenseNodes(group: ProtoWriter, nodes: readonly OsmNode[], intern: Intern): void {
  const tags = nodes.flatMap(({ id, tags }) => {
    // String 0 ends a node's tags, so that dense nodes can't hold an empty key.
    if (Object.hasOwn(tags, ''))
      throw new TypeError(`Node ${id} has a tag without a key, which dense nodes can't hold.`)
    return [...Object.entries(tags).flatMap(([key, value]) => [intern(key), intern(value)]), 0]
  })
  group.message(2, (dense) => {
    dense.packedSigned(1, deltas(nodes.map(({ id }) => id)))
    dense.message(5, (info) => {
      info.packed(
        1,
        nodes.map(({ version }) => version),
      )
      info.packedSigned(2, deltas(nodes.map(({ timestamp }) => seconds(timestamp))))
      // Changeset, user id and user name: readers expect a value for each node, and the town has no mappers.
      for (const field of [3, 4, 5]) info.packedSigned(field, new Array<number>(nodes.length).fill(0))
    })
    dense.packedSigned(8, deltas(nodes.map(({ latitude }) => latitude)))
    dense.packedSigned(9, deltas(nodes.map(({ longitude }) => longitude)))
    if (tags.some((index) => index !== 0)) dense.packed(10, tags)
  })
}

function eachAs<T>(field: number, write: (writer: ProtoWriter, element: T, intern: Intern) => void) {
  return (group: ProtoWriter, elements: readonly T[], intern: Intern): void => {
    for (const element of elements) group.message(field, (writer) => write(writer, element, intern))
  }
}

function writeElement(writer: ProtoWriter, { id, tags, version, timestamp }: Element, intern: Intern): void {
  writer.integer(1, id)
  writer.packed(2, Object.keys(tags).map(intern))
  writer.packed(3, Object.values(tags).map(intern))
  writer.message(4, (info) => {
    info.integer(1, version).integer(2, seconds(timestamp)).integer(3, 0).integer(4, 0).integer(5, 0)
  })
}

function writeWay(writer: ProtoWriter, way: OsmWay, intern: Intern): void {
  writeElement(writer, way, intern)
  writer.packedSigned(8, deltas(way.nodes))
}

function writeRelation(writer: ProtoWriter, relation: OsmRelation, intern: Intern): void {
  writeElement(writer, relation, intern)
  writer.packed(
    8,
    relation.members.map(({ role }) => intern(role)),
  )
  writer.packedSigned(9, deltas(relation.members.map(({ ref }) => ref)))
  writer.packed(
    10,
    relation.members.map(({ type }) => MEMBER_TYPES[type]),
  )
}
