/** Maps of a dozen objects, and builds of them within this process that take a fraction of a second. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type OsmData, type OsmNode, writePbf } from '../../examples/demo/src/pbf-writer.ts'
import { parseConfig } from '../../packages/core/src/config.ts'
import { type Storage, toFeatureLine } from '../../packages/core/src/index.ts'
import { startLocalEarthEngine } from '../../packages/local-earth-engine/src/index.ts'
import { extract } from '../../packages/osm-extract/src/index.ts'
import { type BuildResult, build } from '../../packages/pipeline/src/coordinator.ts'
import { createExecutor } from '../../packages/pipeline/src/execute.ts'
import { createEmbeddedRunner } from '../../packages/pipeline/src/runner/embedded.ts'
import { stageConcurrency } from '../../packages/pipeline/src/stages/index.ts'
import { openStorage } from '../../packages/worker/src/storages/storages.ts'
import { createTerminal } from '../../packages/worker/src/terminal/terminal.ts'
import { CACHE_BYTES, MODEL, type Town } from './town.ts'

export type Tags = Readonly<Record<string, string>>
/** Metres east and north of the middle of the map. */
export type Spot = readonly [east: number, north: number]

/** Position of the map: 60 m from the east edge of a map tile. */
const MIDDLE = [7.4992, 46.72] as const
const METRES = [111_320 * Math.cos((MIDDLE[1] * Math.PI) / 180), 110_540] as const

/** An object of a map: a node at one spot, a line along several, or a square about one. */
export interface Drawn {
  readonly id: number
  readonly tags: Tags
  readonly at: readonly Spot[]
  /** Half the side of a square, metres. */
  readonly half?: number
  readonly version?: number
  readonly timestamp?: string
}

const EDIT = { version: 1, timestamp: '2020-01-01T00:00:00Z' }

/** Longitude and latitude in degrees. */
export const place = ([east, north]: Spot): [number, number] => [
  MIDDLE[0] + east / METRES[0],
  MIDDLE[1] + north / METRES[1],
]

/** A map as an OSM file has it; relations are of ways by their ids. */
export function mapOf(
  objects: readonly Drawn[],
  relations: readonly { readonly id: number; readonly tags: Tags; readonly ways: readonly number[] }[] = [],
): OsmData {
  const nodes: OsmNode[] = []
  const nodeAt = (id: number, spot: Spot, tags: Tags, edit = EDIT): number => {
    const [longitude, latitude] = place(spot)
    nodes.push({ id, longitude: Math.round(longitude * 1e7), latitude: Math.round(latitude * 1e7), tags, ...edit })
    return id
  }
  const ways = objects.flatMap(({ id, tags, at, half, version = 1, timestamp = EDIT.timestamp }) => {
    const edit = { version, timestamp }
    if (at.length === 1 && half === undefined) {
      nodeAt(id, at[0]!, tags, edit)
      return []
    }
    const [[x, y]] = at as [Spot]
    const corners: readonly Spot[] =
      half === undefined ? at : [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]] // biome-ignore format: one square
    const refs = corners.map((spot, i) => nodeAt(100_000 + id * 100 + i, spot, {}))
    return [{ id, tags, ...edit, nodes: half === undefined ? refs : [...refs, refs[0]!] }]
  })
  const byId = (a: { id: number }, b: { id: number }) => a.id - b.id
  return {
    nodes: nodes.sort(byId),
    ways: ways.sort(byId),
    relations: relations.map(({ id, tags, ways: members }) => ({
      id,
      tags: { type: 'multipolygon', ...tags },
      ...EDIT,
      members: members.map((ref) => ({ type: 'way' as const, ref, role: 'outer' })),
    })),
  }
}

export const writeMap = (path: string, ...map: Parameters<typeof mapOf>): Promise<void> =>
  writeFile(path, writePbf(mapOf(...map)))

/** The features of a map, for a local Earth Engine to draw. */
export async function writeFeatures(map: string, path: string): Promise<string> {
  const lines: string[] = []
  for await (const object of extract(map, { wanted: 'all' })) lines.push(`${toFeatureLine(object)}\n`)
  await writeFile(path, lines.join(''))
  return path
}

