import { shippedSource } from '@skyscript/core/config'
import { expect, test } from 'vitest'
import type { PixelRequest } from './grouping.ts'
import { requestShares } from './request-shares.ts'
import { SOURCES, sourcesOf } from './sources/sources.ts'
import type { TileSource } from './web/tile-source.ts'

const [tiles] = sourcesOf([shippedSource('FRIGN')]) as [TileSource]
const { stepX, stepY } = tiles.latticeIn('x1825_y1388')

/** A request for pixels, by their distance in pixels from the corner of all tiles. */
const request = (source: string, imageId: string, east: number, south: number, side = 100): PixelRequest => ({
  candidate: { source, imageId, origin: '', time: null, gsd: 0.2, box: [0, 0, 1, 1], width: side, height: side },
  grid: {
    ...{ width: side, height: side, stepX, stepY },
    west: tiles.corner.x + east * stepX,
    north: tiles.corner.y - south * stepY,
  },
  parts: [{ index: 0, x: 0, y: 0 }],
})

test('a tile counts once, however many requests are cut from it, and once for each picture', () => {
  const sources = [tiles, SOURCES.E2, SOURCES.S2]
  const of = (...requests: PixelRequest[]) => requestShares(requests, sources)
  expect(of(request('FRIGN', 'a', 0, 0), request('FRIGN', 'a', 156, 156))).toEqual({
    FRIGN: { requests: 2, pixels: 20_000, files: 1 },
  })
  expect(of(request('FRIGN', 'a', 157, 156))).toEqual({ FRIGN: { requests: 1, pixels: 10_000, files: 2 } })
  expect(of(request('FRIGN', 'a', 200, 200), request('FRIGN', 'a', 300, 300))).toMatchObject({ FRIGN: { files: 4 } })
  expect(of(request('FRIGN', 'a', 0, 0), request('FRIGN', 'b', 0, 0))).toMatchObject({ FRIGN: { files: 2 } })
  expect(of(request('E2', 'a', 0, 0, 10), request('S2', 'b', 0, 0))).toEqual({
    E2: { requests: 1, pixels: 100, files: 1 },
  })
  expect(of(request('S2', 'b', 0, 0))).toBeNull()
})
