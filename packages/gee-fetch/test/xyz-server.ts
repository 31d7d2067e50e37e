import type { IncomingMessage, ServerResponse } from 'node:http'
import sharp from 'sharp'
import { type Service, startService } from './service.ts'

export type { Service as TileServer } from './service.ts'

/** The colour of a pixel of a zoom level, counted from the north-west of the world: each has its own. */
export const colourAt = (x: number, y: number): readonly [number, number, number] => [
  x % 251,
  y % 241,
  (x + 3 * y) % 239,
]

/**
 * Serves PNG tiles at `/{z}/{x}/{y}`, drawn pixel by pixel by `colourAt`.
 *
 * @param instead answers a request in its own way if it returns true
 */
export async function startTiles(
  instead: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
  size = 256,
): Promise<Service> {
  return startService(async (request, response) => {
    if (instead(request, response)) return
    const [, , x, y] = request.url!.split('?')[0]!.split('/').map(Number)
    const pixels = Buffer.alloc(size * size * 3)
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++)
        pixels.set(colourAt(x! * size + column, y! * size + row), (row * size + column) * 3)
    const png = await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
      .png()
      .toBuffer()
    response.writeHead(200, { 'Content-Type': 'image/png' }).end(png)
  })
}
