import {
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  type Position,
  radians,
  type Tags,
} from '@skyscript/core'
import type { OsmData, OsmMember, OsmNode, OsmRelation, OsmWay } from '../pbf-writer.ts'
import type { Dice } from './dice.ts'
import type { Point, Ring } from './shapes.ts'

/** OSM stores positions in whole 1e-7 degrees. */
const UNITS_PER_DEGREE = 1e7
/** The town's edits lie in 2014 to 2021. */
const FIRST_EDIT = Date.UTC(2014, 0, 1) / 1000
const LAST_EDIT = Date.UTC(2021, 0, 1) / 1000

/**
 * Collects a town's nodes, ways and relations from a plan in metres. The plan is straight; the builder turns and gently
 * bends it onto the map, so that what touches on the plan touches on the map. Points of the plan at the same place are
 * the same node, so that streets join and a pole can stand on its power line.
 */
export class MapBuilder {
  readonly #origin: Position
  readonly #dice: Dice
  readonly #bend: { readonly turn: number; readonly size: number; readonly phase: readonly [number, number] }
  readonly #nodes = new Map<string, { id: number; longitude: number; latitude: number; tags: Tags }>()
  readonly #left = new Set<string>()
  readonly #ways: { id: number; nodes: readonly number[]; tags: Tags }[] = []
  readonly #relations: { id: number; members: readonly OsmMember[]; tags: Tags }[] = []
  #lastId: number

  /** @param origin the middle of the plan, WGS84 degrees; the plan must stay within a few tens of kilometres */
  constructor(origin: Position, dice: Dice) {
    this.#origin = origin
    this.#dice = dice.of('elements')
    const bend = dice.of('bend')
    this.#bend = {
      turn: bend.between(-0.35, 0.35),
      size: bend.between(25, 45),
      phase: [bend.between(0, 2 * Math.PI), bend.between(0, 2 * Math.PI)],
    }
    this.#lastId = 1_000_000 * (1 + bend.index(900))
  }

  /** A node with tags; where a way already passes here, the tags go to the way's node. */
  point(at: Point, tags: Tags): number {
    return this.#node(at, tags)
  }

  line(points: readonly Point[], tags: Tags): number {
    return this.#way(
      points.map((point) => this.#node(point)),
      tags,
    )
  }

  area(ring: Ring, tags: Tags): number {
    const nodes = ring.map((point) => this.#node(point))
    return this.#way([...nodes, nodes[0]!], tags)
  }

  /** A multipolygon relation of untagged closed ways. */
  multipolygon(outers: readonly Ring[], inners: readonly Ring[], tags: Tags): number {
    const members = [
      ...outers.map((ring): OsmMember => ({ type: 'way', ref: this.area(ring, {}), role: 'outer' })),
      ...inners.map((ring): OsmMember => ({ type: 'way', ref: this.area(ring, {}), role: 'inner' })),
    ]
    return this.relation(members, { type: 'multipolygon', ...tags })
  }

  relation(members: readonly OsmMember[], tags: Tags): number {
    const id = this.#nextId()
    this.#relations.push({ id, members, tags })
    return id
  }

  /** A node that ways refer to and the file leaves out, as at the edge of an extract. */
  leaveOut(at: Point): void {
    this.#node(at)
    this.#left.add(this.#key(at))
  }

  data(): OsmData {
    const nodes: OsmNode[] = []
    for (const [key, node] of this.#nodes) if (!this.#left.has(key)) nodes.push({ ...node, ...this.#edit() })
    const ways: OsmWay[] = this.#ways.map((way) => ({ ...way, ...this.#edit() }))
    const relations: OsmRelation[] = this.#relations.map((relation) => ({ ...relation, ...this.#edit() }))
    return { nodes, ways, relations }
  }

  #edit(): { version: number; timestamp: string } {
    const version = 1 + Math.floor(6 * this.#dice.next() ** 3)
    const at = Math.floor(this.#dice.between(FIRST_EDIT, LAST_EDIT))
    return { version, timestamp: new Date(at * 1000).toISOString().replace('.000Z', 'Z') }
  }

  #way(nodes: readonly number[], tags: Tags): number {
    const id = this.#nextId()
    this.#ways.push({ id, nodes, tags })
    return id
  }

  #node(at: Point, tags: Tags = {}): number {
    const key = this.#key(at)
    const known = this.#nodes.get(key)
    if (known) {
      known.tags = { ...known.tags, ...tags }
      return known.id
    }
    const id = this.#nextId()
    const [longitude, latitude] = this.#project(at)
    this.#nodes.set(key, { id, longitude, latitude, tags })
    return id
  }

  /** Centimetres are as fine as OSM's positions, and coarse enough to forgive rounding. */
  #key([x, y]: Point): string {
    return `${Math.round(x * 100)},${Math.round(y * 100)}`
  }

  #nextId(): number {
    return ++this.#lastId
  }

  #project([x, y]: Point): [longitude: number, latitude: number] {
    const { turn, size, phase } = this.#bend
    const bentX = x + size * Math.sin(y / 700 + phase[0])
    const bentY = y + size * Math.sin(x / 800 + phase[1])
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
    const [east, north] = [bentX * cos - bentY * sin, bentX * sin + bentY * cos]
    const [longitude, latitude] = this.#origin
    const units = (degrees: number) => Math.round(degrees * UNITS_PER_DEGREE)
    return [
      units(longitude + east / (METRES_PER_DEGREE_LONGITUDE * Math.cos(radians(latitude)))),
      units(latitude + north / METRES_PER_DEGREE_LATITUDE),
    ]
  }
}
