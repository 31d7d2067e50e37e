/**
 * `npm run bench:update`: builds a region of some 50,000 pairs, then again after an edit of 1 % of its objects, a quarter
 * each moved, given other tags, deleted and added. Prints what both builds took, the jobs that they did, the images that the
 * second one asked for, and the time to read the extract once. A local Earth Engine of bare ground answers after some
 * 400 ms; the scorer is the demo's, which is small: with real imagery and a real model the first build takes much longer,
 * and the second one hardly. Needs GNU time.
 *
 *   npm run bench:update -- [--objects 51000] [--percent 1] [--latency 400] [--scattered]
 *
 * Edits come in groups of 20 neighbours, as mappers make them; `--scattered` spreads them evenly, which is the most work.
 */
import { glob, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { seededFraction } from '@skyscript/core'
import { startLocalEarthEngine } from '@skyscript/local-earth-engine'
import { openPbf } from '@skyscript/osm-extract'
import { stringify } from 'yaml'
import { type Drawn, type Spot, type Tags, writeMap } from '../../../test/support/small-map.ts'
import { compareBuilds, measuredBuild } from './measured-build.ts'

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '51000' },
    percent: { type: 'string', default: '1' },
    latency: { type: 'string', default: '400' },
    scattered: { type: 'boolean', default: false },
  },
})
const MODEL = fileURLToPath(new URL('../../../examples/demo/model', import.meta.url))

/** Objects of a town, in rows 30 m apart. */
const PER_ROW = 70
const PER_TOWN = PER_ROW ** 2
const PITCH = 30
/** A map tile, about: every town is dense, and the country between them empty. */
const BETWEEN_TOWNS = 8_000
const TOWNS_PER_ROW = 4
/** Objects that are edited together. */
const GROUP = 20

const KINDS: readonly Tags[] = [
  ...['house', 'house', 'house', 'apartments', 'garage', 'commercial', 'school'].map((building) => ({ building })),
  { leisure: 'swimming_pool' },
  { leisure: 'pitch', sport: 'tennis' },
  { landuse: 'grass' },
  { amenity: 'parking' },
  { natural: 'water' },
]

const draw = (purpose: string, id: number, count: number) => Math.floor(seededFraction(0, purpose, String(id)) * count)

function objectAt(id: number, number: number): Drawn {
  const town = Math.floor(number / PER_TOWN)
  const place = number % PER_TOWN
  const spot: Spot = [
    BETWEEN_TOWNS * (town % TOWNS_PER_ROW) + PITCH * (place % PER_ROW),
    BETWEEN_TOWNS * Math.floor(town / TOWNS_PER_ROW) + PITCH * Math.floor(place / PER_ROW),
  ]
  return { id, tags: KINDS[draw('kind', id, KINDS.length)]!, at: [spot], half: 3 + draw('size', id, 3) }
}

type Edit = 'moved' | 'tags' | 'deleted' | 'added'
const EDITS: readonly Edit[] = ['moved', 'tags', 'deleted', 'added']

/** The map after the edit, and the ids that each kind of edit touched. */
function edited(objects: readonly Drawn[]): {
  readonly after: readonly Drawn[]
  readonly ids: Record<Edit, Set<number>>
} {
  const ids: Record<Edit, Set<number>> = { moved: new Set(), tags: new Set(), deleted: new Set(), added: new Set() }
  const next = { version: 2, timestamp: '2024-05-01T00:00:00Z' }
  const after = objects.flatMap((object): readonly Drawn[] => {
    const { id, tags, at, half } = object
    const group = values.scattered ? id : Math.floor(id / GROUP)
    if (seededFraction(0, 'edit', String(group)) >= Number(values.percent) / 100) return [object]
    const edit = EDITS[draw('kind of edit', id, EDITS.length)]!
    const [[east, north]] = at as [Spot]
    const added = { ...object, ...next, id: objects.length + id, at: [[east + 15, north + 15]], half: 3 } as const
    ids[edit].add(edit === 'added' ? added.id : id)
    if (edit === 'deleted') return []
    if (edit === 'added') return [object, added]
    if (edit === 'moved') return [{ ...object, ...next, at: [[east + 4, north + 3]] }]
    return [{ id, at, half: half!, tags: tags.building === undefined ? { building: 'church' } : { leisure: 'playground' }, ...next }] // biome-ignore format: one line
  })
  return { after, ids }
}

/** Seconds to read and unpack every blob of an extract, in one thread. */
function secondsToStream(path: string): number {
  const start = performance.now()
  const file = openPbf(path)
  try {
    for (const blob of file.index()) file.read(blob)
  } finally {
    file.close()
  }
  return (performance.now() - start) / 1000
}

/** Numbers of files on disk by path: one that is written again gets another. */
async function imagesIn(folder: string): Promise<Map<string, number>> {
  const files = new Map<string, number>()
  for await (const path of glob('images*/*.jpg', { cwd: folder })) files.set(path, (await stat(join(folder, path))).ino)
  return files
}

const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-update-'))
const at = (name: string) => join(folder, name)
const objects = Array.from({ length: Number(values.objects) }, (_, i) => objectAt(i + 1, i))
const { after, ids } = edited(objects)
await writeMap(at('before.osm.pbf'), objects)
await writeMap(at('after.osm.pbf'), after)
const server = await startLocalEarthEngine({
  features: [],
  threads: 1,
  latency: { ms: Number(values.latency), jitter: 0.3 },
})
try {
  const region = async (map: string) => {
    const settings = {
      osm: { source: at(map) },
      imagery: { sources: ['CH'], earthEngine: { endpoint: server.url, project: 'bench' } },
      tiles: { minPixels: 48, maxPixels: 160, pointPixels: 48 },
      filter: { scorers: [{ name: 'openai', model: MODEL }] },
      output: at('out'),
    }
    await writeFile(at('region.yaml'), stringify(settings))
    return at('region.yaml')
  }
  const first = await measuredBuild(await region('before.osm.pbf'))
  const imagesBefore = await imagesIn(at('out'))
  const asked = server.stats().requests.pixels
  const second = await measuredBuild(await region('after.osm.pbf'))
  const imagesAfter = await imagesIn(at('out'))
  const written = [...imagesAfter].filter(([path, number]) => imagesBefore.get(path) !== number)
  const hasNewBox = (path: string) => {
    const id = Number(/a(\d+)_/.exec(path)![1])
    return ids.moved.has(id) || ids.added.has(id)
  }
  const again = written.filter(([path]) => !hasNewBox(path))
  const streaming = secondsToStream(at('after.osm.pbf'))
  const limit = 0.03 * first.seconds + streaming
  const edits = EDITS.map((edit) => `${ids[edit].size} ${edit}`).join(', ')
  process.stdout.write(`${first.images} pairs; edited: ${edits}; load ${loadavg()[0]!.toFixed(1)}\n`)
  compareBuilds(first, second, 'target 3 %')
  process.stdout.write(
    `reading the extract once takes ${streaming.toFixed(1)} s; with 3 % of the build that is ${limit.toFixed(1)} s, and the update took ${(second.seconds / limit).toFixed(2)} times as long\n` +
      `${server.stats().requests.pixels - asked} requests for pixels after ${asked}, ${written.length} images written, of which ${again.length} have the box that they had (target 0)\n`,
  )
} finally {
  await server.close()
  await rm(folder, { recursive: true, force: true })
}
