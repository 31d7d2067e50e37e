// @module-tag slow
/** A pixel of the Earth looks the same in every box that holds it, whatever is drawn around it. */
import { METRES_PER_DEGREE_LATITUDE, METRES_PER_DEGREE_LONGITUDE, type OsmObject, radians } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCatalogue } from '../src/catalogue/catalogue.ts'
import type { Scene, SceneSource } from '../src/catalogue/scene.ts'
import { featureBuilder, openFeatures } from '../src/draw/feature-store.ts'
import { lightOf } from '../src/draw/light.ts'
import type { Painter, Picture, PixelGrid } from '../src/draw/scene.ts'
import { createPainter } from '../src/draw/scene-painter.ts'
import { readTable } from '../src/draw/styles/table.ts'

type Tags = Readonly<Record<string, string>>
type Place = [longitude: number, latitude: number]

/** Where each collection has images. */
const PLACES: Readonly<Record<string, Place>> = {
  CH: [7.45, 46.72],
  ES: [1.52, 42.53],
  DE: [13.44, 52.53],
  FI: [24.94, 60.17],
  US: [-73.85, 40.74],
  P3: [7.45, 46.72],
  P5: [7.45, 46.72],
  S2: [24.94, 60.17],
  L8: [-46.62, -23.55],
  L9: [1.52, 42.53],
  NL: [5.5555, 51.881],
}

/** A tag for each value of a table. */
const tagsOf = (table: string): Tags[] =>
  readTable(table).flatMap(({ key, value }) => value!.split('|').map((each) => ({ [key!]: each })))

const AREA_TAGS: readonly Tags[] = [
  ...tagsOf('areas'),
  { building: 'apartments', height: '120' },
  { building: 'church' },
  { building: 'yes', 'roof:shape': 'gabled' },
  { building: 'industrial', 'building:levels': '9' },
  { man_made: 'storage_tank', building: 'yes' },
  { leisure: 'pitch', sport: 'soccer' },
  { leisure: 'pitch', sport: 'tennis' },
  { barrier: 'wall' },
]
const POINT_TAGS: readonly Tags[] = [
  ...tagsOf('points'),
  { power: 'generator', 'generator:source': 'wind' },
  { man_made: 'chimney', height: '150' },
  { building: 'yes' },
]
const values = (key: string, list: string): Tags[] => list.split(' ').map((value) => ({ [key]: value }))
const LINE_TAGS: readonly Tags[] = [
  ...values('highway', 'motorway trunk primary secondary tertiary residential service pedestrian construction'),
  ...values('highway', 'track footway path cycleway steps'),
  { highway: 'primary', bridge: 'yes', lanes: '6' },
  { highway: 'residential', width: '40' },
  { highway: 'secondary_link', oneway: 'yes' },
  ...values('railway', 'rail narrow_gauge tram monorail abandoned platform'),
  { railway: 'rail', electrified: 'contact_line' },
  ...values('waterway', 'river canal stream ditch dam weir'),
  ...values('aeroway', 'runway taxiway'),
  ...values('natural', 'tree_row hedge cliff ridge earth_bank'),
  ...values('power', 'line minor_line'),
  { aerialway: 'gondola' },
  ...values('man_made', 'pier breakwater pipeline embankment cutline bridge goods_conveyor'),
  { leisure: 'track', sport: 'running' },
  ...values('barrier', 'wall city_wall fence hedge guard_rail'),
]
const ALL_TAGS: readonly (readonly [OsmObject['geometry']['type'], Tags])[] = [
  ...AREA_TAGS.map((tags) => ['Polygon', tags] as const),
  ...POINT_TAGS.map((tags) => ['Point', tags] as const),
  ...LINE_TAGS.map((tags) => ['LineString', tags] as const),
]

/** Numbers in [0, 1) from a seed. */
function drawing(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}

