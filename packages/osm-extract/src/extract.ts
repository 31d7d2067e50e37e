import {
  type Box,
  type Geometry,
  lineId,
  nodeId,
  type OsmObject,
  type Position,
  type Progress,
  relationAreaId,
  silentProgress,
  type Tags,
  wayAreaId,
} from '@skyscript/core'
import { isArea } from './area-rules.ts'
import { assembleArea, type IntegerLine } from './assemble-area.ts'
import { openPbf, type PbfFile } from './blobs.ts'
import { type BlockVisitor, type Element, NODES, RELATIONS, visitBlock, WAYS } from './block.ts'
import { clipTest } from './clip.ts'
import { Numbers } from './cursor.ts'
import { type PbfHeader, parseHeader } from './header.ts'
import { MAX_LATITUDE, MAX_LONGITUDE } from './limits.ts'
import { NodeLocations } from './locations.ts'
import { PbfFault } from './pbf-fault.ts'
import { matchesTag, type TagRules } from './tag-rules.ts'

export interface ExtractOptions {
  /** Which tagged elements become objects: by rules, which is quicker, or by a function of all their tags. */
  readonly wanted: TagRules | ((tags: Tags) => boolean)
  /** Which tags `tagCounts` counts; none where it is left out, since a large file has millions of different tags. */
  counted?(key: string, value: string): boolean
  /** Only objects whose geometry meets this, whole: a box or polygons in degrees. */
  readonly clip?: Box | Geometry | null
  /** In bytes of the file; every pass over it counts. */
  readonly progress?: Progress
  readonly signal?: AbortSignal
}

/** What was read: tagged = emitted + dropped. */
export interface ExtractReport {
  readonly header: PbfHeader
  readonly read: { nodes: number; ways: number; relations: number }
  /** Tagged nodes and ways, and multipolygon and boundary relations with a tag besides `type`. */
  tagged: number
  readonly emitted: { points: number; lines: number; areas: number }
  /** Tagged elements that became no object, by reason. */
  readonly dropped: Map<string, number>
  /** Elements by `key=value`, over the whole file, of the tags that `counted` asks for. */
  readonly tagCounts: Map<string, number>
}

/** Objects in the order nodes, ways, relations, each as in the file; `report` is whole once the iteration has ended. */
export interface Extraction extends AsyncIterable<OsmObject> {
  report(): ExtractReport
}

/**
 * Reads the objects of an .osm.pbf file with their geometry. One blob's objects are made at a time, when asked for.
 *
 * Memory: 16 bytes for each node that a wanted way needs, the member ways of wanted relations, one blob.
 *
 * @throws InputError (PbfFault with the byte offset) where the file is not a whole OSM PBF file
 */
export function extract(path: string, options: ExtractOptions): Extraction {
  let report: ExtractReport | undefined
  return {
    async *[Symbol.asyncIterator]() {
      const file = await openPbf(path)
      try {
        const header = await readHeader(file)
        report = {
          header,
          read: { nodes: 0, ways: 0, relations: 0 },
          tagged: 0,
          emitted: { points: 0, lines: 0, areas: 0 },
          dropped: new Map(),
          tagCounts: new Map(),
        }
        yield* new Reader(file, options, report).objects()
      } finally {
        await file.close()
      }
    },
    report() {
      if (report === undefined) throw new TypeError('The report is there once the iteration has begun.')
      return report
    },
  }
}

async function readHeader(file: PbfFile): Promise<PbfHeader> {
  const [first, ...rest] = file.blobs
  const second = rest.find((blob) => blob.type === 'OSMHeader')
  if (second)
    throw new PbfFault(
      'pbf-second-header',
      'has a second header; it looks like two files in one, so join them with `osmium merge`',
      { path: file.path, offset: second.offset },
    )
  return parseHeader(await file.read(first!), { path: file.path, offset: first!.offset })
}

interface WantedRelation {
  readonly id: number
  readonly ways: readonly number[]
  readonly tags: Tags
  readonly version: number
  readonly timestamp: string | null
}

const isOnEarth = (longitude: number, latitude: number): boolean =>
  Math.abs(longitude) <= MAX_LONGITUDE && Math.abs(latitude) <= MAX_LATITUDE

const NOTHING: BlockVisitor = {}

/**
 * Passes over the file, each over the blobs that hold its kind of element: relations for the ways they need, ways for
 * the nodes they need, nodes, ways again; then the areas of the relations.
 */
class Reader {
  readonly #file: PbfFile
  readonly #options: ExtractOptions
  readonly #report: ExtractReport
  readonly #inClip: (geometry: Geometry) => boolean
  /** What each blob holds. */
  #kinds: readonly number[] = []
  readonly #isSorted: boolean
  readonly #relations: WantedRelation[] = []
  readonly #memberWays = new Map<number, Int32Array | null>()
  #passesDone = 0

  constructor(file: PbfFile, options: ExtractOptions, report: ExtractReport) {
    this.#file = file
    this.#options = options
    this.#report = report
    this.#isSorted = report.header.sorted
    this.#inClip = clipTest(options.clip ?? null)
  }

