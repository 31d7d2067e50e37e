import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toFeatureLine } from '@skyscript/core'
import { expect, test } from 'vitest'
import { featureBuilder, loadFeatures, openFeatures } from '../src/draw/feature-store.ts'

test('features whose tags hold line separators other than the line feed are read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'features-'))
  const path = join(folder, 'features.geojsonl')
  const hut = (id: string, note: string) =>
    toFeatureLine({
      id,
      geometry: { type: 'Point', coordinates: [7, 46] },
      tags: { tourism: 'alpine_hut', building: 'yes', note },
      version: 1,
      timestamp: null,
    })
  await writeFile(path, `\u001e${hut('n1', 'a\u2028b')}\n\u001e${hut('n2', 'c\u2029d\u0085e')}\r\n${hut('n3', '')}`)
  expect((await loadFeatures([path])).count).toBe(3)
  await rm(folder, { recursive: true })
})

test('a feature on both sides of 180 degrees is found on both, once, and not between', () => {
  const builder = featureBuilder()
  const half = (west: number, east: number): [number, number][] => [
    [west, 0],
    [east, 0],
    [east, 1],
    [west, 1],
    [west, 0],
  ]
  builder.add({
    id: 'a1',
    geometry: { type: 'MultiPolygon', coordinates: [[half(179, 180)], [half(-180, -179)]] },
    tags: { natural: 'wood' },
    version: 1,
    timestamp: null,
  })
  builder.add({
    id: 'w1',
    geometry: {
      type: 'MultiLineString',
      coordinates: [
        [
          [179.5, 0.5],
          [180, 0.5],
        ],
        [
          [-180, 0.5],
          [-179.5, 0.6],
        ],
      ],
    },
    tags: { highway: 'track' },
    version: 1,
    timestamp: null,
  })
  const store = openFeatures(builder.build())
  const found = (west: number, east: number) => [...store.find([west, 0.4, east, 0.6])]
  expect([found(179.6, 179.7), found(-179.9, -179.8), found(10, 20), found(-180, 180)]).toEqual([
    [0, 1],
    [0, 1],
    [],
    [0, 1],
  ])
})
