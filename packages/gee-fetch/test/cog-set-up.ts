import { execFile } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Position } from '@skyscript/core'
import { writeArrayBuffer } from 'geotiff'
import type { CogSource } from '../src/index.ts'
import { startService } from './service.ts'

const run = promisify(execFile)

/** Runs a GDAL program. */
export const gdal = async (command: string, ...args: (string | number)[]): Promise<void> => {
  await run(command, ['-q', ...args.map(String)])
}

/** A binary PPM with three bands: coloured fields with fine texture, none of them black. */
export async function writePicture(path: string, width: number, height: number, seed = 1): Promise<void> {
  const pixels = Buffer.alloc(width * height * 3)
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)]
    const field = ((Math.floor(x / 31) * 7 + Math.floor(y / 17) * 13 + seed * 5) % 11) * 14
    pixels[3 * i] = 30 + field + ((x * 7 + y * 3) % 19)
    pixels[3 * i + 1] = 60 + ((x + y * 2) % 90)
    pixels[3 * i + 2] = 20 + (field >> 1) + ((x * 5 + y * 11) % 23)
  }
  await writeFile(path, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]))
}

/** A grid of about `gsd` metres per pixel around a place. */
export function gridAt([x, y]: readonly [number, number], gsd: number, width: number, height: number) {
  const stepX = gsd / (111_320 * Math.cos((y * Math.PI) / 180))
  const stepY = gsd / 110_540
  return {
    width,
    height,
    west: x - (width / 2) * stepX,
    north: y + (height / 2) * stepY,
    stepX,
    stepY,
  }
}
export type Grid = ReturnType<typeof gridAt>

/** The same grid by gdalwarp, nearest neighbour, projected exactly: red, green, blue and alpha, pixel after pixel. */
export async function warped(file: string, grid: Grid, folder: string, ...options: string[]): Promise<Buffer> {
  const { west, north, width, height, stepX, stepY } = grid
  const raw = join(folder, 'warped.bin')
  const box = [west, north - height * stepY, west + width * stepX, north]
  await gdal(
    'gdalwarp',
    '-overwrite',
    '-t_srs',
    'EPSG:4326',
    '-te',
    ...box,
    '-ts',
    width,
    height,
    '-r',
    'near',
    '-et',
    0,
    '-dstalpha',
    '-of',
    'ENVI',
    '-co',
    'INTERLEAVE=BIP',
    ...options,
    file,
    raw,
  )
  return readFile(raw)
}

/** Fraction of pixels with equal state and with colours that agree within `spread`. */
export function agreement(ours: Buffer, theirs: Buffer, spread = 0): number {
  if (ours.length !== theirs.length) throw new RangeError(`${ours.length} bytes beside ${theirs.length}`)
  let same = 0
  for (let i = 0; i < ours.length; i += 4) {
    const bothMasked = ours[i + 3] === 0 && theirs[i + 3] === 0
    const bothThere = ours[i + 3] !== 0 && theirs[i + 3] !== 0
    if (bothMasked || (bothThere && [0, 1, 2].every((c) => Math.abs(ours[i + c]! - theirs[i + c]!) <= spread))) same++
  }
  return same / (ours.length / 4)
}

export const cogSource = (changes: Partial<CogSource>): CogSource => ({
  kind: 'cog',
  alias: 'CC',
  title: 'Test files',
  collection: 'tests',
  gsd: 10,
  stac: null,
  files: [],
  assets: [],
  bands: [1, 2, 3],
  range: [0, 255],
  extent: [-180, -90, 180, 90],
  mosaic: 'item',
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: null,
  timePrecision: 'day',
  licence: 'CC0',
  credit: () => 'nobody',
  ...changes,
})

export interface FileServer {
  readonly url: string
  readonly requests: { readonly url: string; readonly range: string | undefined; readonly body: string }[]
  readonly peak: number
  close(): Promise<void>
}

/**
 * Serves the files of a folder with range requests, and the JSON that `api` returns.
 *
 * @param spoil may answer the request with that number itself, and then returns true
 */
export async function serveFiles(
  folder: string,
  api: (path: string, body: string, url: string, query: URLSearchParams) => unknown = () => undefined,
  spoil: (number: number, response: ServerResponse, path: string) => boolean = () => false,
  version: () => string = () => 'v1',
): Promise<FileServer> {
  const requests: { url: string; range: string | undefined; body: string }[] = []
  let [active, peak] = [0, 0]
  const service = await startService(async (request, response, _, body) => {
    active++
    peak = Math.max(peak, active)
    response.once('close', () => active--)
    const { pathname: path, searchParams } = new URL(request.url!, 'http://x')
    requests.push({ url: request.url!, range: request.headers.range, body })
    if (spoil(requests.length, response, path)) return
    const json = api(path, body, service.url, searchParams)
    if (json !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json))
      return
    }
    const file = join(folder, decodeURIComponent(path))
    const size = await stat(file).then(
      (found) => found.size,
      () => -1,
    )
    if (size < 0) return void response.writeHead(404).end('no such file')
    const [from, last] = /^bytes=(\d+)-(\d+)$/
      .exec(request.headers.range ?? '')!
      .slice(1)
      .map(Number) as [number, number]
    if (from >= size) return void response.writeHead(416).end()
    const end = Math.min(last + 1, size)
    const bytes = (await readFile(file)).subarray(from, end)
    response
      .writeHead(206, {
        'content-range': `bytes ${from}-${end - 1}/${size}`,
        'content-length': bytes.length,
        etag: version(),
      })
      .end(bytes)
  })
  return {
    url: service.url,
    requests,
    get peak() {
      return peak
    },
    close: service.close,
  }
}

/** A TIFF written without GDAL: 8 bits, three bands, strips, in a coordinate system. */
export async function plainTiff(
  path: string,
  epsg: number,
  step: number,
  [x, y]: Position,
  rule: (x: number, y: number) => readonly [number, number, number],
  size = 200,
): Promise<string> {
  const values = new Uint8Array(size * size * 3)
  for (let i = 0; i < size * size; i++) values.set(rule(i % size, Math.floor(i / size)), i * 3)
  const bytes = writeArrayBuffer(values, {
    width: size,
    height: size,
    SamplesPerPixel: [3],
    PhotometricInterpretation: 2,
    ModelPixelScale: [step, step, 0],
    ModelTiepoint: [0, 0, 0, x, y, 0],
    ...(epsg === 4326
      ? { GeographicTypeGeoKey: epsg, GTModelTypeGeoKey: 2 }
      : { ProjectedCSTypeGeoKey: epsg, GTModelTypeGeoKey: 1 }),
    GTRasterTypeGeoKey: 1,
  } as Parameters<typeof writeArrayBuffer>[1])
  await writeFile(path, Buffer.from(bytes))
  return path
}

export const textured = (x: number, y: number) =>
  [((x * 7 + y) % 250) + 1, ((x + y * 5) % 250) + 1, ((x * 3 + y * 11) % 250) + 1] as const
