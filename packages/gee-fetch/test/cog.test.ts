// @module-tag slow
/** GeoTIFF pixels compared with gdalwarp's, and files that can't be read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError, ServiceError } from '@skyscript/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GDAL, lacks } from '../../../test/support/needs.ts'
import { fileIds } from '../src/cog/file-ids.ts'
import { gridPositions } from '../src/cog/grid-positions.ts'
import { projectionOf } from '../src/crs/projections.ts'
import { type CogSource, createCogImagery } from '../src/index.ts'
import { PIXEL_STATE } from '../src/pixel-state.ts'
import {
  agreement,
  cogSource,
  type Grid,
  gdal,
  gridAt,
  plainTiff,
  serveFiles,
  textured,
  warped,
  writePicture,
} from './cog-set-up.ts'

const BERN: [number, number] = [7.44, 46.95]
let folder: string
const at = (name: string) => join(folder, name)
const closers: (() => Promise<void>)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cog-test-'))
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

/** A picture of 700 x 500 pixels of `step` metres whose north-west corner is at a place in a coordinate system. */
async function makeCog(name: string, epsg: number, step: number, ...options: string[]): Promise<string> {
  const [x, y] = projectionOf(epsg, name).forward(BERN)
  await writePicture(at('picture.ppm'), 700, 500)
  const corners = [x - 350 * step, y + 250 * step, x + 350 * step, y - 250 * step]
  await gdal(
    'gdal_translate',
    '-of',
    'COG',
    '-a_srs',
    `EPSG:${epsg}`,
    '-a_ullr',
    ...corners,
    ...options,
    at('picture.ppm'),
    at(name),
  )
  return at(name)
}

const source = (file: string, changes: Partial<CogSource> = {}) => cogSource({ files: [file], ...changes })
const pixelsOf = async (each: CogSource, grid: Grid, cog = open()) =>
  cog.pixels(each, [...fileIds(each).keys()][0]!, grid)

