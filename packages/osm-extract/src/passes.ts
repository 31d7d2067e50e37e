import { type Box, count, type Geometry, RELATION_AREA_OFFSET } from '@skyscript/core'
import { isArea } from './area-rules.ts'
import { assembleArea } from './assemble-area.ts'
import { type BlobIndex, openPbf, type PbfFile } from './blobs.ts'
import { type BlockVisitor, type Relation, visitBlock, type Way, type WaySkim } from './block.ts'
import { clipTest } from './clip.ts'
import { Numbers } from './cursor.ts'
import type { Element } from './element.ts'
import { type FeatureChunk, FeatureWriter } from './feature-writer.ts'
import { MAX_LATITUDE, MAX_LONGITUDE } from './limits.ts'
import { type Locations, openLocations, type SharedLocations } from './locations.ts'
import { IdFinder, LineCollector, LineFinder, type MemberLines, type SharedLines } from './member-ways.ts'
import { NodeCollector, type NodeRanks, type NodeSet, RankFinder } from './needed-nodes.ts'
import type { NodeGroup } from './nodes.ts'
import { BlockReducer } from './reduced-block.ts'
import type { IntegerLine, Shape } from './shape.ts'
import { TagCounter } from './tag-counter.ts'
import { type TagRules, TagTest } from './tag-rules.ts'
import type { TagVerdicts } from './tag-verdicts.ts'

/** What decides which objects come out; plain data, which threads can be given. */
export interface Selection {
  readonly wanted: TagRules | TagVerdicts | 'all'
  readonly counted: TagRules | TagVerdicts | 'all' | null
  readonly clip: Box | Geometry | null
}

/** Each builds on what the ones before it found; `positions` is what `nodes` does besides making objects. */
export type Pass = 'kinds' | 'members' | 'refs' | 'nodes' | 'positions' | 'ways' | 'areas'

/** Some successive blobs for a thread to pass over: it takes time to hand over a task. */
export interface Task {
  readonly pass: Pass
  readonly blobs: readonly BlobIndex[]
  /** For areas: which of the wanted relations, from and before. */
  readonly relations?: readonly [from: number, before: number]
  /** What to read instead of a blob, where the pass before reduced it. */
  readonly reduced?: readonly (Uint8Array | null)[]
}

export interface TaskResult {
  /** Kinds of elements in each blob. */
  readonly kinds: readonly number[]
  /** Objects, in the order of the file. */
  readonly chunk: FeatureChunk | null
  /** Number of relations that are to become areas. */
  readonly relations: number
  /** First and last id of the nodes; null where they don't rise. */
  readonly range: readonly [first: number, last: number] | null
  /** Of `refs`: each blob's block reduced to the ways that are needed; null where most of them are. */
  readonly reduced: readonly (Uint8Array<ArrayBuffer> | null)[]
  /** Of `ways`: lines of ways that relations need. */
  readonly lines: MemberLines | null
}

/** What a pass found in the whole file, as every thread is told. */
export interface Shared {
  readonly memberIds?: Float64Array
  readonly nodes?: { readonly ranks: NodeRanks; readonly locations: SharedLocations }
  readonly lines?: SharedLines
}

/** What one thread gathered; everything is to be had once. */
export interface Gathered {
  /** Ways that wanted relations have as members, with repeats. */
  memberIds: Float64Array<ArrayBuffer>
  /** Nodes of wanted ways and of member ways. */
  needed: NodeSet
  counts: Counts
}

export interface Counts {
  readonly read: { nodes: number; ways: number; relations: number }
  tagged: number
  readonly emitted: { points: number; lines: number; areas: number }
  readonly dropped: Map<string, number>
  readonly tagCounts: ReadonlyMap<string, number>
}

const VISITED = {
  kinds: 'none',
  members: 'relations',
  refs: 'ways',
  nodes: 'nodes',
  positions: 'nodes',
  ways: 'ways',
  areas: 'relations',
} as const satisfies Record<Pass, string>

/** https://wiki.openstreetmap.org/wiki/Types_of_relation: those that stand for an area. */
const AREA_TYPES: TagRules = new Map([['type', new Set(['multipolygon', 'boundary'])]])

