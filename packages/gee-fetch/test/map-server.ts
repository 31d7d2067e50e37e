import { execFile, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Service, startService } from './service.ts'

/** A picture on the ground. */
export interface Ortho {
  readonly layer: string
  readonly epsg: number
  /** Of its north-western corner. */
  readonly west: number
  readonly north: number
  /** Units per pixel. */
  readonly step: number
  readonly width: number
  readonly height: number
}

/** The colour of a pixel of a picture: each has its own. */
export const colourOf = (column: number, row: number): readonly [number, number, number] => [
  1 + (column % 251),
  1 + (row % 241),
  1 + ((column + 3 * row) % 239),
]

/** Writes a picture as a GeoTIFF. */
export async function writeOrtho(
  folder: string,
  { layer, epsg, west, north, step, width, height }: Ortho,
): Promise<string> {
  const pixels = Buffer.alloc(width * height * 3)
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) pixels.set(colourOf(column, row), (row * width + column) * 3)
  const raw = join(folder, `${layer}.raw`)
  await writeFile(raw, pixels)
  await writeFile(
    join(folder, `${layer}.hdr`),
    `ENVI\nsamples = ${width}\nlines = ${height}\nbands = 3\nheader offset = 0\nfile type = ENVI Standard\ndata type = 1\ninterleave = bip\nbyte order = 0\n`,
  )
  const path = join(folder, `${layer}.tif`)
  const corners = [west, north, west + width * step, north - height * step].map(String)
  await promisify(execFile)('gdal_translate', [
    '-q',
    '-a_srs',
    `EPSG:${epsg}`,
    '-a_ullr',
    ...corners,
    '-co',
    'TILED=YES',
    raw,
    path,
  ])
  return path
}

export type Instead = (request: IncomingMessage, response: ServerResponse) => boolean

/** MapServer with a layer for each picture, offered in the systems of all and in web mercator and degrees. */
export async function startMapServer(
  folder: string,
  pictures: readonly Ortho[],
  { systems, metadata = '', size = 2048 }: { systems?: string; metadata?: string; size?: number } = {},
  instead: Instead = () => false,
): Promise<Service> {
  const offered =
    systems ?? [...new Set(pictures.map(({ epsg }) => `EPSG:${epsg}`)), 'EPSG:3857', 'EPSG:4326'].join(' ')
  const layers = pictures.map(
    ({ layer, epsg }) => `
  LAYER
    NAME "${layer}"
    TYPE RASTER
    STATUS ON
    DATA "${join(folder, `${layer}.tif`)}"
    PROJECTION "init=epsg:${epsg}" END
    METADATA "wms_title" "${layer}" "wms_srs" "${offered}" END
  END`,
  )
  const map = join(folder, 'service.map')
  await writeFile(
    map,
    `MAP
  NAME "orthos"
  SIZE 256 256
  MAXSIZE ${size}
  EXTENT -180 -90 180 90
  PROJECTION "init=epsg:4326" END
  OUTPUTFORMAT NAME "png24" DRIVER "AGG/PNG" MIMETYPE "image/png" IMAGEMODE RGBA TRANSPARENT ON END
  OUTPUTFORMAT NAME "jpeg" DRIVER "AGG/JPEG" MIMETYPE "image/jpeg" IMAGEMODE RGB FORMATOPTION "QUALITY=90" END
  WEB
    METADATA
      "wms_title" "orthos"
      "wms_onlineresource" "http://127.0.0.1/"
      "wms_enable_request" "*"
      "wms_srs" "${offered}"
      ${metadata}
    END
  END
  ${layers.join('')}
END
`,
  )
  const config = join(folder, 'mapserver.conf')
  await writeFile(config, 'CONFIG\n  ENV\n    MS_MAP_PATTERN ".*"\n  END\nEND\n')
  return startService((request, response) => {
    if (instead(request, response)) return
    const query = request.url!.split(/\?(.*)/s)[1] ?? ''
    const program = spawn('mapserv', [], {
      env: {
        ...process.env,
        REQUEST_METHOD: 'GET',
        QUERY_STRING: `map=${map}&${query}`,
        MAPSERVER_CONFIG_FILE: config,
      },
    })
    const chunks: Buffer[] = []
    program.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    program.on('close', () => {
      const output = Buffer.concat(chunks)
      const end = output.indexOf('\r\n\r\n')
      const type = /content-type: *([^\r\n]+)/i.exec(output.toString('latin1', 0, end))?.[1] ?? 'text/plain'
      response.writeHead(200, { 'content-type': type }).end(output.subarray(end + 4))
    })
  })
}