function objectAt(
  id: number,
  [type, tags]: (typeof ALL_TAGS)[number],
  [longitude, latitude]: Place,
  metres: number,
  next: () => number,
): OsmObject {
  const around = (reach: number): [number, number] => [
    longitude + ((next() - 0.5) * reach) / (METRES_PER_DEGREE_LONGITUDE * Math.cos(radians(latitude))),
    latitude + ((next() - 0.5) * reach) / METRES_PER_DEGREE_LATITUDE,
  ]
  const [x, y] = around(metres)
  const size = (6 + 60 * next()) / METRES_PER_DEGREE_LONGITUDE
  const [angle, flat] = [next() * Math.PI, 0.3 + 0.7 * next()]
  const corner = (u: number, v: number): [number, number] => [
    x + size * (u * Math.cos(angle) - v * flat * Math.sin(angle)),
    y + size * (u * Math.sin(angle) + v * flat * Math.cos(angle)),
  ]
  const ring = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1), corner(-1, -1)]
  const geometry: OsmObject['geometry'] =
    type === 'Point'
      ? { type, coordinates: [x, y] }
      : type === 'LineString'
        ? { type, coordinates: winding([x, y], 4 + 40 * next(), next) }
        : { type: 'Polygon', coordinates: [ring] }
  return { id: `${type === 'Point' ? 'n' : type === 'LineString' ? 'w' : 'a'}${id}`, tags, geometry, version: 1, timestamp: null } // biome-ignore format: one object
}

/** A line of nine bends, `metres` apart. */
function winding([x, y]: Place, metres: number, next: () => number): Place[] {
  const points: Place[] = [[x, y]]
  let direction = next() * 2 * Math.PI
  for (let i = 0; i < 9; i++) {
    direction += (next() - 0.5) * 1.5
    const [west, south] = points.at(-1)!
    const step = metres / METRES_PER_DEGREE_LONGITUDE
    points.push([west + step * Math.cos(direction), south + step * Math.sin(direction)])
  }
  return points
}

/** Scenes over a place, those with the longest shadows first. */
function scenesAt(source: SceneSource, [x, y]: Place): Scene[] {
  const shadow = (scene: Scene) => lightOf(scene, y).shadow
  return [...source.scenes([x, y, x, y], source.start, source.end)].sort((a, b) => shadow(b) - shadow(a))
}

const PLANES = ['red', 'green', 'blue', 'infrared', 'clouds', 'shadows'] as const

/** How many pixels of a part of a picture are not as in the whole. */
function unlike(whole: Picture, part: Picture, grid: PixelGrid, x0: number, y0: number, width: number): number {
  let count = 0
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++) {
      const [at, i] = [(y + y0) * width + x + x0, y * grid.width + x]
      const [isValid, wasValid] = [part.valid?.[i] ?? 1, whole.valid?.[at] ?? 1]
      const isSame = isValid === wasValid && PLANES.every((name) => (whole[name]?.[at] ?? 0) === (part[name]?.[i] ?? 0))
      // Nothing is read of a pixel without data.
      if (!isSame && (isValid !== 0 || wasValid !== 0)) count++
    }
  }
  return count
}

/** Draws a box and parts of it, most of them where something is drawn, and compares every pixel that they share. */
function expectSameGround(painter: Painter, scene: Scene, grid: PixelGrid, next: () => number, what: string): void {
  const whole = painter.paint(scene, grid)
  const ground = BARE.paint(scene, grid)
  const drawn = [...whole.red.keys()].filter((i) => whole.red[i] !== ground.red[i])
  for (let i = 0; i < 40; i++) {
    const [width, height] = [4, 4].map((least) => least + Math.floor(next() ** 3 * 60)) as [number, number]
    const at = drawn[Math.floor(next() * drawn.length)] ?? 0
    const [x, y] = [Math.min(at % grid.width, grid.width - width), Math.min(Math.floor(at / grid.width), grid.height - height)] // biome-ignore format: one pair
    const isStrip = i % 10 === 0
    const part: PixelGrid = isStrip
      ? { ...grid, top: y, height }
      : { ...grid, top: 0, width, height, west: grid.west + x * grid.stepX, north: grid.north + y * grid.stepY }
    const pixels = unlike(whole, painter.paint(scene, part), part, isStrip ? 0 : x, y, grid.width)
    expect(pixels, `${what}: of ${isStrip ? 'the rows' : 'the box'} ${x}, ${y}, ${width} x ${height}`).toBe(0)
  }
}

const BARE = createPainter(featureBuilder().build())
const SOURCES = createCatalogue({ brandenburg: 'image' }).sources
const SIDE = 240
const PER_SCENE = 14

