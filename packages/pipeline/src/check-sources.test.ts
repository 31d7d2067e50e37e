import type { Position } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { sourcesOf } from '@skyscript/gee-fetch'
import { startLocalEarthEngine } from '@skyscript/local-earth-engine'
import { afterEach, expect, test } from 'vitest'
import { startTiles, type TileServer } from '../../gee-fetch/test/xyz-server.ts'
import { checkSources } from './check-sources.ts'
import type { SourceHere } from './sources-here.ts'

const AT: Position = [7.4992, 46.72]
let server: TileServer | undefined
afterEach(async () => server?.stop())

async function check(imagery: unknown, lacks: string | null = null) {
  const text = JSON.stringify({ osm: { source: 'a.osm.pbf' }, output: 'out', imagery })
  const config = parseConfig(text, '/regions/a.yaml')
  const here = sourcesOf(config.imagery.sources).map(
    (source): SourceHere => ({ source, gsd: 1, needs: null, lacks, objects: 1, at: AT, terms: null, confirmed: null }),
  )
  const answers = await checkSources(here, config, {}, new AbortController().signal)
  return Object.fromEntries(answers)
}

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
