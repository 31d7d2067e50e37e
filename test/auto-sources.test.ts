// @module-tag slow
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTiles, type TileServer } from '../packages/gee-fetch/test/xyz-server.ts'
import { buildHere, SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'

let folder: string
let server: TileServer
const at = (...path: string[]) => join(folder, ...path)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-auto-'))
  server = await startTiles()
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

/** Open sources that need no network but this one. */
const licences = ['public-domain', 'CC-BY-4.0']
const town = () => ({
  kind: 'xyz',
  alias: 'TOWN',
  url: `${server.url}/{z}/{x}/{y}`,
  zoom: [0, 19],
  licence: 'cc by 4.0',
  extent: { type: 'Polygon', coordinates: [[[7.4, 46.7], [7.6, 46.7], [7.5, 46.8], [7.4, 46.7]]] }, // biome-ignore format: one triangle
  requests: { concurrent: 20, perSecond: 1000 },
})
const region = (sources: unknown) =>
  smallRegion(at('map.osm.pbf'), at('out'), { imagery: { sources, licences, earthEngine: { endpoint: 'local' } } })

test('a dataset of auto is the dataset of the sources that it stands for, and its lock names these', async () => {
  const first = await buildHere(region([town(), 'auto']), folder)
  expect(first.warnings).toContain('imagery.sources: auto takes P3, P5, L8, L9; it leaves out ')
  expect(first.warnings).not.toContain('other sources')
  const lock = JSON.parse(readFileSync(at('out/dataset.lock.json'), 'utf8'))
  expect(lock.config.imagery.sources.slice(1)).toEqual(['P3', 'P5', 'L8', 'L9'])
  expect(lock.config.imagery.sources[0]).toMatchObject({ alias: 'TOWN', extent: { type: 'Polygon' } })
  expect(lock.counts.kept).toBeGreaterThan(8)

  const named = await buildHere(region([town(), 'P3', 'P5', 'L8', 'L9']), folder)
  expect(named).toEqual(expect.objectContaining({ unchanged: true, jobs: {} }))
})

test('a dataset that auto would now make of other sources is not changed unseen', async () => {
  await buildHere(region([town(), 'P3']), folder)
  const { warnings } = await buildHere(region([town(), 'auto']), folder)
  expect(warnings).toContain(
    'The dataset was made of other sources (+P5 +L8 +L9); to keep those, name them in imagery.sources instead of auto.',
  )
})