/** A town with all kinds of objects, in two map tiles. */
export const SMALL_TOWN: readonly Drawn[] = [
  { id: 1, tags: { building: 'church', 'addr:street': 'Hill', amenity: 'place_of_worship' }, at: [[-40, 0]], half: 14 },
  { id: 2, tags: { building: 'apartments', height: '20' }, at: [[20, 30]], half: 12 },
  { id: 3, tags: { leisure: 'pitch', sport: 'soccer' }, at: [[-10, -90]], half: 40 },
  { id: 4, tags: { natural: 'water', water: 'pond' }, at: [[-150, 60]], half: 30 },
  { id: 5, tags: { landuse: 'orchard' }, at: [[120, 120]], half: 50 },
  { id: 6, tags: { leisure: 'swimming_pool' }, at: [[30, -20]], half: 9 },
  { id: 7, tags: { highway: 'residential', surface: 'asphalt' }, at: [[-200, -30], [0, -35], [200, -25]] }, // biome-ignore format: one line
  { id: 8, tags: { waterway: 'stream' }, at: [[-200, 90], [-100, 100], [150, 60]] }, // biome-ignore format: one line
  { id: 9, tags: { amenity: 'fountain' }, at: [[-15, 45]] },
  { id: 10, tags: { natural: 'tree' }, at: [[-30, 50]] },
  { id: 11, tags: { man_made: 'storage_tank' }, at: [[150, -60]] },
  { id: 12, tags: { power: 'tower' }, at: [[-90, -50]] },
  { id: 13, tags: { landuse: 'farmland' }, at: [[700, 300]], half: 400 },
  { id: 14, tags: { building: 'house' }, at: [[90, 10]], half: 8 },
]

export type Settings = Record<string, unknown>

/** A region of a small map; `changes` replaces settings. */
export const smallRegion = (source: string | readonly string[], output: string, changes: Settings = {}): Settings => ({
  name: 'Small',
  osm: { source },
  imagery: { sources: ['CH', 'S2'], earthEngine: { endpoint: 'local' } },
  tiles: { minPixels: 16, maxPixels: 300, pointPixels: 64 },
  filter: { scorers: [{ name: 'openai', model: MODEL }], val: 2, test: 2, split: { by: 'block', degrees: 0.002 } },
  output,
  ...changes,
})

/** The small town with a server that draws it; the folder holds both. */
export async function startSmallTown(
  folder: string,
  sources: readonly string[] = ['CH', 'S2'],
  objects = SMALL_TOWN,
): Promise<Town> {
  const map = join(folder, 'small-town.osm.pbf')
  await writeMap(map, objects)
  const features = await writeFeatures(map, join(folder, 'small-town.geojsonl'))
  const earthEngine = await startLocalEarthEngine({ features: [features], threads: 1, cacheBytes: CACHE_BYTES })
  const imagery = { sources, earthEngine: { endpoint: earthEngine.url, project: 'town-test' } }
  return { earthEngine, region: (output, changes = {}) => smallRegion(map, output, { imagery, ...changes }) }
}

/** Builds a region in this process. What it warned of is in `warnings`; `wrap` may watch the storage. */
export async function buildHere(
  region: Settings,
  folder: string,
  wrap: (storage: Storage) => Storage = (storage) => storage,
): Promise<BuildResult & { readonly warnings: string }> {
  const config = parseConfig(stringify(region), join(folder, 'region.yaml'))
  const storage = wrap(await openStorage(config.output))
  let warnings = ''
  const terminal = createTerminal({ write: (text) => (warnings += text) })
  const executor = createExecutor(async () => storage)
  const runner = createEmbeddedRunner({
    execute: executor.execute,
    concurrency: await stageConcurrency('embedded'),
    pauseMs: 50,
  })
  try {
    const signal = new AbortController().signal
    return { ...(await build({ config, storage, openStorage, runner, terminal, signal })), warnings }
  } finally {
    await runner.close()
    await executor.close()
  }
}