test.each(Object.keys(PLACES))('%s shows a pixel alike in every box, whatever is around it', (alias) => {
  const place = PLACES[alias]!
  const source = SOURCES.find((each) => each.alias === alias)!
  const here = { width: 1, height: 1, top: 0, west: place[0], north: place[1], stepX: 1e-6, stepY: -1e-6 }
  const scenes = scenesAt(source, place).filter((scene) => BARE.paint(scene, here).valid?.[0] !== 0)
  expect(scenes.length).toBeGreaterThan(0)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const next = drawing(seed)
      const store = featureBuilder()
      for (let id = 1; id <= PER_SCENE; id++) {
        const kind = ALL_TAGS[Math.floor(next() * ALL_TAGS.length)]!
        store.add(objectAt(id, kind, place, 10 + SIDE * source.gsd * (0.3 + 2 * next() ** 2), next))
      }
      const painter = createPainter(store.build())
      // Native pixels, and now and then coarser ones.
      const step = (source.gsd * (next() < 0.8 ? 1 : 1 + 6 * next())) / METRES_PER_DEGREE_LATITUDE
      const grid = {
        width: SIDE,
        height: SIDE,
        top: 0,
        west: place[0] - (SIDE / 2) * step,
        north: place[1] + (SIDE / 2) * step,
        stepX: step,
        stepY: -step,
      }
      const scene = scenes[Math.floor(next() ** 2 * Math.min(12, scenes.length))]!
      expectSameGround(painter, scene, grid, next, `${alias} ${scene.index}, seed ${seed}`)
    }),
    { numRuns: 12 },
  )
})

test('the sea begins at the same pixel in every box, however many coasts are near', () => {
  const [alias, place] = ['L8', PLACES.L8!] as const
  const scene = scenesAt(SOURCES.find((each) => each.alias === alias)!, place)[0]!
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const next = drawing(seed)
      const store = featureBuilder()
      for (let id = 1; id <= 1 + next() * 5; id++) {
        const [x, slant] = [place[0] + (next() - 0.5) * 1.6, (next() - 0.5) * 0.1]
        const line: Place[] = [[x, place[1] - 0.6], [x + slant, place[1] + 0.6]] // biome-ignore format: one line
        const coordinates = next() < 0.5 ? line : line.toReversed()
        store.add({ id: `w${id}`, tags: { natural: 'coastline' }, geometry: { type: 'LineString', coordinates }, version: 1, timestamp: null }) // biome-ignore format: one object
      }
      const step = 0.004
      const grid = { width: 200, height: 100, top: 0, west: place[0] - 100 * step, north: place[1] + 50 * step, stepX: step, stepY: -step } // biome-ignore format: one grid
      expectSameGround(createPainter(store.build()), scene, grid, next, `seed ${seed}`)
    }),
    { numRuns: 30 },
  )
})

test('everything that is drawn stays within the reach that its style promises', () => {
  const [alias, place] = ['P3', PLACES.P3!] as const
  const step = 3.2 / METRES_PER_DEGREE_LATITUDE
  const side = 250
  const grid = { width: side, height: side, top: 0, west: place[0] - (side / 2) * step, north: place[1] + (side / 2) * step, stepX: step, stepY: -step } // biome-ignore format: one grid
  const source = SOURCES.find((each) => each.alias === alias)!
  const scene = scenesAt(source, place)[0]!
  const ground = BARE.paint(scene, grid)
  const seen = new Set<string>()
  const next = drawing(7)
  for (const kind of ALL_TAGS) {
    const store = featureBuilder()
    store.add(objectAt(1, kind, place, 20, next))
    const features = store.build()
    const look = JSON.stringify(features.styles[0])
    if (features.count === 0 || seen.has(look)) continue
    seen.add(look)
    const picture = createPainter(features).paint(scene, grid)
    const changed = [...picture.red.keys()].filter((i) => picture.red[i] !== ground.red[i])
    const columns = changed.map((i) => i % side)
    const rows = changed.map((i) => Math.floor(i / side))
    for (const [x, y] of [Math.min, Math.max].map((end) => [end(...columns), end(...rows)] as const)) {
      if (changed.length === 0) continue
      const [longitude, latitude] = [grid.west + (x + 0.5) * step, grid.north - (y + 0.5) * step]
      expect(
        openFeatures(features).find([longitude, latitude, longitude, latitude]).length,
        `${look} at ${x}, ${y}`,
      ).toBe(1)
    }
  }
  expect(seen.size).toBeGreaterThan(100)
})
