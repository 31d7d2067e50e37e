// @module-tag slow
/** No image is stale: what its pixels come from is a part of what it is known by. */
import { mkdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type FileServer, plainTiff, serveFiles } from '../packages/gee-fetch/test/cog-set-up.ts'
import { startLocalEarthEngine } from '../packages/local-earth-engine/src/index.ts'
import { filesOf, makeFolder } from './support/skyscript.ts'
import { buildHere, place, type Settings, SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'

vi.mock('../packages/gee-fetch/src/pause.ts', () => import('../packages/gee-fetch/test/quick-pauses.ts'))

let folder: Awaited<ReturnType<typeof makeFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
const closers: (() => Promise<void>)[] = []

beforeAll(async () => {
  folder = await makeFolder('origins')
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
})
afterAll(async () => {
  for (const close of closers) await close()
  await folder?.remove()
})

const region = (output: string, imagery: Settings) => smallRegion(at('map.osm.pbf'), at(output), { imagery })
const build = (output: string, imagery: Settings) => buildHere(region(output, imagery), folder.path)

/** Builds on an output that has images of other settings or files, and afresh; gives the jobs of the former. */
async function expectAsFresh(output: string, imagery: Settings): Promise<Readonly<Record<string, number>>> {
  const { jobs } = await build(output, imagery)
  await rm(at('fresh'), { recursive: true, force: true })
  await build('fresh', imagery)
  expect(filesOf(at(output))).toEqual(filesOf(at('fresh')))
  return jobs
}

test('another endpoint is another Earth Engine, unless it is said to be a mirror of the one before', async () => {
  const drawn = { sources: ['CH', 'S2'], earthEngine: { endpoint: 'local' } }
  await build('endpoint', drawn)
  const before = filesOf(at('endpoint'))
  // Without features, so with other pixels.
  const start = () => startLocalEarthEngine({ features: [], threads: 1 })
  const [one, two] = await Promise.all([start(), start()])
  closers.push(one.close, two.close)
  const of = (endpoint: string, more: Settings = {}) => ({
    sources: ['CH', 'S2'],
    earthEngine: { endpoint, project: 'p', ...more },
  })
  await expectAsFresh('endpoint', of(one.url))
  expect(filesOf(at('endpoint'))).not.toEqual(before)

  const asked = () => two.stats().requests.pixels
  expect(await build('endpoint', of(two.url, { mirrorOf: new URL(one.url).host }))).toEqual(
    expect.objectContaining({ jobs: {} }),
  )
  expect(asked()).toBe(0)
  await expectAsFresh('endpoint', of(two.url))
  expect(asked()).toBeGreaterThan(0)
  await build('endpoint', drawn)
  expect(filesOf(at('endpoint'))).toEqual(before)
}, 120_000)

test('drawn images are those of the map as it is, and a map that is the same draws nothing', async () => {
  const drawn = { sources: ['CH', 'S2'], earthEngine: { endpoint: 'local' } }
  await build('drawn', drawn)
  const before = filesOf(at('drawn'))
  // Each shows in the images of others; the pond is in another map tile than these.
  const tree = { id: 40, tags: { natural: 'tree' }, at: [[20, 44]] } as const
  const pond = { id: 41, tags: { natural: 'water' }, at: [[100, 30]], half: 60 } as const
  for (const more of [[tree], [tree, pond]]) {
    await writeMap(at('map.osm.pbf'), [...SMALL_TOWN, ...more])
    const jobs = await expectAsFresh('drawn', drawn)
    expect(jobs.fetch).toBeGreaterThan(0)
    const after = filesOf(at('drawn'))
    const isRedrawn = (path: string) => path in after && after[path] !== before[path]
    expect(Object.keys(before).filter((path) => path.endsWith('.jpg') && isRedrawn(path))).not.toEqual([])
    Object.assign(before, after)
  }
  expect(await build('drawn', drawn)).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
}, 120_000)

const STEP = 2.5e-5
/** A file over the town in one colour with texture, always of the same size. */
async function writeOrtho(path: string, tint: number): Promise<void> {
  const [x, y] = place([-300, 250])
  await plainTiff(path, 4326, STEP, [x, y], (column, row) => [
    60 + tint + ((column * 7 + row * 3) % 60),
    40 + ((column + row * 5) % 90),
    30 + tint + ((column * 3 + row * 11) % 70),
  ], 250) // biome-ignore format: one rule
}
const files = (...names: string[]) => ({
  sources: [{ kind: 'cog', alias: 'OWN', files: names, range: [0, 255], gsd: 1 }],
})

test('a file on disk that was replaced, by one of its size, is read again, and one that was not is not', async () => {
  await writeOrtho(at('ortho.tif'), 0)
  await build('disk', files(at('ortho.tif')))
  const before = filesOf(at('disk'))
  expect(await build('disk', files(at('ortho.tif')))).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
  const { size, mtime } = await stat(at('ortho.tif'))
  await writeOrtho(at('ortho.tif'), 80)
  await utimes(at('ortho.tif'), mtime, new Date(mtime.getTime() + 2000))
  expect((await stat(at('ortho.tif'))).size).toBe(size)
  await expectAsFresh('disk', files(at('ortho.tif')))
  const after = filesOf(at('disk'))
  expect(Object.keys(after)).toEqual(Object.keys(before))
  expect(Object.keys(after).filter((name) => name.endsWith('.jpg') && after[name] === before[name])).toEqual([])
  expect(after['dataset.lock.json']).not.toBe(before['dataset.lock.json'])
})

async function serve(api?: Parameters<typeof serveFiles>[1], version?: () => string): Promise<FileServer> {
  const server = await serveFiles(folder.path, api, undefined, version)
  closers.push(() => server.close())
  return server
}

test('a replaced file on a server is read again; otherwise a build asks only for its version', async () => {
  let etag = '"one"'
  const server = await serve(undefined, () => etag)
  const imagery = files(`${server.url}/remote.tif?signature=1`)
  await writeOrtho(at('remote.tif'), 0)
  await build('server', imagery)
  let asked = server.requests.length
  expect(await build('server', imagery)).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
  expect(server.requests.slice(asked).map(({ range }) => range)).toEqual(['bytes=0-0'])
  // Its signature is no part of a file.
  const signed = files(`${server.url}/remote.tif?signature=2`)
  asked = server.requests.length
  await build('server', signed)
  expect(server.requests.slice(asked).every(({ range }) => range === 'bytes=0-0')).toBe(true)

  await writeOrtho(at('remote.tif'), 80)
  etag = '"two"'
  const before = filesOf(at('server'))
  await expectAsFresh('server', signed)
  const after = filesOf(at('server'))
  expect(Object.keys(after).filter((name) => name.endsWith('.jpg') && after[name] === before[name])).toEqual([])
})

test.each([
  ['says when it was updated', true],
  ['says nothing of its files', false],
])(
  'an image of a catalogue that %s is read again when it was replaced',
  async (name, tells) => {
    let [updated, etag] = ['2024-01-01T00:00:00Z', '"one"']
    const [west, south] = place([-300, -250])
    const [east, north] = place([300, 250])
    const item = (url: string) => ({
      id: 'sheet',
      type: 'Feature',
      bbox: [west, south, east, north],
      properties: { datetime: '2023-06-01T00:00:00Z', ...(tells && { updated }) },
      assets: { visual: { href: `${url}/sheet.tif?signature=${Math.random()}` } },
    })
    const server = await serve(
      (path, _body, url) => {
        if (path === '/search') return { type: 'FeatureCollection', features: [item(url)], links: [] }
        return path === '/collections/orthos/items/sheet' ? item(url) : undefined
      },
      () => etag,
    )
    const imagery = {
    sources: [
      { kind: 'cog', alias: 'CAT', stac: server.url, collection: 'orthos', assets: ['visual'], range: [0, 255], gsd: 1 },
    ],
  } // biome-ignore format: one source
    await writeOrtho(at('sheet.tif'), 0)
    const output = `catalogue-${tells}`
    await build(output, imagery)
    const asked = server.requests.length
    expect(await build(output, imagery), name).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
    expect(server.requests.length - asked).toBeLessThanOrEqual(tells ? 1 : 2)
    await writeOrtho(at('sheet.tif'), 80)
    ;[updated, etag] = ['2024-02-02T00:00:00Z', '"two"']
    const before = filesOf(at(output))
    await expectAsFresh(output, imagery)
    const after = filesOf(at(output))
    expect(Object.keys(after).filter((file) => file.endsWith('.jpg') && after[file] === before[file])).toEqual([])
    await server.close()
    const away = await build(output, imagery)
    expect(away).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
    expect(away.warnings).toContain('could not be asked')
  },
  120_000,
)

test('a build while the files of a source are away stops with one sentence, and leaves the dataset as it is', async () => {
  await mkdir(at('disk-away'))
  await writeOrtho(at('disk-away', 'ortho.tif'), 0)
  await writeOrtho(at('away.tif'), 20)
  let isDenied = false
  const server = await serveFiles(folder.path, undefined, (_, response) => {
    if (isDenied) response.writeHead(403).end()
    return isDenied
  })
  closers.push(() => server.close())
  const both = files(at('disk-away', 'ortho.tif'), `${server.url}/away.tif`)
  const mounted = files(at('disk-away', 'ortho.tif'))
  await build('away', both)
  const before = filesOf(at('away'))
  expect(Object.keys(before).filter((name) => name.endsWith('.jpg'))).not.toEqual([])
  isDenied = true
  await expect(build('away', both)).rejects.toMatchObject({ name: 'ServiceError', code: 'imagery-denied' })
  expect(filesOf(at('away'))).toEqual(before)
  await rename(at('disk-away'), at('disk-gone'))
  await expect(build('away', mounted)).rejects.toMatchObject({ name: 'ServiceError', code: 'imagery-missing' })
  expect(filesOf(at('away'))).toEqual(before)
  await rename(at('disk-gone'), at('disk-away'))
  isDenied = false
  expect(await build('away', both)).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
}, 120_000)
