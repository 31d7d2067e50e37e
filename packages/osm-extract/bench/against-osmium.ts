/** Compares what we read of a file with what `osmium export` reads of it. */
import { spawn } from 'node:child_process'
import { type Geometry, type OsmObject, type Position, RELATION_AREA_OFFSET, readLines } from '@skyscript/core'
import { extract } from '../src/index.ts'

export interface Comparison {
  /** Objects that we or osmium have, a closed way that osmium gives as a line and as an area counted once. */
  readonly objects: number
  /** Those with the same kind, tags, rings and, within a millionth, areas. */
  readonly equal: number
  /** Ids with what differs. */
  readonly different: ReadonlyMap<string, 'tags' | 'geometry' | 'only ours' | 'only theirs'>
  /** Of ours, by reason. */
  readonly dropped: ReadonlyMap<string, number>
}

/** @throws Error where osmium isn't on the path */
export async function compareWithOsmium(path: string): Promise<Comparison> {
  const theirs = await exported(path)
  const different = new Map<string, 'tags' | 'geometry' | 'only ours' | 'only theirs'>()
  const extraction = extract(path, { wanted: 'all' })
  let objects = 0
  for await (const object of extraction) {
    objects++
    const their = theirs.get(object.id)
    if (their === undefined) different.set(object.id, 'only ours')
    else if (!sameTags(object, their)) different.set(object.id, 'tags')
    else if (!sameGeometry(object.geometry, their.geometry)) different.set(object.id, 'geometry')
    theirs.delete(object.id)
    // Of a closed way whose tags leave both open osmium makes a line and an area.
    theirs.delete(object.id.startsWith('w') ? `a${object.id.slice(1)}` : object.id.replace(/^a/, 'w'))
  }
  for (const id of theirs.keys()) different.set(id, 'only theirs')
  objects += theirs.size
  return { objects, equal: objects - different.size, different, dropped: extraction.report().dropped }
}

type Exported = Pick<OsmObject, 'tags' | 'geometry'>

async function exported(path: string): Promise<Map<string, Exported>> {
  const options = ['-f', 'geojsonseq', '-x', 'print_record_separator=false', '-u', 'type_id', '--no-progress']
  const osmium = spawn('osmium', ['export', path, ...options], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise<void>((resolve, reject) => {
    osmium.on('error', reject)
    osmium.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`osmium export ended with ${code}`))))
  })
  const objects = new Map<string, Exported>()
  for await (const line of readLines(osmium.stdout)) {
    const { id, geometry, properties } = JSON.parse(line)
    objects.set(ourId(id), { geometry, tags: properties })
  }
  await ended
  return objects
}

/** Areas of osmium are numbered 2 x way and 2 x relation + 1. */
function ourId(id: string): string {
  if (!id.startsWith('a')) return id
  const number = Number(id.slice(1))
  return number % 2 === 0 ? `a${number / 2}` : `a${RELATION_AREA_OFFSET + (number - 1) / 2}`
}

/** Of relations osmium leaves the type away. */
function sameTags({ id, tags }: OsmObject, their: Exported): boolean {
  const isRelation = id.startsWith('a') && Number(id.slice(1)) >= RELATION_AREA_OFFSET
  const text = (all: object) =>
    JSON.stringify(
      Object.entries(all)
        .filter(([key]) => !isRelation || key !== 'type')
        .sort(),
    )
  return text(tags) === text(their.tags)
}

type Ring = readonly Position[]

const polygonsOf = (geometry: Geometry): readonly (readonly Ring[])[] =>
  geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : []

function sameGeometry(ours: Geometry, theirs: Geometry): boolean {
  const place = ([x, y]: Position) => `${Math.round(x * 1e7)},${Math.round(y * 1e7)}`
  const [our, their] = [polygonsOf(ours), polygonsOf(theirs)]
  if (our.length !== their.length) return false
  if (our.length === 0) {
    if (ours.type !== theirs.type) return false
    const line = ({ type, coordinates }: Geometry) =>
      type === 'Point' ? place(coordinates) : (coordinates as Ring).map(place).join(' ')
    return line(ours) === line(theirs)
  }
  // Rings may start anywhere, and come in any order: the same places in each, the same rings in each polygon.
  const ring = (positions: Ring) => positions.slice(1).map(place).sort().join(' ')
  const polygon = ([outer, ...holes]: readonly Ring[]) => [ring(outer!), ...holes.map(ring).sort()].join(' | ')
  const [ourText, theirText] = [our, their].map((all) => all.map(polygon).sort().join(' || '))
  const [ourArea, theirArea] = [areaOf(our), areaOf(their)]
  return ourText === theirText && Math.abs(ourArea - theirArea) <= 1e-6 * Math.abs(theirArea)
}

/** In square degrees, holes taken away. */
function areaOf(polygons: readonly (readonly Ring[])[]): number {
  let area = 0
  for (const rings of polygons) {
    for (const [i, ring] of rings.entries()) {
      const [x0, y0] = ring[0]!
      let double = 0
      for (let k = 1; k < ring.length; k++) {
        const [[x1, y1], [x2, y2]] = [ring[k - 1]!, ring[k]!]
        double += (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
      }
      area += ((i === 0 ? 1 : -1) * Math.abs(double)) / 2
    }
  }
  return area
}
