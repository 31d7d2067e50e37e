/** Files on both sides of 180 degrees. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Box } from '@skyscript/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectionOf } from '../src/crs/projections.ts'
import { createCogImagery } from '../src/index.ts'
import { cogSource, plainTiff } from './cog-set-up.ts'

let folder: string
const cog = createCogImagery({ maxConcurrent: 8, maxCloud: 20 })
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cog-180-'))
})
afterAll(async () => {
  await cog.close()
  await rm(folder, { recursive: true, force: true })
})

test.each([
  ['degrees', 4326, 1 / 8192],
  ['web mercator', 3857, 20],
  ['UTM', 32701, 15],
] as const)('a file across 180 degrees in %s is found and read on either side', async (name, epsg, step) => {
  const { forward } = projectionOf(epsg, name)
  const [x, y] = forward([180, -17])
  const file = await plainTiff(
    join(folder, `${name}.tif`),
    epsg,
    step,
    [x - 100 * step, y + 100 * step],
    (column, line) => [column + 1, line + 1, 77],
  )
  const source = cogSource({ files: [file], collection: 'over' })
  const id = `over/${name}.tif`
  for (const west of [179.995, 180.002, -179.998]) {
    const box: Box = [west, -17.002, west + 0.001, -17.001]
    const [found] = await cog.find(source, west > 180 ? [-180, -17.1, -179.9, -17] : box)
    expect(found!.footprint[2] - found!.footprint[0]).toBeLessThan(0.1)
    const grid = { width: 4, height: 4, west, north: -17.001, stepX: 1 / 65536, stepY: 1 / 65536 }
    const pixels = await cog.pixels(source, id, grid)
    const [east, north] = forward([west + 1.5 / 65536, -17.001 - 0.5 / 65536])
    const turn = epsg === 4326 ? 360 : epsg === 3857 ? 2 * Math.PI * 6378137 : 0
    const column = Math.floor((turn ? ((east - x + turn * 1.5) % turn) - turn / 2 : east - x) / step) + 100
    expect([...pixels.subarray(4, 8)], `${west}`).toEqual([
      column + 1,
      100 + Math.floor((y - north) / step) + 1,
      77,
      255,
    ])
  }
})