describe.skipIf(lacks(GDAL))('compared with gdalwarp', () => {
  test.each([
    ['UTM, deflate', 32632, 10, ['-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=YES'], 0],
    ['Swiss LV95, lzw', 2056, 10, ['-co', 'COMPRESS=LZW'], 0],
    ['web mercator, zstd', 3857, 10, ['-co', 'COMPRESS=ZSTD'], 0],
    ['European LAEA, uncompressed', 3035, 10, ['-co', 'COMPRESS=NONE'], 0],
    ['UTM, JPEG in YCbCr', 32632, 10, ['-co', 'COMPRESS=JPEG', '-co', 'QUALITY=90'], 0],
    ['UTM, 16 bits', 32632, 10, ['-ot', 'UInt16', '-co', 'COMPRESS=DEFLATE'], 0],
    ['UTM, floats', 32632, 10, ['-ot', 'Float32', '-co', 'COMPRESS=LZW'], 0],
  ] as const)('%s: the same pixels, also beyond the edge', async (name, epsg, step, options, spread) => {
    const file = await makeCog(`${name}.tif`, epsg, step, ...options)
    for (const [grid, hasMasked] of [
      [gridAt(BERN, 10, 300, 200), false],
      [gridAt([7.44, 46.972], 10, 200, 150), true],
    ] as const) {
      const ours = await pixelsOf(source(file), grid)
      const theirs = await warped(file, grid, folder)
      // For 16-bit files gdalwarp gives 16 bits.
      const bytes = options[1] === 'UInt16' ? narrow(theirs, 2) : options[1] === 'Float32' ? narrow(theirs, 4) : theirs
      expect(agreement(ours, bytes, spread)).toBeGreaterThan(0.999)
      expect(ours.some((state, i) => i % 4 === 3 && state === PIXEL_STATE.masked)).toBe(hasMasked)
    }
  })

  /** Values of 16 or 32 bits to bytes; alpha is scaled to its type's maximum. */
  function narrow(values: Buffer, bytes: 2 | 4): Buffer {
    return Buffer.from(
      Array.from({ length: values.length / bytes }, (_, i) => {
        const value = bytes === 2 ? values.readUInt16LE(i * 2) : values.readFloatLE(i * 4)
        return i % 4 === 3 ? Math.min(255, value) : value
      }),
    )
  }

  test('in degrees, and with a nodata colour', async () => {
    await writePicture(at('picture.ppm'), 700, 500)
    const common = ['-of', 'COG', '-a_srs', 'EPSG:4326', '-a_ullr', 7.4, 46.98, 7.49, 46.92, '-co', 'COMPRESS=DEFLATE']
    await gdal('gdal_translate', ...common, at('picture.ppm'), at('degrees.tif'))
    const grey = ['-b', 1, '-b', 1, '-b', 1, '-a_nodata', 77]
    await gdal('gdal_translate', ...common, ...grey, at('picture.ppm'), at('nodata.tif'))
    const grid = gridAt([7.445, 46.95], 10, 250, 250)
    for (const name of ['degrees.tif', 'nodata.tif']) {
      const ours = await pixelsOf(source(at(name)), grid)
      expect(agreement(ours, await warped(at(name), grid, folder)), name).toBeGreaterThan(0.999)
      expect(ours.includes(PIXEL_STATE.masked)).toBe(name === 'nodata.tif')
    }
  })

  test('an internal mask applies, also to the overviews', async () => {
    await writePicture(at('picture.ppm'), 700, 500)
    const mask = Buffer.alloc(350_000, 255)
    for (let i = 0; i < mask.length; i++) if (i % 700 < 350) mask[i] = 0
    await writeFile(at('mask.pgm'), Buffer.concat([Buffer.from('P5\n700 500\n255\n'), mask]))
    const [x, y] = projectionOf(32632, '').forward(BERN)
    const corners = [x - 3500, y + 2500, x + 3500, y - 2500]
    await gdal('gdalbuildvrt', '-separate', at('four.vrt'), at('picture.ppm'), at('mask.pgm'))
    await gdal(
      'gdal_translate',
      '-of',
      'GTiff',
      '-b',
      1,
      '-b',
      1,
      '-b',
      1,
      '-mask',
      2,
      '--config',
      'GDAL_TIFF_INTERNAL_MASK',
      'YES',
      '-a_srs',
      'EPSG:32632',
      '-a_ullr',
      ...corners,
      at('four.vrt'),
      at('with-mask.tif'),
    )
    await gdal('gdal_translate', '-of', 'COG', '-co', 'COMPRESS=JPEG', at('with-mask.tif'), at('masked.tif'))
    const grid = gridAt(BERN, 10, 250, 150)
    const ours = await pixelsOf(source(at('masked.tif')), grid)
    const theirs = await warped(at('masked.tif'), grid, folder)
    expect(agreement(ours, theirs)).toBeGreaterThan(0.999)
    const coarse = await pixelsOf(source(at('masked.tif'), { gsd: 20 }), gridAt(BERN, 20, 100, 100))
    const masked = coarse.filter((state, i) => i % 4 === 3 && state === PIXEL_STATE.masked).length
    expect(masked / 10_000).toBeGreaterThan(0.4)
    expect(masked / 10_000).toBeLessThan(0.6)
  })

  test('the coarsest overview that is fine enough is used, and takes fewer bytes', async () => {
    const file = await makeCog(
      'overviews.tif',
      32632,
      1,
      '-co',
      'COMPRESS=NONE',
      '-co',
      'BLOCKSIZE=128',
      '-co',
      'RESAMPLING=NEAREST',
    )
    const server = await serveFiles(folder)
    closers.push(server.close)
    const bytesOf = async (gsd: number) => {
      const cog = open()
      await pixelsOf(
        source(`${server.url}/overviews.tif`, { gsd }),
        gridAt(BERN, gsd, Math.round(600 / gsd), Math.round(400 / gsd)),
        cog,
      )
      return cog.stats().bytes
    }
    expect(await bytesOf(1)).toBeGreaterThan(2.5 * (await bytesOf(2)))
    expect(file).toBe(at('overviews.tif'))
  })
})

test('a pixel is the same in every grid that contains it', async () => {
  const [x, y] = projectionOf(32632, '').forward(BERN)
  const file = await plainTiff(at('grids.tif'), 32632, 10, [x - 1000, y + 1000], textured)
  const whole = gridAt(BERN, 10, 150, 140)
  const all = await pixelsOf(source(file), whole)
  for (const [left, top, width, height] of [
    [0, 0, 40, 30],
    [37, 61, 80, 50],
    [149, 139, 1, 1],
    [3, 100, 64, 40],
  ] as const) {
    const part = {
      ...whole,
      width,
      height,
      west: whole.west + left * whole.stepX,
      north: whole.north - top * whole.stepY,
    }
    const own = await pixelsOf(source(file), part)
    for (let line = 0; line < height; line++) {
      const from = ((top + line) * 150 + left) * 4
      expect(own.subarray(line * width * 4, (line + 1) * width * 4).equals(all.subarray(from, from + width * 4))).toBe(
        true,
      )
    }
  }
})

test('between nodes a place is off by less than a hundredth of a pixel', () => {
  for (const [epsg, gsd, place] of [
    [32632, 10, BERN],
    [2056, 0.1, BERN],
    [3857, 30, [20, 65]],
    [3035, 2, [25, 60]],
  ] as const) {
    const projection = projectionOf(epsg, '')
    const grid = gridAt(place as [number, number], gsd, 200, 150)
    const { x, y } = gridPositions(grid, projection)
    for (let i = 0; i < x.length; i += 997) {
      const longitude = grid.west + ((i % 200) + 0.5) * grid.stepX
      const latitude = grid.north - (Math.floor(i / 200) + 0.5) * grid.stepY
      const exact = projection.forward([longitude, latitude])
      expect(Math.hypot(x[i]! - exact[0], y[i]! - exact[1])).toBeLessThan(0.01 * gsd)
    }
  }
})

