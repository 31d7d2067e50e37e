/** Edits of a map move nothing else: tiles, images and captions of other objects stay as they were. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCaptioner } from '@skyscript/captioner'
import {
  type Box,
  boxesIntersect,
  boxOf,
  getJson,
  type ImageRecord,
  mapTilesOf,
  type OsmObject,
  type PlannedImage,
  sha256,
  silentProgress,
} from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { planTile, sourcesOf } from '@skyscript/gee-fetch'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OsmData, writePbf } from '../../../examples/demo/src/pbf-writer.ts'
import { MemoryStorage } from '../../dataset/test/support/memory-storage.ts'
import { extractTiles } from './extract.ts'
import { type ExtractIndex, extractIndexKey, type SelectIndex, selectIndexKey, selectionKey } from './run.ts'
import { selectObjects, sightByTags } from './select.ts'
import { indexTile, openTiles } from './tiles.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'growing-map-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A square area; its middle is a place of a lattice of 50 m or so, on both sides of the corner of four map tiles. */
interface Thing {
  readonly id: number
  readonly x: number
  readonly y: number
  readonly tags: Readonly<Record<string, string>>
}

const CORNER = [75_000_000, 467_000_000] as const
const STEP = 7_000
const HALF = 1_200

function mapOf(things: readonly Thing[]): OsmData {
  const edit = { version: 1, timestamp: '2024-05-01T12:00:00Z' }
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]] as const // biome-ignore format: one square
  const sorted = things.toSorted((a, b) => a.id - b.id)
  const nodes = sorted.flatMap(({ id, x, y }) =>
    corners.map(([right, up], i) => ({
      id: 10 * id + i,
      longitude: CORNER[0] + STEP * x + HALF * right,
      latitude: CORNER[1] + STEP * y + HALF * up,
      tags: {},
      ...edit,
    })),
  )
  const ways = sorted.map(({ id, tags }) => ({
    id,
    nodes: [0, 1, 2, 3, 0].map((i) => 10 * id + i),
    tags,
    ...edit,
  }))
  return { nodes, ways, relations: [] }
}

const idOf = ({ id }: Thing) => `a${id}`
const SOURCES = ['CH', 'S2'] as const
const captioner = createCaptioner()

/** All that is decided of a map before an image is asked for, and the captions of its images. */
async function decided(things: readonly Thing[]) {
  const path = join(folder, 'map.osm.pbf')
  const bytes = writePbf(mapOf(things))
  await writeFile(path, bytes)
  const settings = { osm: { source: path }, imagery: { sources: SOURCES }, output: folder }
  const config = parseConfig(JSON.stringify(settings), join(folder, 'region.yaml'))
  const storage = new MemoryStorage()
  const { signal } = new AbortController()
  const file = { source: path, path, bytes: bytes.length, sha256: sha256(bytes), release: async () => {} }
  const extract = await extractTiles([file], { clip: null }, captioner, storage, new Set(), silentProgress, signal)
  const index = (await getJson<ExtractIndex>(storage, extractIndexKey(extract)))!
  const select = await selectObjects(config, extract, index, captioner, storage, new Set(), silentProgress)
  const { tiles } = (await getJson<SelectIndex>(storage, selectIndexKey(select)))!
  const reader = openTiles(storage, extract, index)
  const objects = new Map<string, OsmObject>()
  const indexed = new Map<string, Awaited<ReturnType<typeof indexTile>>>()
  for (const tile of Object.keys(index.tiles)) {
    const touching = await reader.touching(tile)
    for (const object of touching) objects.set(object.id, object)
    indexed.set(tile, await indexTile(touching, ({ tags }) => captioner.namedTo(tags)))
  }
  const planned = new Map<string, PlannedImage>()
  for (const tile of Object.keys(tiles)) {
    const chosen = new Set(await getJson<string[]>(storage, selectionKey(select, tile)))
    const sightOf = sightByTags(captioner)
    const focus = (await Array.fromAsync(reader.homeOutlines(tile, (id) => chosen.has(id)))).flatMap(
      (some) =>
      [...some].map((outline) => ({ ...sightOf(outline), id: outline.id, isArea: outline.isArea, box: outline.box, edited: outline.edited, geometry: () => outline.geometry() })), // biome-ignore format: one object
    )
    const plan = planTile({
      tile,
      focus,
      settings: { ...config.imagery, sources: sourcesOf([...SOURCES]), tiles: config.tiles, seed: config.seed },
      candidates: async ({ alias }) => [{ imageId: alias, time: 1.6e12, cloud: 0, footprint: [-180, -85, 180, 85] }],
      origin: async () => 'made up',
    })
    for await (const [{ id }, outcome] of plan) if ('candidates' in outcome) planned.set(id, outcome)
  }
  const captions = new Map<string, unknown>()
  for (const [
    id,
    {
      candidates: [first],
    },
  ] of planned) {
    // biome-ignore format: one line
    const image: ImageRecord = { ...first!, id, filepath: `images2/${id}.jpg`, bytes: 1, sha256: '' }
    const around = new Map<string, OsmObject>()
    for (const tile of mapTilesOf(image.box))
      for (const object of indexed.get(tile)?.search(image.box, image.gsd) ?? []) around.set(object.id, object)
    captions.set(id, captioner.captionImage(image, objects.get(id)!, [...around.values()]))
  }
  return { tiles: index.tiles, objects, planned, captions }
}

