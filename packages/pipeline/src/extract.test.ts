import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCaptioner } from '@skyscript/captioner'
import { type Box, type Config, getJson, mapTileAt, silentProgress } from '@skyscript/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OsmData, writePbf } from '../../../examples/demo/src/pbf-writer.ts'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { extractTiles, homeTile } from './extract.ts'
import { type ExtractIndex, extractIndexKey } from './run.ts'
import { indexTile, openTiles } from './tiles.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'extract-tiles-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Reads maps, each a file, into map tiles. */
async function tilesOf(maps: readonly Partial<OsmData>[], clip: Config['osm']['clip'] = null) {
  const files = []
  for (const [i, map] of maps.entries()) {
    const path = join(folder, `${i}.osm.pbf`)
    const bytes = writePbf({ nodes: [], ways: [], relations: [], ...map })
    await writeFile(path, bytes)
    files.push({
      source: path,
      path,
      bytes: bytes.length,
      sha256: Buffer.from(bytes).toString('hex'),
      release: async () => {},
    })
  }
  const storage = await openFolder(join(folder, 'storage'))
  const { signal } = new AbortController()
  const name = await extractTiles(files, { clip }, createCaptioner(), storage, new Set(), silentProgress, signal)
  const index = (await getJson<ExtractIndex>(storage, extractIndexKey(name)))!
  return { index, read: openTiles(storage, name, index).touching }
}

const EDIT = { timestamp: '2024-05-01T12:00:00Z' }

test('an object that was moved between two extracts is only in the tile of its newest version', async () => {
  const pool = (longitude: number, version: number) => ({
    nodes: [{ id: 1, longitude, latitude: 46_95_00000, tags: { leisure: 'swimming_pool' }, version, ...EDIT }],
  })
  const { index, read } = await tilesOf([pool(7_45_00000, 1), pool(7_55_00000, 2)])
  const tile = mapTileAt([7.55, 46.95])
  expect(Object.keys(index.tiles)).toEqual([tile])
  expect((await read(tile)).map(({ id, version }) => [id, version])).toEqual([['n1', 2]])
  expect(index.dropped).toEqual({ 'in-several-extracts': 1 })
  expect(index.inputs.map(({ name }) => name)).toEqual(['0.osm.pbf', '1.osm.pbf'])
})

/** Closed ways with these tags, one a map, read as one. */
async function visibleOf(all: readonly string[]) {
  const tagsOf = (text: string) => Object.fromEntries(text.split(' ').map((tag) => tag.split('=') as [string, string]))
  const corners = [
    [0, 0],
    [9000, 0],
    [9000, 9000],
    [0, 9000],
  ]
  const nodes = corners.map(([x, y], i) => ({
    id: i + 1,
    longitude: 74_000_000 + x!,
    latitude: 469_000_000 + y!,
    tags: {},
    version: 1,
    ...EDIT,
  }))
  const ways = all.map((text, i) => ({ id: i + 1, nodes: [1, 2, 3, 4, 1], tags: tagsOf(text), version: 1, ...EDIT }))
  const { index, read } = await tilesOf([{ nodes, ways }])
  const objects = (await Promise.all(Object.keys(index.tiles).map(read))).flat()
  const numbers = [...new Set(objects.map(({ id }) => Number(id.slice(1))))].sort((a, b) => a - b)
  return { visible: numbers.map((number) => all[number - 1]!), dropped: index.dropped }
}

const HIDDEN: Readonly<Record<string, readonly string[]>> = {
  underground: [
    'amenity=parking parking=underground surface=asphalt',
    'amenity=parking_space parking=underground surface=asphalt',
    'man_made=storage_tank location=underground',
    'building=yes level=-2;-1',
    'building=yes level=-3--1',
    'building=garages layer=-1',
    'building=underground',
    'natural=water underground=yes',
    'railway=platform layer=-2 surface=concrete',
    'leisure=pitch level=-0.5 sport=tennis',
  ],
  underwater: ['historic=ruins location=underwater'],
  indoor: [
    'highway=footway indoor=yes',
    'leisure=swimming_pool location=indoor',
    'building:part=yes indoor=room',
    'building=yes indoor=corridor',
    'highway=corridor surface=concrete',
  ],
  covered: [
    'highway=service tunnel=building_passage',
    'waterway=stream tunnel=culvert',
    'railway=rail tunnel=yes electrified=contact_line',
  ],
  gone: [
    'building=yes demolished=yes',
    'railway=razed surface=gravel',
    'building=removed roof:shape=gabled',
    'building=yes demolished=2015',
    'destroyed:building=house roof:shape=gabled',
    'was:highway=residential surface=asphalt lit=yes',
    'building=yes status=demolished',
  ],
  planned: [
    'highway=proposed proposed=motorway lanes=2 surface=asphalt',
    'building=house proposed=yes',
    'proposed:railway=rail electrified=contact_line',
  ],
}

