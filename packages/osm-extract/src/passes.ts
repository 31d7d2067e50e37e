import { type Box, count, RELATION_AREA_OFFSET } from '@skyscript/core'
import { isArea } from './area-rules.ts'
import { openPbf, type PbfFile } from './blobs.ts'
import { type BlockVisitor, type Relation, visitBlock, type Way, type WaySkim } from './block.ts'
import { clipTest } from './clip.ts'
import { Numbers } from './cursor.ts'
import type { Element } from './element.ts'
import { FeatureWriter } from './feature-writer.ts'
import { assembleOnGlobe, crossesHalfTurn, cutLine } from './half-turn.ts'
import { type HistoryFile, openHistory } from './history.ts'
import { IdCollector, RankFinder } from './id-set.ts'
import { MAX_LATITUDE, MAX_LONGITUDE } from './limits.ts'
import { type Locations, openLocations } from './locations.ts'
import { IdFinder, LineCollector, LineFinder } from './member-ways.ts'
import { byKind, KINDS } from './newest.ts'
import type { NodeGroup } from './nodes.ts'
import { BlockReducer } from './reduced-block.ts'
import { boxesOfShape, type IntegerLine, type Shape } from './shape.ts'
import { Sightings } from './sightings.ts'
import { TagCounter } from './tag-counter.ts'
import { type TagRules, TagTest } from './tag-rules.ts'
import type { Gathered, Pass, Selection, Shared, Task, TaskResult } from './tasks.ts'

const VISITED = {
  kinds: 'all',
  repeats: 'all',
  versions: 'all',
  members: 'relations',
  refs: 'ways',
  nodes: 'nodes',
  ways: 'ways',
  areas: 'relations',
} as const satisfies Record<Pass, string>

/** https://wiki.openstreetmap.org/wiki/Types_of_relation: those that stand for an area. */
const AREA_TYPES: TagRules = new Map([['type', new Set(['multipolygon', 'boundary'])]])

const isOnEarth = (longitude: number, latitude: number): boolean =>
  Math.abs(longitude) <= MAX_LONGITUDE && Math.abs(latitude) <= MAX_LATITUDE

/** Elements that give way to a newer one, as dropped.csv counts them. */
const OLDER = 'in-several-extracts'

/** One thread's part in reading files: runs any pass over any blob, and holds what it gathers on the way. */
export class BlobPasses {
  readonly #files: readonly PbfFile[]
  readonly #histories: readonly HistoryFile[]
  /** null where everything is wanted. */
  readonly #wanted: TagTest | null
  readonly #areaTypes = new TagTest(AREA_TYPES)
  readonly #isInClip: (shape: Shape, boxes: readonly Box[]) => boolean
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
  readonly #needed = new IdCollector()
  /** Where everything is wanted, nothing can be left out. */
  readonly #reducer: BlockReducer | null
  readonly #writer = new FeatureWriter()
  readonly #memberLines = new LineCollector()
  #members = new IdFinder(new Float64Array(0))
  #ranks: RankFinder | undefined
  #locations: Locations | undefined
  #lines: LineFinder | undefined
  readonly #seen = byKind(() => new Sightings())
  /** Wanted relations, of the task at hand. */
  #relations = 0
  #pass: Pass = 'kinds'
  #relationsAsked: readonly [number, number] = [0, 0]

  readonly #visitors: Readonly<Record<(typeof VISITED)[Pass], BlockVisitor>>

