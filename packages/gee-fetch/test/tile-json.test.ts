import { ServiceError, type SourceSettings } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { afterEach, expect, test, vi } from 'vitest'
import { completeSources, createTileImagery, sourcesOf, type TileSource } from '../src/index.ts'
import { startTiles, type TileServer } from './xyz-server.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const KEY = 'k3y-of-the-town'
const fillIn = (address: string) => address.replaceAll('$' + '{SKYSCRIPT_SECRET_TOWN}', KEY)

let server: TileServer | undefined
afterEach(async () => server?.close())

/** Serves tiles, and a document at `/tiles.json` that is made with the server's address. */
async function serve(document: (url: string) => unknown, status = 200) {
  server = await startTiles((request, response) => {
    if (!request.url!.startsWith('/tiles.json')) return false
    const made = document(`http://${request.headers.host}`)
    response.writeHead(status).end(typeof made === 'string' ? made : JSON.stringify(made))
    return true
  })
  return server
}

const tileJson = (url: string) => ({
  tilejson: '3.0.0',
  name: 'Town 2021',
  tiles: [`${url}/{z}/{x}/{y}`],
  minzoom: 8,
  maxzoom: 19,
  bounds: [7.4, 46.7, 7.6, 46.8],
  attribution: '<a href="https://town">&copy; Town &amp; Son</a>',
})

const settingsOf = (changes: object): SourceSettings =>
  parseConfig(
    JSON.stringify({
      osm: { source: 'x.osm.pbf' },
      output: 'out',
      imagery: { sources: [{ kind: 'xyz', alias: 'TOWN', licence: 'CC0', ...changes }] },
    }),
    '/r.yaml',
  ).imagery.sources[0] as SourceSettings

async function completed(changes: object): Promise<SourceSettings> {
  const [source] = await completeSources([settingsOf(changes)], { fillIn })
  return source!
}

test('a TileJSON says where the tiles are, their levels, bounds, name and credit', async () => {
  const { url } = await serve(tileJson)
  expect(await completed({ url: `${url}/tiles.json` })).toMatchObject({
    url: `${url}/{z}/{x}/{y}`,
    zoom: [8, 19],
    extent: [7.4, 46.7, 7.6, 46.8],
    title: 'Town 2021',
    credit: '© Town & Son',
    licence: 'CC0',
  })
})

test('addresses of tiles may be relative to the document, or to its server', async () => {
  for (const template of ['/{z}/{x}/{y}', '{z}/{x}/{y}']) {
    const { url } = await serve(() => ({ ...tileJson(''), tiles: [template] }))
    expect(await completed({ url: `${url}/tiles.json` })).toMatchObject({ url: `${url}/{z}/{x}/{y}` })
    await server?.close()
  }
  server = undefined
})

test('what the settings state counts more than the TileJSON', async () => {
  const { url } = await serve(tileJson)
  const stated = { zoom: [0, 17], extent: [7, 46, 8, 47], title: 'Mine', credit: 'Me' }
  expect(await completed({ url: `${url}/tiles.json`, ...stated })).toMatchObject(stated)
})

test('images come from the tiles of a TileJSON, whose rows may count from the south', async () => {
  const { url, asked } = await serve((address) => ({ ...tileJson(address), scheme: 'tms' }))
  const [source] = sourcesOf([await completed({ url: `${url}/tiles.json` })]) as [TileSource]
  const tiles = createTileImagery({ fillIn })
  try {
    expect(await tiles.check(source, [7.4992, 46.72])).not.toBeNull()
  } finally {
    await tiles.close()
  }
  expect(asked.at(-1)).toBe(`/19/273065/${2 ** 19 - 1 - 185002}`)
})

test('a key is in no settings, also where the document repeats it', async () => {
  const { url, asked } = await serve((address) => ({
    ...tileJson(address),
    tiles: [`${address}/{z}/{x}/{y}?k=${KEY}`],
  }))
  const source = await completed({ url: `${url}/tiles.json?k={key}` })
  expect(asked).toEqual([`/tiles.json?k=${KEY}`])
  expect(source).toMatchObject({ url: `${url}/{z}/{x}/{y}?k=\${SKYSCRIPT_SECRET_TOWN}` })
  expect(JSON.stringify(source)).not.toContain(KEY)
})

test.each([
  ['a web page', () => '<html></html>', /^TOWN: http.*\/tiles\.json is a web page, not TileJSON\.$/],
  ['other JSON', () => ({ maps: [] }), /is no TileJSON: it lists no tiles\.$/],
  ['a list', () => '[]', /is no TileJSON: it lists no tiles\.$/],
  ['text', () => 'not found', /is no TileJSON\.$/],
  [
    'vector tiles',
    (url: string) => ({ ...tileJson(url), vector_layers: [] }),
    /describes vector tiles, which are no images\.$/,
  ],
  [
    'no levels',
    (url: string) => ({ ...tileJson(url), maxzoom: undefined }),
    /has no maxzoom; state zoom: \[first, last\]\.$/,
  ],
  [
    'a bad template',
    (url: string) => ({ ...tileJson(url), tiles: [`${url}/{z}/{x}`] }),
    /TOWN can't be used: url: must contain \{y\}\.$/,
  ],
])('a document that is %s is refused in one sentence', async (_, document, said) => {
  const { url } = await serve(document)
  await expect(completed({ url: `${url}/tiles.json` })).rejects.toThrow(said)
})

test('a level beyond those of the TileJSON is refused, and a document that is not there', async () => {
  const { url } = await serve(tileJson)
  await expect(completed({ url: `${url}/tiles.json`, zoom: [0, 21] })).rejects.toThrow(
    /has levels up to 19, and zoom names 21\.$/,
  )
  await server!.close()
  const other = await serve(() => '', 404)
  await expect(completed({ url: `${other.url}/tiles.json` })).rejects.toThrow(ServiceError)
})

test('before it is read only the facts of a source are known', () => {
  const [source] = sourcesOf([settingsOf({ url: 'https://town/tiles.json', extent: [7, 46, 8, 47] })]) as [TileSource]
  expect(source).toMatchObject({ alias: 'TOWN', extent: [7, 46, 8, 47] })
  expect(() => source.latticeIn('x1874_y1367')).toThrow('still to be read from its service')
})