const VISIBLE = [
  'amenity=parking parking=multi-storey',
  'amenity=parking parking=rooftop',
  'highway=residential layer=-1',
  'waterway=stream layer=-1',
  'natural=water layer=-2',
  'highway=steps level=-1;0',
  'highway=steps level=-1-0 surface=concrete',
  'highway=footway level=-1 layer=1',
  'building=house layer=-1 building:levels=2',
  'building=roof layer=-1',
  'building=market_hall indoor=yes',
  'building=yes indoor=no',
  'power=substation location=indoor building=service',
  'highway=footway covered=yes',
  'highway=secondary tunnel=no',
  'man_made=storage_tank location=overground',
  'railway=abandoned',
  'building=yes demolished=no',
  'building=ruins',
  'building=yes disused=yes',
  'abandoned:building=yes',
  'highway=track razed:railway=rail',
  'landuse=grass demolished:building=yes',
  'highway=secondary proposed=motorway',
  'highway=construction construction=motorway',
  'building=yes level=-1;0;1',
]

test('objects that their own tags put out of sight are dropped with the reason', async () => {
  for (const [reason, all] of Object.entries(HIDDEN)) {
    const { visible, dropped } = await visibleOf(all)
    expect([reason, visible, dropped]).toEqual([reason, [], { [`hidden:${reason}`]: all.length }])
  }
})

test('tags that sound alike but leave an object in sight drop nothing', async () => {
  expect(await visibleOf(VISIBLE)).toEqual({ visible: VISIBLE, dropped: {} })
})

test('an island on both sides of 180 degrees is in the tiles of its two halves and in no other, and found from either', async () => {
  const half = (first: number, west: number, east: number) =>
    [
      [west, -168_000_000],
      [east, -168_000_000],
      [east, -167_000_000],
      [west, -167_000_000],
    ].map(([longitude, latitude], i) => ({
      id: first + i,
      longitude: longitude!,
      latitude: latitude!,
      tags: {},
      version: 1,
      ...EDIT,
    }))
  const map = {
    nodes: [...half(1, 1_798_500_000, 1_800_000_000), ...half(5, -1_800_000_000, -1_799_500_000)],
    ways: [
      { id: 1, nodes: [1, 2, 3, 4, 1], tags: {}, version: 1, ...EDIT },
      { id: 2, nodes: [5, 6, 7, 8, 5], tags: {}, version: 1, ...EDIT },
      // A track from one half to the other.
      { id: 3, nodes: [1, 7], tags: { highway: 'track' }, version: 1, ...EDIT },
    ],
    relations: [
      {
        id: 1,
        members: [1, 2].map((ref) => ({ type: 'way' as const, ref, role: 'outer' })),
        tags: { type: 'multipolygon', natural: 'wood' },
        version: 1,
        ...EDIT,
      },
    ],
  }
  const { index, read } = await tilesOf([map])
  const tiles = Object.entries(index.tiles)
  expect(tiles.every(([tile]) => /^x(0000|3598|3599)_y073[123]$/.test(tile))).toBe(true)
  expect(tiles.reduce((sum, [, { objects }]) => sum + objects, 0)).toBe(2)
  const objects = await read(mapTileAt([-179.98, -16.71]))
  expect(objects.map(({ id, geometry }) => [id, geometry.type])).toEqual([
    ['a3600000001', 'MultiPolygon'],
    ['w3', 'MultiLineString'],
  ])
  expect(new Set(objects.map(homeTile))).toEqual(
    new Set(tiles.filter(([, { objects: n }]) => n > 0).map(([tile]) => tile)),
  )
  const { search } = await indexTile(objects, () => 1)
  const found = (box: Box) =>
    search(box, 1)
      .map(({ id }) => id)
      .sort()
  expect(found([179.9, -16.78, 179.91, -16.71])).toEqual(['a3600000001', 'w3'])
  expect(found([-179.96, -16.78, -179.95, -16.71])).toEqual(['a3600000001', 'w3'])
  expect(found([0, -16.78, 1, -16.71])).toEqual([])
  const clipped = await tilesOf([map], [179.9, -17, -179.9, -16])
  expect(clipped.index.tiles).toEqual(index.tiles)
  expect((await tilesOf([map], [-179.9, -17, 179.8, -16])).index.dropped).toEqual({ 'outside-clip': 2 })
})

test('versions and timestamps of objects are apart from what they are in the hashes of a map tile', async () => {
  const pool = (x: number, edit: { version: number; timestamp: string }) => ({
    ...{ id: 1, longitude: 74_500_000 + x, latitude: 469_500_000, tags: { leisure: 'swimming_pool' } },
    ...edit,
  })
  const tile = mapTileAt([7.45, 46.95])
  const of = async (x: number, version: number, timestamp = EDIT.timestamp) =>
    (await tilesOf([{ nodes: [pool(x, { version, timestamp })] }])).index.tiles[tile]!
  const [first, again, edited, later, moved] = [
    await of(0, 1),
    await of(0, 1),
    await of(0, 2),
    await of(0, 1, '2024-06-01T12:00:00Z'),
    await of(1, 1),
  ]
  expect(again).toEqual(first)
  for (const other of [edited, later]) {
    expect(other.sha256).toBe(first.sha256)
    expect(other.edits).not.toBe(first.edits)
  }
  expect(moved.sha256).not.toBe(first.sha256)
  expect(moved.edits).toBe(first.edits)
})
