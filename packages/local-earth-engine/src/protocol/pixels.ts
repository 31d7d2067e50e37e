import type { PixelGrid } from '../draw/scene.ts'
import { badRequest } from './api-error.ts'
import { type Band, numpyType } from './band.ts'
import { type Limits, OUT_OF_MEMORY } from './limits.ts'
import { npyHeader } from './npy.ts'
import { encodePng } from './png.ts'
import { isKind, typeName, type Value } from './values.ts'

/** Pixels worked on at once; larger grids go strip by strip, so that memory depends only on the answer's size. */
const STRIP_PIXELS = 1 << 18

/** Pixels in a file format. */
export interface PixelAnswer {
  readonly contentType: string
  readonly body: Buffer
  readonly width: number
  readonly height: number
}

/** The pixels of `image:computePixels` and `:getPixels`, in the asked file format. */
export function computePixels(image: Value, request: Readonly<Record<string, unknown>>, limits: Limits): PixelAnswer {
  if (!isKind(image, 'image')) throw badRequest(`Expression does not evaluate to an Image; got ${typeName(image)}.`)
  const format = String(request.fileFormat ?? 'AUTO_JPEG_PNG')
  if (format !== 'NPY' && format !== 'PNG')
    throw badRequest(`File format '${format}' is not supported by this server; ask for NPY or PNG.`)
  const bands = wantedBands(image.bands, request.bandIds)
  const grid = gridOf(request.grid, limits)
  const pixelBytes = bands.reduce((sum, { type }) => sum + numpyType(type).bytes, 0)
  const total = pixelBytes * grid.width * grid.height
  if (total > limits.pixelBytes)
    throw badRequest(`Total request size (${total} bytes) must be less than or equal to ${limits.pixelBytes} bytes.`)
  if (grid.width * grid.height > limits.memoryPixels) throw badRequest(OUT_OF_MEMORY)
  const isPng = format === 'PNG'
  if (
    isPng &&
    (bands.some(({ type }) => numpyType(type).descr !== '|u1') || (bands.length !== 1 && bands.length !== 3))
  )
    throw badRequest('PNG needs 1 or 3 bands of type byte; use Image.visualize.')
  const header = isPng ? Buffer.alloc(0) : npyHeader(bands, grid.width, grid.height)
  const body = Buffer.alloc(header.length + total)
  header.copy(body)
  fill(body.subarray(header.length), bands, grid, pixelBytes)
  return {
    contentType: isPng ? 'image/png' : 'application/octet-stream',
    body: isPng ? encodePng(body, grid.width, grid.height, bands.length === 1 ? 1 : 3) : body,
    width: grid.width,
    height: grid.height,
  }
}

function wantedBands(bands: readonly Band[], ids: unknown): readonly Band[] {
  const wanted = Array.isArray(ids) && ids.length > 0 ? ids.map(String) : null
  const found = wanted
    ? wanted.map((id) => {
        const band = bands.find(({ name }) => name === id)
        if (!band)
          throw badRequest(`Band '${id}' not found. Available bands: [${bands.map(({ name }) => name).join(', ')}]`)
        return band
      })
    : bands
  if (found.length === 0) throw badRequest('Image has no bands.')
  return found
}

/** The asked grid; EPSG:4326 only, without rotation. */
function gridOf(value: unknown, limits: Limits): PixelGrid {
  const { dimensions, affineTransform, crsCode } = (value ?? {}) as {
    dimensions?: { width?: unknown; height?: unknown }
    affineTransform?: Record<string, unknown>
    crsCode?: unknown
  }
  if (!dimensions || !affineTransform) throw badRequest("Pixel grid must have 'dimensions' and 'affineTransform'.")
  if (crsCode !== 'EPSG:4326')
    throw badRequest(`This server knows pixel grids in EPSG:4326 only, not '${String(crsCode)}'.`)
  const [width, height] = [Number(dimensions.width), Number(dimensions.height)]
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1)
    throw badRequest('Pixel grid dimensions must be positive.')
  if (width > limits.side || height > limits.side)
    throw badRequest(`Pixel grid dimensions (${width}x${height}) must be less than or equal to ${limits.side}.`)
  const number = (name: string) => Number(affineTransform[name] ?? 0)
  const [stepX, stepY, west, north] = [number('scaleX'), number('scaleY'), number('translateX'), number('translateY')]
  if (!(Math.abs(stepX) > 0 && Math.abs(stepY) > 0 && Number.isFinite(west + north + stepX + stepY)))
    throw badRequest('Invalid affine transform: scaleX and scaleY must not be 0.')
  if (number('shearX') !== 0 || number('shearY') !== 0)
    throw badRequest('This server knows pixel grids without shear only.')
  const [south, east] = [north + stepY * height, west + stepX * width]
  if (Math.max(Math.abs(north), Math.abs(south)) > 90 || Math.max(Math.abs(west), Math.abs(east)) > 360)
    throw badRequest('Pixel grid is outside of the Earth.')
  return { width, height, top: 0, west, north, stepX, stepY }
}

function fill(target: Buffer, bands: readonly Band[], grid: PixelGrid, pixelBytes: number): void {
  const stripRows = Math.max(1, Math.floor(STRIP_PIXELS / grid.width))
  for (let top = 0; top < grid.height; top += stripRows) {
    const strip: PixelGrid = { ...grid, top, height: Math.min(stripRows, grid.height - top) }
    const start = top * grid.width * pixelBytes
    let offset = 0
    for (const { type, plane } of bands) {
      const { values, mask } = plane(strip)
      const { descr, bytes, write } = numpyType(type)
      // Nearly all that is asked for is bytes.
      const isByte = descr === '|u1'
      for (let i = 0, at = start + offset; i < values.length; i++, at += pixelBytes) {
        if (mask !== null && mask[i] === 0) continue
        if (isByte) target[at] = values[i]!
        else write(target, values[i]!, at)
      }
      offset += bytes
    }
  }
}