  constructor(paths: readonly string[], { wanted, counted, clip, at }: Selection) {
    this.#histories = at === null ? [] : paths.map((path) => openHistory(path, at))
    this.#files = at === null ? paths.map(openPbf) : this.#histories
    this.#wanted = wanted === 'all' ? null : new TagTest(wanted)
    this.#notWanted = new Float64Array(this.#wanted?.reasons.length ?? 0)
    this.#isInClip = clipTest(clip)
    this.#reducer = wanted === 'all' ? null : new BlockReducer()
    this.#counter = counted === null ? null : new TagCounter(counted === 'all' ? null : new TagTest(counted))
    // One function for each kind of element: a call that goes to several is compiled again and again.
    this.#visitors = {
      all: {
        nodes: (nodes) => {
          const place = this.#seen.nodes.seeAll(nodes.ids.values, nodes.count)
          if (this.#pass === 'kinds') return
          for (let i = 0; i < nodes.count; i++)
            this.#seen.nodes.record(nodes.ids.values[i]!, place + i, () => nodes.versionAt(i))
        },
        way: (way) => this.#record('ways', way),
        relation: (relation) => this.#record('relations', relation),
      },
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

  share({ repeated, newest, memberIds, nodes, lines }: Shared): void {
    for (const kind of KINDS) {
      if (repeated) this.#seen[kind].lookFor(repeated[kind])
      if (newest) this.#seen[kind].settle(newest[kind])
    }
    if (memberIds) this.#members = new IdFinder(memberIds)
    if (nodes) {
      this.#ranks = new RankFinder(nodes.ranks)
      this.#locations = openLocations(nodes.locations)
    }
    if (lines) this.#lines = new LineFinder(lines)
  }

  run({ pass, blobs, relations = [0, 0], reduced = [] }: Task): TaskResult {
    this.#relations = 0
    this.#pass = pass
    this.#relationsAsked = relations
    for (const kind of KINDS) this.#seen[kind].collect(pass === 'repeats')
    const kinds: number[] = []
    const kept: (Uint8Array<ArrayBuffer> | null)[] = []
    for (const [i, blob] of blobs.entries()) {
      const file = this.#files[blob.file]!
      const block = reduced[i] ?? file.read(blob)
      this.#reducer?.begin(block.length)
      // Of a reduced block the places are lost, but it holds nothing that is older.
      for (const kind of KINDS) this.#seen[kind].begin(reduced[i] ? null : blob.number)
      kinds.push(visitBlock(block, { path: file.path, offset: blob.offset }, this.#visitors[VISITED[pass]]))
      if (pass === 'refs') kept.push(this.#reducer?.take() ?? null)
    }
    this.#locations?.flush()
    return {
      kinds,
      chunk: this.#writer.take(),
      relations: this.#relations,
      ranges: byKind((kind) => this.#seen[kind].takeRange()),
      occurrences: pass === 'versions' ? byKind((kind) => this.#seen[kind].takeOccurrences()) : null,
      reduced: kept,
      lines: this.#memberLines.take(),
    }
  }

  gather<What extends keyof Gathered>(what: What): Gathered[What]
  gather(what: keyof Gathered): Gathered[keyof Gathered] {
    if (what === 'ids') return byKind((kind) => this.#seen[kind].takeIds())
    if (what === 'needed') return this.#needed.take()
    if (what === 'memberIds') return this.#foundMembers.values.slice(0, this.#foundMembers.length)
    for (const [reason, n] of this.#notWanted.entries())
      if (n > 0) count(this.#counts.dropped, this.#wanted!.reasons[reason]!, n)
    this.#notWanted.fill(0)
    const edits = {
      oldest: Math.min(...this.#histories.map(({ oldest }) => oldest)),
      newest: Math.max(...this.#histories.map(({ newest }) => newest)),
    }
    return { ...this.#counts, tagCounts: this.#counter?.counts() ?? new Map(), edits }
  }

  close(): void {
    this.#locations?.close()
    for (const file of this.#files) file.close()
  }

  #skimBy({ keys }: TagTest): WaySkim {
    return {
      keys,
      isNeeded: (id) => {
        if (this.#members.indexOf(id) !== -1) return true
        this.#seen.ways.isOlder(id)
        return false
      },
      passOver: (isTagged, reason) => {
        if (this.#pass !== 'refs') return
        this.#counts.read.ways++
        if (!isTagged) return
        this.#counts.tagged++
        this.#notWanted[reason]!++
      },
    }
  }

  #record(kind: 'ways' | 'relations', element: Way | Relation): void {
    const place = this.#seen[kind].see(element.id)
    if (this.#pass !== 'kinds') this.#seen[kind].record(element.id, place, () => element.version)
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
  #isArea(relation: Relation): 'no' | 'not-wanted' | 'deleted' | 'wanted' | typeof OLDER {
    const isOlder = this.#seen.relations.isOlder(relation.id)
    if (relation.tagCount < 2 || !this.#areaTypes.isMeant(relation)) return 'no'
    if (!this.#isWanted(relation)) return 'not-wanted'
    return isOlder ? OLDER : relation.deleted ? 'deleted' : 'wanted'
  }

  #findMembers(relation: Relation): void {
    this.#counts.read.relations++
    relation.checkTags()
    relation.members()
    const is = this.#isArea(relation)
    if (is !== OLDER) this.#count(relation)
    if (is === 'no') return
    this.#counts.tagged++
    if (is === 'not-wanted') return this.#dropNotWanted(relation)
    if (is !== 'wanted') return this.#drop(is)
    this.#relations++
    for (const way of relation.ways()) this.#foundMembers.push(way)
  }

  #collectNeeded(way: Way): void {
    const isOlder = this.#seen.ways.isOlder(way.id)
    if (!isOlder) this.#count(way)
    this.#counts.read.ways++
    const isTagged = way.tagCount > 0
    if (isTagged) this.#counts.tagged++
    if (this.#isWanted(way)) way.checkTags()
    else {
      if (isTagged) this.#dropNotWanted(way)
      if (this.#members.indexOf(way.id) === -1) return
    }
    if (isOlder) {
      if (this.#isWanted(way)) this.#drop(OLDER)
      return
    }
    this.#reducer?.keep(way)
    if (way.isLocated || way.deleted) return
    const { values, length } = way.refs()
    for (let i = 0; i < length; i++) this.#needed.add(values[i]!)
  }

  #visitNodes(nodes: NodeGroup): void {
    const first = this.#seen.nodes.seeAll(nodes.ids.values, nodes.count)
    this.#locate(nodes, first)
    this.#makePoints(nodes, first)
  }

  /** @param first place of the first of them */
  #locate(nodes: NodeGroup, first: number): void {
    const [ids, longitudes, latitudes] = [nodes.ids.values, nodes.longitudes.values, nodes.latitudes.values]
    const [locations, seen] = [this.#locations!, this.#seen.nodes]
    this.#ranks!.forEachKnown(ids, nodes.count, (i, rank) => {
      if (!isOnEarth(longitudes[i]!, latitudes[i]!) || nodes.isDeletedAt(i)) return
      if (!seen.isOlderAt(ids[i]!, first + i)) locations.set(rank, longitudes[i]!, latitudes[i]!)
    })
  }

  #makePoints(nodes: NodeGroup, first: number): void {
    this.#counts.read.nodes += nodes.count
    nodes.forEachTagged((i) => {
      const isOlder = this.#seen.nodes.isOlderAt(nodes.ids.values[i]!, first + i)
      if (!isOlder) this.#count(nodes)
      this.#counts.tagged++
      if (!this.#isWanted(nodes)) return this.#dropNotWanted(nodes)
      nodes.checkTags()
      if (isOlder) return this.#drop(OLDER)
      if (nodes.isDeletedAt(i)) return this.#drop('deleted')
      const [longitude, latitude] = [nodes.longitudes.values[i]!, nodes.latitudes.values[i]!]
      if (!isOnEarth(longitude, latitude)) return this.#drop('node-not-on-earth')
      this.#emit('n', nodes.ids.values[i]!, { type: 'Point', polygons: [[[longitude, latitude]]] }, nodes)
    })
  }

  #makeWay(way: Way): void {
    if (this.#seen.ways.isOlder(way.id)) return
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
    const index = this.#relations++
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
    this.#emit('w', id, { type: 'LineString', polygons: [crossesHalfTurn(steps) ? cutLine(steps) : [steps]] }, way)
  }

  #emitArea(id: number, lines: readonly IntegerLine[], element: Element): void {
    const polygons = assembleOnGlobe(lines)
    if (typeof polygons === 'string') this.#drop(polygons)
    else this.#emit('a', id, { type: 'Area', polygons }, element)
  }

  #emit(prefix: 'n' | 'w' | 'a', id: number, shape: Shape, element: Element): void {
    const boxes = boxesOfShape(shape)
    if (boxes.some(([west, , east]) => east - west > MAX_LONGITUDE)) return this.#drop('around-the-globe')
    if (!this.#isInClip(shape, boxes)) return this.#drop('outside-clip')
    this.#counts.emitted[prefix === 'n' ? 'points' : prefix === 'w' ? 'lines' : 'areas']++
    this.#writer.write(prefix, id, shape, boxes, element)
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