const isOnEarth = (longitude: number, latitude: number): boolean =>
  Math.abs(longitude) <= MAX_LONGITUDE && Math.abs(latitude) <= MAX_LATITUDE

/** One thread's part in reading a file: runs any pass over any blob, and holds what it gathers on the way. */
export class BlobPasses {
  readonly #file: PbfFile
  /** null where everything is wanted. */
  readonly #wanted: TagTest | null
  readonly #areaTypes = new TagTest(AREA_TYPES)
  readonly #isInClip: (shape: Shape) => boolean
  readonly #counter: TagCounter | null
  readonly #counts = {
    read: { nodes: 0, ways: 0, relations: 0 },
    tagged: 0,
    emitted: { points: 0, lines: 0, areas: 0 },
    dropped: new Map<string, number>(),
  }
  /** By reason. Most elements are dropped so, and a map would take as long as the rest. */
  readonly #notWanted: Float64Array
  readonly #foundMembers = new Numbers()
  readonly #needed = new NodeCollector()
  /** Where everything is wanted, nothing can be left out. */
  readonly #reducer: BlockReducer | null
  readonly #writer = new FeatureWriter()
  readonly #memberLines = new LineCollector()
  #members = new IdFinder(new Float64Array(0))
  #ranks: RankFinder | undefined
  #locations: Locations | undefined
  #lines: LineFinder | undefined
  /** Of the task at hand. */
  #found = { relations: 0, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY, isRising: true }
  #pass: Pass = 'kinds'
  #relationsAsked: readonly [number, number] = [0, 0]

  readonly #visitors: Readonly<Record<(typeof VISITED)[Pass], BlockVisitor>>

  constructor(path: string, { wanted, counted, clip }: Selection) {
    this.#file = openPbf(path)
    this.#wanted = wanted === 'all' ? null : new TagTest(wanted)
    this.#notWanted = new Float64Array(this.#wanted?.reasons.length ?? 0)
    this.#isInClip = clipTest(clip)
    this.#reducer = wanted === 'all' ? null : new BlockReducer()
    this.#counter = counted === null ? null : new TagCounter(counted === 'all' ? null : new TagTest(counted))
    // One function for each kind of element: a call that goes to several is compiled again and again.
    this.#visitors = {
      none: {},
      nodes: { nodes: (nodes) => this.#visitNodes(nodes) },
      ways: {
        way: (way) => (this.#pass === 'refs' ? this.#collectNeeded(way) : this.#makeWay(way)),
        // To count tags, all ways must be looked at.
        ...(this.#wanted && !this.#counter && { skim: this.#skimBy(this.#wanted) }),
      },
      relations: {
        relation: (relation) => (this.#pass === 'members' ? this.#findMembers(relation) : this.#makeArea(relation)),
      },
    }
  }

  share({ memberIds, nodes, lines }: Shared): void {
    if (memberIds) this.#members = new IdFinder(memberIds)
    if (nodes) {
      this.#ranks = new RankFinder(nodes.ranks)
      this.#locations = openLocations(nodes.locations)
    }
    if (lines) this.#lines = new LineFinder(lines)
  }

  run({ pass, blobs, relations = [0, 0], reduced = [] }: Task): TaskResult {
    this.#found = { relations: 0, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY, isRising: true }
    this.#pass = pass
    this.#relationsAsked = relations
    const { path } = this.#file
    const kinds: number[] = []
    const kept: (Uint8Array<ArrayBuffer> | null)[] = []
    for (const [i, blob] of blobs.entries()) {
      const block = reduced[i] ?? this.#file.read(blob)
      this.#reducer?.begin(block.length)
      kinds.push(visitBlock(block, { path, offset: blob.offset }, this.#visitors[VISITED[pass]]))
      if (pass === 'refs') kept.push(this.#reducer?.take() ?? null)
    }
    this.#locations?.flush()
    const { first, last, isRising } = this.#found
    return {
      kinds,
      chunk: this.#writer.take(),
      relations: this.#found.relations,
      range: isRising ? [first, last] : null,
      reduced: kept,
      lines: this.#memberLines.take(),
    }
  }

  gather<What extends keyof Gathered>(what: What): Gathered[What]
  gather(what: keyof Gathered): Gathered[keyof Gathered] {
    if (what === 'needed') return this.#needed.take()
    if (what === 'memberIds') return this.#foundMembers.values.slice(0, this.#foundMembers.length)
    for (const [reason, n] of this.#notWanted.entries())
      if (n > 0) count(this.#counts.dropped, this.#wanted!.reasons[reason]!, n)
    this.#notWanted.fill(0)
    return { ...this.#counts, tagCounts: this.#counter?.counts() ?? new Map() }
  }

  close(): void {
    this.#locations?.close()
    this.#file.close()
  }

  #skimBy({ keys }: TagTest): WaySkim {
    return {
      keys,
      isNeeded: (id) => this.#members.indexOf(id) !== -1,
      passOver: (isTagged, reason) => {
        if (this.#pass !== 'refs') return
        this.#counts.read.ways++
        if (!isTagged) return
        this.#counts.tagged++
        this.#notWanted[reason]!++
      },
    }
  }

  #isWanted(element: Element): boolean {
    return this.#wanted === null ? element.tagCount > 0 : this.#wanted.isMeant(element)
  }

  #drop(reason: string): void {
    count(this.#counts.dropped, reason)
  }

  /** Of an element that has tags, in the one pass that counts it. */
  #dropNotWanted(element: Element): void {
    this.#notWanted[this.#wanted!.reasonOf(element)]!++
  }

  #count(element: Element): void {
    if (this.#counter && !element.deleted) this.#counter.add(element)
  }

  /** Whether a relation is to become an area: it has a type of one, and is wanted for another tag. */
  #isArea(relation: Relation): 'no' | 'not-wanted' | 'deleted' | 'wanted' {
    if (relation.tagCount < 2 || !this.#areaTypes.isMeant(relation)) return 'no'
    if (!this.#isWanted(relation)) return 'not-wanted'
    return relation.deleted ? 'deleted' : 'wanted'
  }

  #findMembers(relation: Relation): void {
    this.#counts.read.relations++
    relation.checkTags()
    relation.members()
    this.#count(relation)
    const is = this.#isArea(relation)
    if (is === 'no') return
    this.#counts.tagged++
    if (is === 'not-wanted') return this.#dropNotWanted(relation)
    if (is === 'deleted') return this.#drop(is)
    this.#found.relations++
    for (const way of relation.ways()) this.#foundMembers.push(way)
  }

  #collectNeeded(way: Way): void {
    this.#count(way)
    this.#counts.read.ways++
    const isTagged = way.tagCount > 0
    if (isTagged) this.#counts.tagged++
    if (this.#isWanted(way)) way.checkTags()
    else {
      if (isTagged) this.#dropNotWanted(way)
      if (this.#members.indexOf(way.id) === -1) return
    }
    this.#reducer?.keep(way)
    if (way.isLocated || way.deleted) return
    const { values, length } = way.refs()
    for (let i = 0; i < length; i++) this.#needed.add(values[i]!)
  }

  #visitNodes(nodes: NodeGroup): void {
    this.#locate(nodes)
    if (this.#pass === 'nodes') this.#makePoints(nodes)
  }

  #locate(nodes: NodeGroup): void {
    const [ids, longitudes, latitudes] = [nodes.ids.values, nodes.longitudes.values, nodes.latitudes.values]
    const [locations, found] = [this.#locations!, this.#found]
    const { count } = nodes
    if (count > 0) found.first = Math.min(found.first, ids[0]!)
    let { last } = found
    for (let i = 0; i < count; i++) {
      if (ids[i]! < last) found.isRising = false
      last = ids[i]!
    }
    found.last = last
    this.#ranks!.forEachKnown(ids, count, (i, rank) => {
      if (isOnEarth(longitudes[i]!, latitudes[i]!) && !nodes.isDeletedAt(i))
        locations.set(rank, longitudes[i]!, latitudes[i]!)
    })
  }

  #makePoints(nodes: NodeGroup): void {
    this.#counts.read.nodes += nodes.count
    nodes.forEachTagged((i) => {
      this.#count(nodes)
      this.#counts.tagged++
      if (!this.#isWanted(nodes)) return this.#dropNotWanted(nodes)
      nodes.checkTags()
      if (nodes.isDeletedAt(i)) return this.#drop('deleted')
      const [longitude, latitude] = [nodes.longitudes.values[i]!, nodes.latitudes.values[i]!]
      if (!isOnEarth(longitude, latitude)) return this.#drop('node-not-on-earth')
      this.#emit('n', nodes.ids.values[i]!, { type: 'Point', polygons: [[[longitude, latitude]]] }, nodes)
    })
  }

  #makeWay(way: Way): void {
    const isWanted = this.#isWanted(way)
    const isMember = this.#members.indexOf(way.id) !== -1
    if (!isWanted && !isMember) return
    if (way.deleted) {
      if (isWanted) this.#drop('deleted')
      return
    }
    const refs = way.refs()
    const line = way.isLocated ? ownLine(way) : this.#lineThrough(refs)
    if (isMember && line) this.#memberLines.add(way.id, line)
    if (!isWanted) return
    if (!line) return this.#drop('way-incomplete')
    const isClosed = refs.length >= 4 && refs.values[0] === refs.values[refs.length - 1]
    if (isClosed && isArea(way)) this.#emitArea(way.id, [line], way)
    else this.#emitLine(way.id, line, way)
  }

  /** null where a node is missing, or there is none. */
  #lineThrough({ values, length }: Numbers): number[] | null {
    const [ranks, locations] = [this.#ranks!, this.#locations!]
    const line = new Array<number>(2 * length)
    for (let i = 0; i < length; i++) {
      const rank = ranks.rankOf(values[i]!)
      if (rank === -1 || !locations.read(rank)) return null
      line[2 * i] = locations.longitude
      line[2 * i + 1] = locations.latitude
    }
    return length > 0 ? line : null
  }

  #makeArea(relation: Relation): void {
    if (this.#isArea(relation) !== 'wanted') return
    const index = this.#found.relations++
    const [from, before] = this.#relationsAsked
    if (index < from || index >= before) return
    const lines: IntegerLine[] = []
    for (const way of relation.ways()) {
      const line = this.#lines!.lineOf(way)
      if (line === null) return this.#drop('relation-incomplete')
      lines.push(line)
    }
    this.#emitArea(RELATION_AREA_OFFSET + relation.id, lines, relation)
  }

  #emitLine(id: number, line: readonly number[], way: Way): void {
    const steps = withoutRepeats(line)
    if (steps.length < 4) return this.#drop('way-single-node')
    this.#emit('w', id, { type: 'LineString', polygons: [[steps]] }, way)
  }

  #emitArea(id: number, lines: readonly IntegerLine[], element: Element): void {
    const polygons = assembleArea(lines)
    if (typeof polygons === 'string') this.#drop(polygons)
    else this.#emit('a', id, { type: 'Area', polygons }, element)
  }

  #emit(prefix: 'n' | 'w' | 'a', id: number, shape: Shape, element: Element): void {
    if (!this.#isInClip(shape)) return this.#drop('outside-clip')
    this.#counts.emitted[prefix === 'n' ? 'points' : prefix === 'w' ? 'lines' : 'areas']++
    this.#writer.write(prefix, id, shape, element)
  }
}

/** Of LocationsOnWays; null where a place is not on Earth, as writers mark missing nodes. */
function ownLine(way: Way): number[] | null {
  const { longitudes, latitudes } = way.locations()
  const line: number[] = []
  for (let i = 0; i < longitudes.length; i++) {
    const [longitude, latitude] = [longitudes.values[i]!, latitudes.values[i]!]
    if (!isOnEarth(longitude, latitude)) return null
    line.push(longitude, latitude)
  }
  return line.length > 0 ? line : null
}

/** A line without places that repeat the one before. */
function withoutRepeats(line: readonly number[]): readonly number[] {
  let repeats = false
  for (let i = 2; i < line.length && !repeats; i += 2) repeats = line[i] === line[i - 2] && line[i + 1] === line[i - 1]
  if (!repeats) return line
  return line.filter((_, i) => {
    const at = i - (i % 2)
    return at === 0 || line[at] !== line[at - 2] || line[at + 1] !== line[at - 1]
  })
}