  async *objects(): AsyncGenerator<OsmObject> {
    this.#kinds = (this.#isSorted && (await this.#kindsByOrder())) || (await this.#kindsOfEach())
    for await (const _ of this.#pass(RELATIONS, this.#findMembers())) {
    }
    const needed = new Numbers()
    for await (const _ of this.#pass(WAYS, this.#collectNeeded(needed))) {
    }
    const locations = new NodeLocations(needed.values.slice(0, needed.length))
    const batch: OsmObject[] = []
    for await (const _ of this.#pass(NODES, this.#locate(locations, batch))) yield* batch.splice(0)
    for await (const _ of this.#pass(WAYS, this.#makeWays(locations, batch))) yield* batch.splice(0)
    for (const relation of this.#relations) {
      this.#options.signal?.throwIfAborted()
      const object = this.#makeArea(relation)
      if (object) yield object
    }
  }

  /** Looks into every blob. */
  async #kindsOfEach(): Promise<number[]> {
    const kinds: number[] = []
    for (const i of this.#file.blobs.keys()) {
      this.#options.signal?.throwIfAborted()
      kinds.push(await this.#kindsAt(i))
    }
    return kinds
  }

  async #kindsAt(i: number): Promise<number> {
    const blob = this.#file.blobs[i]!
    if (blob.type !== 'OSMData') return 0
    return visitBlock(await this.#file.read(blob), { path: this.#file.path, offset: blob.offset }, NOTHING)
  }

  /**
   * Of a sorted file a few blobs tell where ways and relations begin. null where one of them is empty, which leaves
   * open on which side it stands.
   */
  async #kindsByOrder(): Promise<number[] | null> {
    const { blobs } = this.#file
    const known = new Map<number, number>()
    const firstOf = async (kind: number): Promise<number | null> => {
      let [low, high] = [1, blobs.length]
      while (low < high) {
        const middle = (low + high) >>> 1
        const kinds = known.get(middle) ?? (await this.#kindsAt(middle))
        known.set(middle, kinds)
        if (kinds === 0) return null
        if (kinds >= kind) high = middle
        else low = middle + 1
      }
      return low
    }
    const ways = await firstOf(WAYS)
    const relations = ways === null ? null : await firstOf(RELATIONS)
    if (ways === null || relations === null) return null
    return blobs.map((_, i) => known.get(i) ?? (i === 0 ? 0 : i < ways ? NODES : i < relations ? WAYS : RELATIONS))
  }

  /** Visits all blobs that hold some kind of element; gives way to the caller after each. */
  async *#pass(kinds: number, visitor: BlockVisitor): AsyncGenerator<void> {
    const { progress = silentProgress, signal } = this.#options
    const { path, bytes } = this.#file
    const passes = 4
    for (const [i, blob] of this.#file.blobs.entries()) {
      signal?.throwIfAborted()
      const known = this.#kinds[i]!
      if ((known & kinds) === 0) continue
      const origin = { path, offset: blob.offset }
      const found = visitBlock(await this.#file.read(blob), origin, visitor)
      if ((found & ~known) !== 0)
        throw new PbfFault(
          'pbf-not-sorted',
          'says that it is sorted by type, and is not; sort it with `osmium sort`',
          origin,
        )
      yield
      progress.update(Math.floor(((this.#passesDone + (blob.offset + blob.size) / bytes) / passes) * bytes), bytes)
    }
    this.#passesDone++
    progress.update(Math.floor((this.#passesDone / passes) * bytes), bytes)
  }

  #drop(reason: string): void {
    this.#report.dropped.set(reason, (this.#report.dropped.get(reason) ?? 0) + 1)
  }

  #count(element: Element): void {
    const { counted } = this.#options
    if (counted === undefined || element.tagCount === 0 || element.deleted) return
    const { tagCounts } = this.#report
    for (const [key, value] of element.tags()) {
      if (!counted(key, value)) continue
      const tag = `${key}=${value}`
      tagCounts.set(tag, (tagCounts.get(tag) ?? 0) + 1)
    }
  }

  #findMembers(): BlockVisitor {
    const { wanted } = this.#options
    const isWanted =
      typeof wanted === 'function'
        ? (tags: readonly [string, string][]) => wanted(Object.fromEntries(tags))
        : (tags: readonly [string, string][]) => tags.some(([key, value]) => matchesTag(wanted, key, value))
    return {
      relation: (id, members, types, element) => {
        this.#report.read.relations++
        this.#count(element)
        const tags = element.tags()
        const isAreaType = tags.some(
          ([key, value]) => key === 'type' && (value === 'multipolygon' || value === 'boundary'),
        )
        const own = tags.filter(([key]) => key !== 'type')
        if (!isAreaType || own.length === 0) return
        this.#report.tagged++
        if (element.deleted) return this.#drop('deleted')
        if (!isWanted(own)) return this.#drop('not-wanted')
        const ways = new Set<number>()
        for (let i = 0; i < members.length; i++) if (types.values[i] === 1) ways.add(members.values[i]!)
        for (const way of ways) this.#memberWays.set(way, null)
        this.#relations.push({
          id,
          ways: [...ways],
          tags: Object.fromEntries(tags),
          version: element.version,
          timestamp: element.timestamp(),
        })
      },
    }
  }

  #collectNeeded(needed: Numbers): BlockVisitor {
    return {
      way: (id, refs, locations, element) => {
        if (locations || element.deleted || (!this.#memberWays.has(id) && !this.#isWanted(element))) return
        for (let i = 0; i < refs.length; i++) needed.push(refs.values[i]!)
      },
    }
  }

  #isWanted(element: Element): boolean {
    const { wanted } = this.#options
    if (element.tagCount === 0) return false
    return typeof wanted === 'function' ? wanted(Object.fromEntries(element.tags())) : element.hasTag(wanted)
  }

  #locate(locations: NodeLocations, batch: OsmObject[]): BlockVisitor {
    return {
      node: (id, longitude, latitude, element) => {
        this.#report.read.nodes++
        this.#count(element)
        const onEarth = isOnEarth(longitude, latitude)
        if (onEarth && !element.deleted) locations.set(id, longitude, latitude)
        if (element.tagCount === 0) return
        this.#report.tagged++
        if (element.deleted) return this.#drop('deleted')
        if (!this.#isWanted(element)) return this.#drop('not-wanted')
        if (!onEarth) return this.#drop('node-not-on-earth')
        const geometry: Geometry = { type: 'Point', coordinates: [longitude / 1e7, latitude / 1e7] }
        if (!this.#inClip(geometry)) return this.#drop('outside-clip')
        this.#report.emitted.points++
        const tags: Tags = Object.fromEntries(element.tags())
        batch.push({ id: nodeId(id), tags, version: element.version, timestamp: element.timestamp(), geometry })
      },
    }
  }

  #makeWays(locations: NodeLocations, batch: OsmObject[]): BlockVisitor {
    const at = { longitude: 0, latitude: 0 }
    return {
      way: (id, refs, located, element) => {
        this.#report.read.ways++
        this.#count(element)
        const isMember = this.#memberWays.has(id)
        const tagged = element.tagCount > 0
        if (tagged) this.#report.tagged++
        if (element.deleted) {
          if (tagged) this.#drop('deleted')
          return
        }
        const wanted = this.#isWanted(element)
        if (tagged && !wanted) this.#drop('not-wanted')
        if (!wanted && !isMember) return
        const line = new Int32Array(refs.length * 2)
        let complete = refs.length > 0
        for (let i = 0; i < refs.length && complete; i++) {
          if (located) {
            at.longitude = located.longitudes.values[i]!
            at.latitude = located.latitudes.values[i]!
            complete = isOnEarth(at.longitude, at.latitude)
          } else complete = locations.read(refs.values[i]!, at)
          line[2 * i] = at.longitude
          line[2 * i + 1] = at.latitude
        }
        if (isMember && complete) this.#memberWays.set(id, line)
        if (!wanted) return
        if (!complete) return this.#drop('way-incomplete')
        const tags = element.tags()
        const closed = refs.length >= 4 && refs.values[0] === refs.values[refs.length - 1]
        const object = closed && isArea(tags) ? this.#area(wayAreaId(id), [line]) : this.#line(lineId(id), line)
        if (object)
          batch.push({
            ...object,
            tags: Object.fromEntries(tags),
            version: element.version,
            timestamp: element.timestamp(),
          })
      },
    }
  }

  #line(id: string, line: Int32Array): Pick<OsmObject, 'id' | 'geometry'> | null {
    const coordinates: Position[] = []
    for (let i = 0; i < line.length; i += 2) {
      if (i === 0 || line[i] !== line[i - 2] || line[i + 1] !== line[i - 1])
        coordinates.push([line[i]! / 1e7, line[i + 1]! / 1e7])
    }
    if (coordinates.length < 2) {
      this.#drop('way-single-node')
      return null
    }
    const geometry: Geometry = { type: 'LineString', coordinates }
    if (!this.#inClip(geometry)) {
      this.#drop('outside-clip')
      return null
    }
    this.#report.emitted.lines++
    return { id, geometry }
  }

  #area(id: string, lines: readonly IntegerLine[]): Pick<OsmObject, 'id' | 'geometry'> | null {
    const geometry = assembleArea(lines)
    if (typeof geometry === 'string') {
      this.#drop(geometry)
      return null
    }
    if (!this.#inClip(geometry)) {
      this.#drop('outside-clip')
      return null
    }
    this.#report.emitted.areas++
    return { id, geometry }
  }

  #makeArea({ id, ways, tags, version, timestamp }: WantedRelation): OsmObject | null {
    const lines: Int32Array[] = []
    for (const way of ways) {
      const line = this.#memberWays.get(way)
      if (!line) {
        this.#drop('relation-incomplete')
        return null
      }
      lines.push(line)
    }
    const object = this.#area(relationAreaId(id), lines)
    return object && { ...object, tags, version, timestamp }
  }
}