test('black, data and outside are three different states', async () => {
  const [x, y] = projectionOf(32632, '').forward(BERN)
  const file = await plainTiff(at('black.tif'), 32632, 10, [x, y + 500], (column, line) =>
    column === 60 ? [0, 0, 0] : textured(column, line),
  )
  const pixels = await pixelsOf(source(file), gridAt(BERN, 10, 160, 40))
  const states = new Map<number, number>()
  for (let i = 3; i < pixels.length; i += 4) states.set(pixels[i]!, (states.get(pixels[i]!) ?? 0) + 1)
  expect([...states.keys()].sort((a, b) => a - b)).toEqual([PIXEL_STATE.masked, PIXEL_STATE.black, PIXEL_STATE.clear])
  expect(states.get(PIXEL_STATE.black)!).toBeGreaterThan(30)
  expect(states.get(PIXEL_STATE.masked)!).toBeGreaterThan(2500)
})

test('listed files get their names as ids, and their folders too if two share a name', () => {
  const ids = (...files: string[]) => [...fileIds({ collection: 'c', files }).keys()]
  expect(ids('/home/somebody/a.tif', 'https://host/x/b.tif?signature=1')).toEqual(['c/a.tif', 'c/b.tif'])
  expect(ids('/data/2019/a.tif', '/data/2020/a.tif')).toEqual(['c/2019/a.tif', 'c/2020/a.tif'])
})

test('a file that can’t be read gives the reason in one sentence, and never the signature of its address', async () => {
  const [x, y] = projectionOf(32632, '').forward(BERN)
  await plainTiff(at('good.tif'), 32632, 10, [x - 1000, y + 1000], textured)
  await plainTiff(at('unknown.tif'), 26715, 10, [0, 0], textured)
  await writeFile(at('no.tif'), 'GIF89a and no TIFF at all')
  const server = await serveFiles(folder, undefined, (_, response, path) => {
    if (path === '/denied.tif') response.writeHead(403).end('Signature=abc')
    else if (path === '/whole.tif') response.writeHead(200, { 'content-length': 10 ** 9 }).write('x')
    else if (path === '/loop.tif') response.writeHead(302, { location: '/loop.tif' }).end()
    else if (path === '/inside.tif') response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
    else return false
    return true
  })
  closers.push(server.close)
  const error = async (file: string): Promise<ServiceError | InputError> =>
    pixelsOf(source(file), gridAt(BERN, 10, 20, 20)).then(
      () => {
        throw new Error('It was read.')
      },
      (reason) => reason,
    )
  for (const [name, status] of [
    ['denied', 403],
    ['whole', 400],
    ['loop', 400],
    ['no', 400],
    ['missing', 404],
  ] as const) {
    const found = await error(`${server.url}/${name}.tif?sig=SECRET`)
    expect(found, name).toBeInstanceOf(ServiceError)
    expect((found as ServiceError).status, name).toBe(status)
    expect(found.message).not.toContain('SECRET')
  }
  expect(await error(`${server.url}/inside.tif`)).toMatchObject({ code: 'bad-image-url', status: 400 })
  expect(await error('ftp://host/a.tif')).toMatchObject({ name: 'InputError', code: 'bad-image-url' })
  expect(((await error(at('missing.tif'))) as ServiceError).status).toBe(404)
  const unknown = await error(at('unknown.tif'))
  expect([unknown.code, unknown.message.includes('EPSG:26715')]).toEqual(['unknown-projection', true])
})

test('a damaged file gives pixels or a proper error, and never hangs', async () => {
  const [x, y] = projectionOf(32632, '').forward(BERN)
  await plainTiff(at('fuzz.tif'), 32632, 10, [x - 200, y + 200], textured, 40)
  const { readFile } = await import('node:fs/promises')
  const good = await readFile(at('fuzz.tif'))
  const grid = gridAt(BERN, 10, 20, 20)
  let seed = 51
  const draw = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  let refused = 0
  for (let round = 0; round < 300; round++) {
    const bad = Buffer.from(good.subarray(0, draw(4) === 0 ? draw(good.length) : good.length))
    for (let i = 0; i < 4 && bad.length > 0; i++)
      bad[draw(Math.min(bad.length, draw(2) ? 400 : bad.length))] = draw(256)
    const file = at(`fuzz-${round % 5}.tif`)
    await writeFile(file, bad)
    const from = performance.now()
    try {
      expect(await pixelsOf(source(file), grid)).toHaveLength(1600)
    } catch (error) {
      refused++
      expect(error instanceof ServiceError || error instanceof InputError, String(error)).toBe(true)
    }
    expect(performance.now() - from).toBeLessThan(2000)
  }
  expect(refused).toBeGreaterThan(50)
}, 60_000)
