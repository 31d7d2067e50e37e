import { ServiceError } from '@skyscript/core'

/** Red, green, blue and PIXEL_STATE, one byte each, pixel after pixel. */
const BYTES_PER_PIXEL = 4

/**
 * The pixels of an NPY file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) of a structured
 * array of four unsigned bytes.
 *
 * @returns height x width x 4 bytes, a view of `data`
 * @throws ServiceError `earth-engine-bad-pixels`, retryable: the body was truncated or isn't NPY
 */
export function parseNpy(data: Buffer, width: number, height: number): Buffer {
  const bad = (why: string) =>
    new ServiceError('earth-engine-bad-pixels', `Earth Engine sent pixels that can't be read (${why}).`, {
      retry: true,
    })
  if (data.length < 12 || data.toString('latin1', 0, 6) !== '\x93NUMPY') throw bad('not an NPY file')
  const version = data[6]!
  const start = version === 1 ? 10 : 12
  const end = start + (version === 1 ? data.readUInt16LE(8) : data.readUInt32LE(8))
  const header = data.toString('latin1', start, Math.min(end, data.length))
  const shape = /'shape':\s*\((\d+),\s*(\d+),?\)/.exec(header)
  const fields = header.match(/'[|<]?u1'/g) ?? []
  if (!shape || fields.length !== BYTES_PER_PIXEL || !/'fortran_order':\s*False/.test(header))
    throw bad('the layout is not four bytes per pixel')
  if (Number(shape[1]) !== height || Number(shape[2]) !== width)
    throw bad(`${shape[2]}x${shape[1]}, expected ${width}x${height}`)
  const pixels = data.subarray(end)
  if (pixels.length !== width * height * BYTES_PER_PIXEL)
    throw bad(`${pixels.length} bytes of ${width * height * BYTES_PER_PIXEL}`)
  return pixels
}
