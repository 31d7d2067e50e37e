// @module-tag slow
/** GeoTIFFs listed in a catalogue, and mosaics of them. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mapTileAt, mapTileBox } from '@skyscript/core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { projectionOf } from '../src/crs/projections.ts'
import { type CogSource, createCogImagery } from '../src/index.ts'
import { PIXEL_STATE } from '../src/pixel-state.ts'
import { cogSource, gridAt, plainTiff, serveFiles } from './cog-set-up.ts'
import { inDegrees, tiffImage, writeTiff } from './write-tiff.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const BERN: [number, number] = [7.44, 46.95]
let folder: string
const at = (name: string) => join(folder, name)
const closers: (() => Promise<void>)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cog-catalogue-'))
})
afterAll(async () => {
  for (const close of closers) await close()
  await rm(folder, { recursive: true, force: true })
})

function open(options: Partial<Parameters<typeof createCogImagery>[0]> = {}) {
  const cog = createCogImagery({ maxConcurrent: 8, maxCloud: 20, deadlineMs: 5000, ...options })
  closers.push(() => cog.close())
  return cog
}

describe('a catalogue', () => {
  /** Two adjacent sheets from two years, and a cloudy scene with a class for each pixel. */
  async function startCatalogue(spoil?: Parameters<typeof serveFiles>[2], version?: () => string) {
    const [x, y] = projectionOf(32632, '').forward(BERN)
    await plainTiff(at('west.tif'), 32632, 10, [x - 2000, y + 1000], () => [200, 10, 10])
    await plainTiff(at('east.tif'), 32632, 10, [x, y + 1000], () => [10, 200, 10])
    await plainTiff(at('old.tif'), 32632, 10, [x - 1000, y + 1000], () => [10, 10, 200])
    await plainTiff(at('scl.tif'), 32632, 10, [x - 2000, y + 1000], (column) => [column < 150 ? 4 : 9, 0, 0])
    const sheet = (id: string, datetime: string, file: string, cloud: number) => ({
      id,
      type: 'Feature',
      bbox: [7.3, 46.9, 7.6, 47],
      properties: { datetime, 'eo:cloud_cover': cloud },
      assets: { [`${id}_0.1.tif`]: { href: `../files/${file}` }, scl: { href: '../files/scl.tif' } },
    })
    const items = [
      sheet('west_2020', '2020-06-01T00:00:00Z', 'west.tif', 3),
      sheet('east_2020', '2020-08-01T00:00:00Z', 'east.tif', 4),
      sheet('old_2017', '2017-06-01T00:00:00Z', 'old.tif', 90),
    ]
    const server = await serveFiles(
      folder,
      (path, body, url) => {
        const linked = items.map((each) => ({ ...each, links: [{ rel: 'self', href: `${url}/items/${each.id}` }] }))
        const own = /^\/collections\/sheets\/items\/(.+)$/.exec(path)?.[1]
        if (own !== undefined) return linked.find(({ id }) => id === own)
        if (path !== '/search') return undefined
        const { query, bbox, page = 0 } = JSON.parse(body)
        expect(bbox).toHaveLength(4)
        const most = query?.['eo:cloud_cover']?.lte ?? 100
        const found = linked.filter(({ properties }) => properties['eo:cloud_cover'] <= most)
        const links =
          page + 1 < found.length
            ? [{ rel: 'next', href: `${url}/search`, method: 'POST', body: { page: page + 1 } }]
            : []
        return { features: found.slice(page, page + 1), links }
      },
      spoil,
      version,
    )
    closers.push(server.close)
    // Files are in /files of the server, apart from the catalogue.
    return {
      ...server,
      get requests() {
        return server.requests
      },
      get peak() {
        return server.peak
      },
    }
  }
  beforeAll(async () => {
    await mkdir(at('files'), { recursive: true })
    for (const name of ['west', 'east', 'old', 'scl']) await writeFile(at(`files/${name}.tif`), '')
  })
  const linkFiles = async () => {
    for (const name of ['west', 'east', 'old', 'scl']) await copyFile(at(`${name}.tif`), at(`files/${name}.tif`))
  }
  const box = mapTileBox(mapTileAt(BERN))
  const sheets = (url: string, changes: Partial<CogSource> = {}) =>
    cogSource({ stac: url, collection: 'sheets', assets: ['*_0.1.tif'], ...changes })

  test('is searched page by page; each item is an image, and the pattern finds its asset', async () => {
    const { url, requests } = await startCatalogue()
    await linkFiles()
    const cog = open()
    const found = await cog.find(sheets(url), box)
    expect(found.map(({ imageId }) => imageId)).toEqual(['sheets/east_2020', 'sheets/old_2017', 'sheets/west_2020'])
    expect(requests).toHaveLength(3)
    const pixels = await open().pixels(sheets(url), 'sheets/old_2017', gridAt(BERN, 10, 50, 50))
    expect([...pixels.subarray(0, 4)]).toEqual([10, 10, 200, PIXEL_STATE.clear])
    await expect(cog.pixels(sheets(url), 'sheets/none', gridAt(BERN, 10, 5, 5))).rejects.toMatchObject({ status: 404 })
    await expect(
      cog.pixels(sheets(url, { assets: ['red'] }), 'sheets/old_2017', gridAt(BERN, 10, 5, 5)),
    ).rejects.toMatchObject({ status: 400 })
  })

  test('the search excludes more cloud than the settings allow', async () => {
    const { url } = await startCatalogue()
    const found = await open().find(sheets(url, { cloudProperty: 'eo:cloud_cover' }), box)
    expect(found.map(({ imageId, cloud }) => [imageId, cloud])).toEqual([
      ['sheets/east_2020', 4],
      ['sheets/west_2020', 3],
    ])
  })

  test('the sheets of a year are one image, joined where they meet', async () => {
    const { url } = await startCatalogue()
    await linkFiles()
    const yearly = sheets(url, { mosaic: 'year' })
    const cog = open()
    expect(
      (await cog.find(yearly, box)).map(({ imageId, time }) => [imageId, new Date(time!).getUTCFullYear()]),
    ).toEqual([
      ['sheets/2017', 2017],
      ['sheets/2020', 2020],
    ])
    // By another process, which has not searched before.
    const pixels = await open().pixels(yearly, 'sheets/2020', gridAt(BERN, 10, 60, 20))
    expect([...pixels.subarray(0, 3)]).toEqual([200, 10, 10])
    expect([...pixels.subarray(59 * 4, 59 * 4 + 3)]).toEqual([10, 200, 10])
    expect(pixels.every((state, i) => i % 4 !== 3 || state === PIXEL_STATE.clear)).toBe(true)
  })

  test('clouds are where the class file says so', async () => {
    const { url } = await startCatalogue()
    await linkFiles()
    const masked = sheets(url, { cloudMask: { asset: 'scl', values: [8, 9, 10] } })
    const pixels = await open().pixels(masked, 'sheets/west_2020', gridAt([7.4335, 46.95], 10, 80, 20))
    const cloudy = pixels.filter((state, i) => i % 4 === 3 && state === PIXEL_STATE.cloudy).length
    expect(cloudy).toBeGreaterThan(300)
    expect(cloudy).toBeLessThan(1300)
  })

  test('429, 500, truncated bodies, wrong ranges and hanging requests are retried, at most eight at a time, with the same pixels', async () => {
    const fine = await startCatalogue()
    await linkFiles()
    const yearly = (url: string) => sheets(url, { mosaic: 'year' })
    const grid = gridAt(BERN, 10, 60, 20)
    const expected = await open().pixels(yearly(fine.url), 'sheets/2020', grid)
    const faulty = await startCatalogue((number, response) => {
      if (number % 3 !== 1) return false
      const kind = Math.floor(number / 3) % 5
      if (kind === 0) response.writeHead(429, number % 2 ? { 'retry-after': '1' } : {}).end()
      else if (kind === 1) response.writeHead(500).end('oops')
      else if (kind === 2) {
        response.writeHead(206, { 'content-range': 'bytes 0-9/100', 'content-length': 99 }).write('cut')
        setTimeout(() => response.destroy(), 20)
      } else if (kind === 3) response.writeHead(206, { 'content-range': 'bytes 1-4/100' }).end('1234')
      return true
    })
    const cog = open({ deadlineMs: 600 })
    expect((await cog.pixels(yearly(faulty.url), 'sheets/2020', grid)).equals(expected)).toBe(true)
    expect(cog.stats().retries).toBeGreaterThan(0)
    expect(faulty.peak).toBeLessThanOrEqual(8)
  }, 60_000)

  test('a file that is replaced during a read is read again from the start', async () => {
    let reads = 0
    const server = await startCatalogue(undefined, () => (reads++ < 1 ? 'old' : 'new'))
    await linkFiles()
    const pixels = await open().pixels(sheets(server.url), 'sheets/old_2017', gridAt(BERN, 10, 50, 50))
    expect([...pixels.subarray(0, 3)]).toEqual([10, 10, 200])
  })

  test('signed links are read again after they expire', async () => {
    const tiled = {
      width: 400,
      height: 400,
      rule: () => 200,
      compression: [1, (bytes: Buffer) => bytes] as const,
      entries: inDegrees(7.42, 46.96, 1 / 8192),
    }
    await writeFile(at('files/tiled.tif'), writeTiff([tiffImage(tiled)]))
    let signature = 1
    let refused = 0
    let isDenied = false
    const server = await serveFiles(
      folder,
      (path, _, url) => {
        const href = `${url}/files/tiled.tif?sig=${signature}`
        const signed = {
          id: 'west',
          bbox: [7.3, 46.9, 7.6, 47],
          properties: { datetime: '2020-06-01T00:00:00Z' },
          assets: { visual: { href } },
          links: [],
        }
        return path === '/search' ? { features: [signed] } : path.startsWith('/collections') ? signed : undefined
      },
      (number, response, path) => {
        if (!path.startsWith('/files') || (!isDenied && server.requests[number - 1]!.url.endsWith(`=${signature}`)))
          return false
        refused++
        response.writeHead(403).end('signature expired')
        return true
      },
    )
    closers.push(server.close)
    for (const mosaic of ['item', 'day'] as const) {
      const source = sheets(server.url, { alias: mosaic === 'item' ? 'ONE' : 'DAY', assets: ['visual'], mosaic })
      const imageId = mosaic === 'item' ? 'sheets/west' : 'sheets/2020-06-01'
      const cog = open()
      const grid = gridAt([7.43, 46.958], 10, 20, 20)
      const first = await cog.pixels(source, imageId, grid)
      signature++
      // Far enough away to need bytes that have not been read.
      const far = await cog.pixels(source, imageId, gridAt([7.43, 46.92], 10, 20, 20))
      expect([first[0], far[0]]).toEqual([200, 200])
      const other = open()
      signature++
      await other.find(source, box)
      signature++
      expect((await other.pixels(source, imageId, grid))[0]).toBe(200)
    }
    expect(refused).toBeGreaterThan(2)
    // A link that stays refused fails, after one retry.
    isDenied = true
    await expect(
      open().pixels(sheets(server.url, { assets: ['visual'] }), 'sheets/west', gridAt(BERN, 10, 5, 5)),
    ).rejects.toThrow('403')
  })

  test('files form mosaics too: those of one day or year are one image, and so are those without a time', async () => {
    await startCatalogue()
    const [x, y] = projectionOf(32632, '').forward(BERN)
    const left = await plainTiff(at('left.tif'), 32632, 10, [x - 2000, y + 1000], () => [200, 10, 10])
    const right = await plainTiff(at('right.tif'), 32632, 10, [x, y + 1000], () => [10, 200, 10])
    for (const mosaic of ['day', 'year'] as const) {
      const source = cogSource({ files: [left, right], mosaic })
      const cog = open()
      const found = await cog.find(source, box)
      expect(found.map(({ imageId, time }) => [imageId, time])).toEqual([['tests/undated', null]])
      const pixels = await cog.pixels(source, 'tests/undated', gridAt(BERN, 10, 60, 20))
      expect([...pixels.subarray(0, 3)]).toEqual([200, 10, 10])
      expect([...pixels.subarray(59 * 4, 59 * 4 + 3)]).toEqual([10, 200, 10])
    }
  })
})
