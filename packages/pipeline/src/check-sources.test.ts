import type { Position } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { sourcesOf } from '@skyscript/gee-fetch'
import { startLocalEarthEngine } from '@skyscript/local-earth-engine'
import sharp from 'sharp'
import { afterEach, expect, test } from 'vitest'
import { startTiles, type TileServer } from '../../gee-fetch/test/xyz-server.ts'
import { checkSources } from './check-sources.ts'
import type { SourceHere } from './sources-here.ts'

const AT: Position = [7.4992, 46.72]
let server: TileServer | undefined
afterEach(async () => server?.close())

async function check(imagery: unknown, lacks: string | null = null) {
  const text = JSON.stringify({ osm: { source: 'a.osm.pbf' }, output: 'out', imagery })
  const config = parseConfig(text, '/regions/a.yaml')
  const here = config.imagery.sources.map(
    (setting): SourceHere => ({
      setting,
      source: sourcesOf([setting])[0]!,
      gsd: 1,
      needs: null,
      lacks,
      objects: 1,
      at: AT,
      terms: null,
      confirmed: null,
    }),
  )
  const answers = await checkSources(here, config, {}, new AbortController().signal)
  return Object.fromEntries(answers)
}

const CAPABILITIES = `<WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms"><Service><Name>WMS</Name></Service>
<Capability><Request><GetMap><Format>image/png</Format></GetMap></Request><Layer>
<CRS>EPSG:2056</CRS><Layer><Name>ortho</Name><CRS>EPSG:2056</CRS></Layer></Layer></Capability></WMS_Capabilities>`

const tilesAt = (url: string, alias = 'TOWN') => ({
  ...{ kind: 'xyz', alias, url: `${url}/{z}/{x}/{y}`, zoom: [0, 18], licence: 'CC0' },
  requests: { concurrent: 4, perSecond: 1000 },
})

test('a service of tiles is asked for one tile at the place, and its size and format are told', async () => {
  server = await startTiles()
  expect(await check({ sources: [tilesAt(server.url)] })).toEqual({
    TOWN: { ok: true, said: expect.stringMatching(/^256 x 256 pixels, \d+(\.\d)? kB of PNG$/) },
  })
  expect(server.asked).toEqual(['/18/136532/92501'])
})

test('what sends no image is told in one sentence each, and keeps no other from being asked', async () => {
  server = await startTiles((request, response) => {
    if (request.url!.startsWith('/gone')) response.writeHead(404).end()
    else if (request.url!.startsWith('/denied')) response.writeHead(403).end('no such customer')
    else return false
    return true
  })
  const { url } = server
  const answers = await check({
    sources: [tilesAt(`${url}/gone`, 'GONE'), tilesAt(`${url}/denied`, 'DENIED'), tilesAt(url)],
  })
  expect(answers).toEqual({
    GONE: { ok: false, said: 'no image at 7.4992, 46.7200' },
    DENIED: { ok: false, said: expect.stringMatching(/answered 403 \(no such customer\)\.$/) },
    TOWN: { ok: true, said: expect.stringContaining('PNG') },
  })
})

test('a map service is asked what it offers, and then for one map', async () => {
  const png = await sharp({ create: { width: 512, height: 512, channels: 3, background: '#385' } })
    .png()
    .toBuffer()
  const asked: string[] = []
  server = await startTiles((request, response) => {
    const query = new URL(request.url!, 'http://here').searchParams
    const what = query.get('REQUEST') ?? query.get('request') ?? ''
    asked.push(what)
    if (what === 'GetMap') response.writeHead(200, { 'Content-Type': 'image/png' }).end(png)
    else response.writeHead(200, { 'Content-Type': 'text/xml' }).end(CAPABILITIES)
    return true
  })
  const maps = { kind: 'wms', alias: 'MAPS', url: `${server.url}/wms`, layers: 'ortho', gsd: 0.25, licence: 'CC0' }
  expect(await check({ sources: [{ ...maps, crs: 'EPSG:2056', format: 'image/png' }] })).toEqual({
    MAPS: { ok: true, said: expect.stringMatching(/^512 x 512 pixels, .* of PNG$/) },
  })
  expect(asked[0]).toBe('GetCapabilities')
  expect(await check({ sources: [{ ...maps, layers: 'other' }] })).toMatchObject({
    MAPS: { ok: false, said: expect.stringContaining('other') },
  })
})

test('what needs something that is missing is not asked', async () => {
  server = await startTiles()
  expect(await check({ sources: [tilesAt(server.url)] }, 'it needs a key')).toEqual({
    TOWN: { ok: false, said: 'not asked: it needs a key' },
  })
  expect(server.asked).toEqual([])
})

test('a collection of Earth Engine is asked for the pixels of its best image there', async () => {
  const earthEngine = await startLocalEarthEngine({ features: [], threads: 1 })
  try {
    const settings = { endpoint: earthEngine.url, project: 'check-test' }
    const answers = await check({ sources: ['S2', 'NL'], earthEngine: settings })
    expect(answers).toEqual({
      S2: { ok: true, said: expect.stringMatching(/^64 x 64 pixels of 20\d\d/) },
      NL: { ok: false, said: 'no image at 7.4992, 46.7200' },
    })
    expect(await check({ sources: ['S2'], earthEngine: { endpoint: 'local' } })).toEqual({
      S2: { ok: true, said: 'drawn from the extract' },
    })
  } finally {
    await earthEngine.close()
  }
})
