// @module-tag slow
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { startTiles, type TileServer } from '../packages/gee-fetch/test/xyz-server.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'

let folder: string
let tiles: TileServer
let catalogue: Server
let address: string
let answer: { status: number; body: string }
let asked = 0
const at = (...path: string[]) => join(folder, ...path)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-layers-'))
  tiles = await startTiles()
  catalogue = createServer((_, response) => {
    asked++
    response.writeHead(answer.status).end(answer.body)
  })
  await new Promise<void>((resolve) => catalogue.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(catalogue.address() as AddressInfo).port}/imagery.geojson`
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
})
afterAll(async () => {
  await tiles.close()
  catalogue.close()
  await rm(folder, { recursive: true })
})

const ring = [[7.4, 46.7], [7.6, 46.7], [7.6, 46.8], [7.4, 46.8], [7.4, 46.7]] // biome-ignore format: one box
const layer = (id: string, more = {}, coordinates = [ring]) => ({
  type: 'Feature',
  properties: {
    ...{ id, name: `Layer ${id}`, type: 'tms', url: `${tiles.url}/{zoom}/{x}/{y}`, max_zoom: 19 },
    ...{ attribution: { text: 'Town of the layer' }, license_url: 'https://town/terms', ...more },
  },
  geometry: { type: 'Polygon', coordinates },
})
const index = (...features: unknown[]) => JSON.stringify({ type: 'FeatureCollection', features })
const far = [[17.4, 46.7], [17.6, 46.7], [17.6, 46.8], [17.4, 46.7]] // biome-ignore format: one triangle
const layers = () => index(layer('town-2021'), layer('far', {}, [far]), { properties: { id: 'broken' } })

const region = (place: string, source: object | string, output = 'out') =>
  smallRegion(at('map.osm.pbf'), at(output), {
    imagery: { catalogue: place, sources: [source], earthEngine: { endpoint: 'local' } },
  })
const named = { index: 'town-2021', alias: 'TOWN', licence: 'CC BY 4.0', requests: { concurrent: 20, perSecond: 1000 } }

test('a dataset of a layer is the same wherever its catalogue is, and asks for the catalogue once', async () => {
  writeFileSync(at('imagery.geojson'), layers())
  const first = await buildHere(region(at('imagery.geojson'), named), folder)
  expect(first.lock.counts.kept).toBeGreaterThan(8)
  expect(first.warnings).toContain(
    `imagery.catalogue: 1 entry of ${at('imagery.geojson')} can't be used, such as broken, which has no type; the other 2 can.`,
  )
  expect(first.lock.config.imagery).toMatchObject({
    sources: [{ kind: 'xyz', alias: 'TOWN', title: 'Layer town-2021', licence: 'CC BY 4.0', zoom: [0, 19] }],
  })
  expect(first.lock.config.imagery).not.toHaveProperty('catalogue')
  expect(readFileSync(at('out/ATTRIBUTION.md'), 'utf8')).toContain('Town of the layer')

  answer = { status: 200, body: layers() }
  asked = 0
  const byUrl = await buildHere(region(address, named), folder)
  expect(byUrl).toEqual(expect.objectContaining({ unchanged: true, jobs: {} }))
  expect(asked).toBe(1)
})

test('sources lists the layers of the catalogue that cover the region beside what is shipped', async () => {
  writeFileSync(at('imagery.geojson'), layers())
  writeFileSync(at('region.yaml'), stringify(region(at('imagery.geojson'), named, 'out-sources')))
  const { stdout } = await skyscriptHere(['sources', at('region.yaml'), '--json'])
  const found = JSON.parse(stdout)
  expect(found.sources.map(({ alias }: { alias: string }) => alias)).toContain('TOWN')
  expect(found.layers).toMatchObject([{ id: 'town-2021', licenceUrl: 'https://town/terms' }])
  const table = (await skyscriptHere(['sources', at('region.yaml')])).stdout
  expect(table).toContain(
    '1 layer of imagery.catalogue; name one as { index: id, licence: ... } once you know its licence',
  )
})

test.each([
  [
    'a layer that is not there',
    { ...named, index: 'twon-2021' },
    () => layers(),
    /has no layer twon-2021; the nearest is town-2021\.$/,
  ],
  [
    'a broken entry',
    { ...named, index: 'broken' },
    () => layers(),
    /the layer broken can't be used: its entry has no type\.$/,
  ],
  [
    'a web page',
    named,
    () => '<!DOCTYPE html><html></html>',
    /imagery\.geojson is a web page; give the address of the file itself/,
  ],
  [
    'a layer without levels',
    named,
    () => index(layer('town-2021', { max_zoom: null })),
    /the layer town-2021 has no max_zoom; state zoom/,
  ],
])('%s is refused in one sentence', async (_, source, body, said) => {
  answer = { status: 200, body: body() }
  await expect(buildHere(region(address, source, 'out-refused'), folder)).rejects.toThrow(said)
})

test('a catalogue that is not there is refused in one sentence, and one that is named but not set', async () => {
  answer = { status: 404, body: '' }
  await expect(buildHere(region(address, named, 'out-404'), folder)).rejects.toThrow(
    /^imagery\.catalogue: http:\/\/127\.0\.0\.1:\d+\/imagery\.geojson answered 404; check the address, or use a file\.$/,
  )
  await expect(buildHere(region(at('none.geojson'), named, 'out-none'), folder)).rejects.toThrow(
    /^imagery\.catalogue: .*none\.geojson can't be read \(there is no such file\)\.$/,
  )
  const without = smallRegion(at('map.osm.pbf'), at('out-without'), { imagery: { sources: [named] } })
  await expect(buildHere(without, folder)).rejects.toThrow(/names the layer town-2021; set imagery\.catalogue/)
})

test('a key of the environment reaches the catalogue and the service, and no file', async () => {
  process.env.SKYSCRIPT_SECRET_TOWN = 'k3y-of-the-layer'
  try {
    answer = { status: 200, body: index(layer('town-2021', { url: `${tiles.url}/{zoom}/{x}/{y}?k={apikey}` })) }
    await buildHere(region(`${address}?k=\${SKYSCRIPT_SECRET_TOWN}`, named, 'out-key'), folder)
    expect(tiles.asked.at(-1)).toMatch(/\?k=k3y-of-the-layer$/)
    const files = readdirSync(at('out-key'), { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
    expect(files.length).toBeGreaterThan(20)
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name)).includes('k3y-of-the-layer'), name).toBe(false)
  } finally {
    delete process.env.SKYSCRIPT_SECRET_TOWN
  }
})
