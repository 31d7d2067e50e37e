// @module-tag slow
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Box,
  boxContains,
  type FocusObject,
  type ImageRecord,
  mapTileAt,
  mapTileBox,
  type PlannedImage,
  sha256,
} from '@skyscript/core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type LocalEarthEngine, startLocalEarthEngine } from '../../local-earth-engine/src/index.ts'
import { PLACE, writeFeatures } from '../../local-earth-engine/test/calls.ts'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { findCandidates } from '../src/candidates.ts'
import {
  checkSource,
  createEarthEngine,
  createImagery,
  type EarlierImages,
  type EarthEngine,
  fetchImages,
  type Imagery,
  SOURCES,
  type Source,
  sourcesOf,
} from '../src/index.ts'
import { byPreference } from '../src/preference.ts'
import { contextOf, EARTH_ENGINE_ALIASES, earlierOf, focusOf, imageryOf, planAll, settingsOf } from './set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

let folder: string
let server: LocalEarthEngine
let ee: EarthEngine
let imagery: Imagery

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gee-fetch-test-'))
  await writeFeatures(join(folder, 'features.geojsonl'))
  server = await startLocalEarthEngine({ features: [join(folder, 'features.geojsonl')] })
  ee = createEarthEngine({ endpoint: server.url, project: 'p', credentials: null, maxConcurrent: 16 })
  imagery = imageryOf(ee)
})
afterAll(async () => {
  await ee?.close()
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

/** A place covered by each source. */
type Alias = (typeof EARTH_ENGINE_ALIASES)[number]
const PLACES: Readonly<Record<Alias, readonly [number, number]>> = {
  CH: PLACE,
  ES: [-3.7, 40.42],
  DE: [13.05, 52.38],
  FI: [24.94, 60.17],
  US: [-73.86, 40.74],
  P3: PLACE,
  P5: PLACE,
  S2: PLACE,
  L8: PLACE,
  L9: PLACE,
  NL: [5.55, 51.883],
  NE: [-122.33, 45.76],
  LV: [24.74, 56.866],
  SK: [19.163, 48.755],
  EE: [24.959, 58.15],
  EL: [26.73, 58.39],
}

/** An area around a place that fills about 200 pixels of a source. */
function focusAt(alias: Alias, id = 'a7'): FocusObject {
  const [x, y] = PLACES[alias]
  const side = (150 * SOURCES[alias].gsd) / 111_320
  const ring = [
    [x, y],
    [x + side, y],
    [x + side, y + side],
    [x, y + side],
    [x, y],
  ] as [number, number][]
  return focusOf(id, { type: 'Polygon', coordinates: [ring] }, 30)
}

async function planned(alias: Alias, id?: string): Promise<PlannedImage> {
  const tile = mapTileAt(PLACES[alias] as [number, number])
  const settings = settingsOf([SOURCES[alias]])
  const candidates = () => imagery.find(SOURCES[alias], mapTileBox(tile))
  const { kept } = await planAll({
    origin: async () => 'test',
    tile,
    focus: [focusAt(alias, id)],
    settings,
    candidates,
  })
  expect(kept, alias).toHaveLength(1)
  return kept[0]!
}

const context = async (name: string, earlier?: EarlierImages) =>
  contextOf(ee, await openFolder(join(folder, name)), earlier && { earlier })

test.each(EARTH_ENGINE_ALIASES)(
  '%s: one request finds images, a second gives a JPEG of the planned size',
  async (alias) => {
    const before = ee.stats()
    const plan = await planned(alias)
    expect(ee.stats().computeRequests - before.computeRequests).toBe(1)
    const { storage, ...rest } = await context('each')
    const { kept, dropped, failed } = await fetchImages([plan], { storage, ...rest })
    expect([dropped, failed], alias).toEqual([[], []])
    const [record] = kept
    const year = record!.time === null ? '' : String(new Date(record!.time).getUTCFullYear() % 100).padStart(2, '0')
    expect(record!.filepath).toMatch(new RegExp(`^images[2-7]/a7_${alias}_${year}\\.jpg$`))
    const bytes = (await storage.get(record!.filepath))!
    expect([bytes.length, sha256(bytes)]).toEqual([record!.bytes, record!.sha256])
    const { format, channels, space, width, height } = await sharp(bytes).metadata()
    expect([format, channels, space]).toEqual(['jpeg', 3, 'srgb'])
    expect([width, height]).toEqual([record!.width, record!.height])
    const { channels: colours } = await sharp(bytes).stats()
    expect(Math.max(...colours.map(({ stdev }) => stdev))).toBeGreaterThan(1.5)
  },
)

test('images are listed by id, none cloudier than the settings allow', async () => {
  const tile = mapTileBox(mapTileAt(PLACE))
  const found = await imagery.find(SOURCES.S2, tile)
  expect(found.length).toBeGreaterThan(20)
  expect(Math.max(...found.map(({ cloud }) => cloud!))).toBeLessThanOrEqual(20)
  const ids = found.map(({ imageId }) => imageId)
  expect(ids).toEqual(ids.toSorted())
})

test("a collection of another project's assets is found, and if it moved the error says what its folder holds", async () => {
  await checkSource(ee, SOURCES.NE)
  const [folder] = SOURCES.NE.collection.split('/001')
  await expect(checkSource(ee, { ...SOURCES.NE, collection: `${folder}/000` })).rejects.toMatchObject({
    code: 'source-gone',
    message: expect.stringContaining(`${folder} now holds ${SOURCES.NE.collection}`),
  })
})

test('every image of a place is found, whatever the number of images and pages', async () => {
  const box = mapTileBox(mapTileAt(PLACES.S2 as [number, number]))
  const all = await findCandidates(ee, SOURCES.S2, box, { maxCloud: 20 })
  // More clear ones than any fixed limit that was used before.
  expect(all.filter(({ cloud }) => cloud! < 5).length).toBeGreaterThan(100)
  const asked = ee.stats().computeRequests
  expect(await findCandidates(ee, SOURCES.S2, box, { maxCloud: 20, page: 60 })).toEqual(all)
  expect(ee.stats().computeRequests - asked).toBe(Math.floor(all.length / 60) + 1)
  const newest = all.filter(({ cloud }) => cloud! < 5).sort((a, b) => b.time! - a.time!)[0]!
  const [chosen] = byPreference(all, focusAt('S2', 'n1'), { year: 'latest', seed: 51 })
  expect(chosen).toEqual(newest)
})

test('outside a source’s extent no request is sent', async () => {
  const before = ee.stats()
  expect(await imagery.find(SOURCES.FI, [7.4, 46.7, 7.5, 46.8])).toEqual([])
  expect(ee.stats()).toEqual(before)
})

test('a year that is masked here gives way to the next candidate; if all are masked, the object is dropped with the reason', async () => {
  const plan = await planned('CH')
  const tile = mapTileBox(mapTileAt(PLACE))
  const all = await imagery.find(SOURCES.CH, tile)
  const best = plan.candidates[0]!
  const outcomes = await Promise.all(
    all.map(async ({ imageId, time }, i) =>
      fetchImages([{ id: `a${i}`, candidates: [{ ...best, imageId, time }] }], await context('years')),
    ),
  )
  const masked = outcomes.flatMap(({ dropped }, i) => (dropped.length > 0 ? [all[i]!] : []))
  const served = outcomes.flatMap(({ kept }) => kept)
  expect(masked.length).toBeGreaterThan(0)
  expect(served.length).toBeGreaterThan(0)
  const reasons = outcomes.flatMap(({ dropped }) => dropped.map(({ reason }) => reason))
  expect(new Set(reasons)).toEqual(new Set(['image-not-covered']))

  const bad = { ...best, imageId: masked[0]!.imageId, time: masked[0]!.time }
  const good = { ...best, imageId: served[0]!.imageId, time: served[0]!.time }
  const { kept } = await fetchImages([{ id: 'a99', candidates: [bad, good] }], await context('next'))
  expect(kept[0]!.imageId).toBe(good.imageId)
})

test('an image that is gone or refused gives way too, and without another candidate it is a counted reason', async () => {
  const { candidates } = await planned('CH')
  const gone = { ...candidates[0]!, imageId: 'Switzerland/SWISSIMAGE/orthos/10cm/SWISSIMAGE_10cm_1999' }
  const lost = await fetchImages([{ id: 'a1', candidates: [gone] }], await context('gone'))
  expect(lost.dropped).toEqual([{ id: 'a1', reason: 'image-gone' }])
  const { kept } = await fetchImages([{ id: 'a2', candidates: [gone, ...candidates] }], await context('gone'))
  expect(kept).toHaveLength(1)
})

test('an image from an earlier run is reused without a request, unless it was damaged', async () => {
  const plan = await planned('CH')
  const first = await context('reuse')
  const outcome = await fetchImages([plan], first)
  const { kept } = outcome
  const again = await context('reuse', earlierOf(outcome))
  const before = ee.stats().pixelRequests
  expect((await fetchImages([plan], again)).kept).toEqual(kept)
  expect(ee.stats().pixelRequests).toBe(before)
  await first.storage.put(kept[0]!.filepath, 'damaged')
  expect((await fetchImages([plan], again)).kept).toEqual(kept)
  expect(ee.stats().pixelRequests).toBeGreaterThan(before)
})

test('a larger box contains the same pixels: neighbours can be cut out of one image', async () => {
  const { candidates } = await planned('CH')
  const { box, width, height, ...rest } = candidates.at(-1)!
  const [stepX, stepY] = [(box[2] - box[0]) / width, (box[3] - box[1]) / height]
  const larger: Box = [box[0] - 16 * stepX, box[1], box[2], box[3] + 8 * stepY]
  const grown = { ...rest, box: larger, width: width + 16, height: height + 8 }
  const { storage, ...others } = await context('larger')
  const outcome = await fetchImages(
    [
      { id: 'a1', candidates: [{ ...rest, box, width, height }] },
      { id: 'a2', candidates: [grown] },
    ],
    { storage, ...others },
  )
  expect(outcome.kept).toHaveLength(2)
  const raw = async (record: ImageRecord, left: number, top: number) =>
    sharp((await storage.get(record.filepath))!)
      .extract({ left, top, width, height })
      .raw()
      .toBuffer()
  const [one, two] = [await raw(outcome.kept[0]!, 0, 0), await raw(outcome.kept[1]!, 16, 8)]
  // JPEG's blocks of 8 and 16 pixels align, so only colour rounding differs.
  let difference = 0
  for (let i = 0; i < one.length; i++) difference = Math.max(difference, Math.abs(one[i]! - two[i]!))
  expect(difference).toBeLessThanOrEqual(24)
})

test('under faults of every kind the images still arrive, byte for byte', async () => {
  const plans = await Promise.all(
    (['CH', 'ES', 'US', 'S2', 'FI', 'P3'] as const).map((alias, i) => planned(alias, `a${i + 1}`)),
  )
  const fine = await fetchImages(plans, await context('fine'))
  const faulty = await startLocalEarthEngine({
    features: [join(folder, 'features.geojsonl')],
    faults: '429:0.1,500:0.1,503:0.05,cut:0.1,html:0.1,empty:0.1,by:count,seed:3',
  })
  const client = createEarthEngine({ endpoint: faulty.url, project: 'p', credentials: null, maxConcurrent: 4 })
  const outcome = await fetchImages(plans, { ...(await context('faulty')), imagery: imageryOf(client) })
  await client.close()
  const { faults } = faulty.stats()
  await faulty.close()
  expect(Object.keys(faults).length).toBeGreaterThan(0)
  expect(outcome).toEqual(fine)
}, 60_000)

test.each(['S2', 'L8'] as const)('%s: clouds come from its own mask, and a cloudy image gives way', async (alias) => {
  const plan = await planned(alias)
  const best = plan.candidates[0]!
  const box = mapTileBox(mapTileAt(PLACES[alias] as [number, number]))
  const all = await createImagery(
    {
      earthEngine: async () => ee,
      cog: () => Promise.reject(new Error('No files here.')),
      tiles: () => Promise.reject(new Error('No tiles here.')),
      oam: () => Promise.reject(new Error('No scenes here.')),
    },
    { maxCloud: 100, earthEngineOrigin: () => 'test' },
  ).find(SOURCES[alias], box)
  const whole = all.filter(({ footprint }) => boxContains(footprint, best.box)).sort((a, b) => b.cloud! - a.cloud!)
  const cloudy = whole.slice(0, 6).map(({ imageId, time }, i) => ({
    id: `a${i}`,
    candidates: [{ ...best, imageId, time }, best],
  }))
  const outcome = await fetchImages(cloudy, await context(`clouds-${alias}`))
  const passedOver = outcome.findings.filter(({ fault }) => fault === 'image-cloudy')
  expect(passedOver.length).toBeGreaterThan(2)
  for (const { found } of passedOver) expect((found as { cloud: number }).cloud).toBeGreaterThan(0.35)
  expect(outcome.kept.filter(({ imageId }) => imageId === best.imageId)).toHaveLength(passedOver.length)
})

test('a source described in the settings uses its own bands: infrared makes meadows bright in summer', async () => {
  const facts = { gsd: 10, range: [0, 3000] as [number, number], extent: [-180, -56, 180, 83] as Box }
  const [infrared] = sourcesOf([
    {
      kind: 'earth-engine',
      alias: 'NIR',
      id: 'COPERNICUS/S2_SR_HARMONIZED',
      bands: ['B8', 'B4', 'B3'],
      ...facts,
      cloudProperty: 'CLOUDY_PIXEL_PERCENTAGE',
      cloudMask: { band: 'SCL', values: [8, 9, 10] },
      cloudBrightness: null,
      licence: 'CC BY 4.0',
      credit: 'Somebody',
    },
  ])
  const tile = mapTileAt(PLACE)
  const plan = async (source: Source) => {
    const focus = [{ ...focusAt('S2', 'a5'), edited: Date.UTC(2021, 6, 1) }]
    const candidates = (each: Source) => imagery.find(each, mapTileBox(tile))
    return (
      await planAll({
        origin: async () => 'test',
        tile,
        focus,
        settings: settingsOf([source], { year: 'closest' }),
        candidates,
      })
    ).kept
  }
  const { storage, ...rest } = await context('infrared')
  const sources = [infrared!, SOURCES.S2]
  const [own] = (await fetchImages(await plan(infrared!), { storage, ...rest, sources })).kept
  const [usual] = (await fetchImages(await plan(SOURCES.S2), { storage, ...rest, sources })).kept
  expect(own!.filepath).toMatch(/a5_NIR_\d\d\.jpg$/)
  expect(own!.imageId).toBe(usual!.imageId)
  const red = async ({ filepath }: ImageRecord) =>
    (await sharp((await storage.get(filepath))!).stats()).channels[0]!.mean
  expect(await red(own!)).toBeGreaterThan((await red(usual!)) + 5)
  expect(infrared).toMatchObject({ title: 'NIR', licence: 'CC BY 4.0' })
  expect(infrared!.credit(2020)).toBe('Somebody')
})