const tags = fc.constantFrom<Thing['tags'][]>(
  { building: 'house' },
  { building: 'church', amenity: 'place_of_worship' },
  { building: 'school' },
  { leisure: 'pitch', sport: 'tennis' },
  { leisure: 'pitch' },
  { landuse: 'orchard' },
  { natural: 'water' },
)
const place = fc.integer({ min: -8, max: 7 })
const thing = fc.record({ x: place, y: place, tags })
const map = fc.array(thing, { minLength: 10, maxLength: 40 })
const edit = fc.oneof(
  fc.record({ kind: fc.constant('delete' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('move' as const), at: fc.nat(), x: place, y: place }),
  fc.record({ kind: fc.constant('tags' as const), at: fc.nat(), tags }),
  fc.record({ kind: fc.constant('add' as const), thing }),
)
const edits = fc.array(edit, { minLength: 1, maxLength: 4 })

/** A map, the map after edits, and the ids that these touched. */
const edited = fc.tuple(map, edits).map(([made, changes]) => {
  const before = made.map((each, i): Thing => ({ id: i + 1, ...each }))
  const after = new Map(before.map((each) => [each.id, each]))
  const touched = new Set<string>()
  for (const [i, change] of changes.entries()) {
    const old = 'at' in change ? before[change.at % before.length]! : null
    const next = change.kind === 'add' ? { id: 1000 + i, ...change.thing } : { ...old!, ...change, id: old!.id }
    touched.add(idOf(next))
    if (change.kind === 'delete') after.delete(next.id)
    else after.set(next.id, { id: next.id, x: next.x, y: next.y, tags: next.tags })
  }
  return { before, after: [...after.values()], touched }
})

/** Each reads two files. */
const RUNS = { numRuns: 8 }

/** Values by id that are there on both sides and not the same, or only on one side. */
function differing<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): string[] {
  const ids = new Set([...a.keys(), ...b.keys()])
  return [...ids].filter((id) => JSON.stringify(a.get(id)) !== JSON.stringify(b.get(id)))
}

test('edits change the map tiles that they touch, the images of edited objects, and captions of images that show them', async () => {
  await fc.assert(
    fc.asyncProperty(edited, async ({ before, after, touched }) => {
      const [old, now] = [await decided(before), await decided(after)]
      const boxes = [...touched].flatMap((id): Box[] =>
        [old.objects.get(id), now.objects.get(id)].flatMap((object) => (object ? [boxOf(object.geometry)] : [])),
      )
      const tilesTouched = new Set(boxes.flatMap((box) => mapTilesOf(box)))
      const hashes = ({ tiles }: typeof old) => new Map(Object.entries(tiles).map(([tile, { sha256 }]) => [tile, sha256])) // biome-ignore format: one line
      expect(differing(hashes(old), hashes(now)).filter((tile) => !tilesTouched.has(tile))).toEqual([])
      expect(differing(old.planned, now.planned).filter((id) => !touched.has(id))).toEqual([])
      const showsEdited = (id: string) =>
        boxes.some((box) => boxesIntersect(box, old.planned.get(id)!.candidates[0]!.box))
      expect(differing(old.captions, now.captions).filter((id) => !touched.has(id) && !showsEdited(id))).toEqual([])
    }),
    RUNS,
  )
})
