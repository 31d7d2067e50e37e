import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OsmObject, toFeatureLine } from '@skyscript/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TileSpill } from './tile-spill.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tile-spill-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Objects that touch two tiles, at home in the western one. Their tags make a million of them more than is held in memory. */
const objects = (count: number, first: number): OsmObject[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `w${first + i}`,
    geometry: {
      type: 'LineString',
      coordinates: [
        [7.09, 46.05],
        [7.105, 46.06],
      ],
    },
    tags: { highway: 'path', note: 'ü'.repeat(2000) },
    version: 1,
    timestamp: null,
  }))

test('a tile has its lines sorted by id, those that were spilled to disk and those that are in memory', async () => {
  const spill = new TileSpill(folder)
  const lines: string[] = []
  for (let first = 1; first < 12_000; first += 1500) {
    const some = objects(1500, first).map((object) => `${toFeatureLine(object)}\n`)
    lines.push(...some)
    const bytes = Buffer.from(some.join(''))
    let end = 0
    const ends = Uint32Array.from(some, (line) => (end += Buffer.byteLength(line)))
    const boxes = Int32Array.from(some.flatMap(() => [70_900_000, 460_500_000, 71_050_000, 460_600_000]))
    await spill.add({ bytes, ends, boxes, otherBoxes: new Int32Array() })
  }
  expect(spill.tiles()).toEqual(['x1870_y1360', 'x1871_y1360'])
  const sorted = lines.map((line) => [/w\d+/.exec(line)![0], line] as const).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [tile, homes] of [
    ['x1870_y1360', lines.length],
    ['x1871_y1360', 0],
  ] as const) {
    const read = await spill.read(tile)
    const pieces = [...read.pieces()]
    expect(pieces.length).toBeGreaterThan(10)
    expect(Buffer.concat(pieces).equals(Buffer.from(sorted.map(([, line]) => line).join('')))).toBe(true)
    expect([read.count, read.homes]).toEqual([lines.length, homes])
    expect(read.bytes).toBe(Buffer.concat(pieces).length)
  }
})
