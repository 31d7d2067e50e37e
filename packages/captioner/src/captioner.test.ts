import type { Geometry, ImageRecord, OsmObject, Tags } from '@skyscript/core'
import { DataFault } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCaptioner } from './captioner.ts'

const captioner = createCaptioner()

/** A hundredth of a degree at the equator, some 1.1 km a side. */
const image = (gsd: number): ImageRecord => ({
  id: 'a1',
  filepath: 'images2/a1_US_19.jpg',
  source: 'US',
  imageId: 'USDA/NAIP/DOQQ/m_1',
  origin: 'earthengine',
  time: 0,
  gsd,
  box: [0, 0, 0.01, 0.01],
  width: 100,
  height: 100,
  bytes: 1,
  sha256: '0'.repeat(64),
})

const object = (id: string, tags: Tags, geometry: Geometry): OsmObject => ({
  id,
  tags,
  geometry,
  version: 3,
  timestamp: '2024-05-01T12:00:00Z',
})

const at = (x: number, y: number): Geometry => ({ type: 'Point', coordinates: [x / 1000, y / 1000] })
const line = (...points: [number, number][]): Geometry => ({
  type: 'LineString',
  coordinates: points.map(([x, y]) => [x / 1000, y / 1000]),
})
const square = (x: number, y: number, side: number): Geometry => {
  const corners: [number, number][] = [
    [x, y],
    [x + side, y],
    [x + side, y + side],
    [x, y + side],
    [x, y],
  ]
  return { type: 'Polygon', coordinates: [corners.map(([a, b]) => [a / 1000, b / 1000])] }
}

const captionOf = (gsd: number, focus: OsmObject, around: OsmObject[]) => {
  const record = captioner.captionImage(image(gsd), focus, around)
  if ('reason' in record) throw new Error(record.reason)
  return record
}

const farm = object(
  'a1',
  { building: 'farm', 'roof:shape': 'gabled', name: 'Hof', 'building:levels': '2' },
  square(5, 5, 1),
)

test("the paper's example is written as in the paper", () => {
  const { title, titleMultiObjects } = captioner.caption(
    { power: 'pole' },
    [{ power: 'minor_line', cables: '3', voltage: '16000' }],
    { allTags: true },
  )
  expect(title).toBe('a satellite image of power pole')
  expect(titleMultiObjects).toBe(
    'a satellite image of power pole, surrounded by power minor line with cables of 3 and voltage of 16000',
  )
})

test('the title joins phrases by commas, the longer caption by with and and', () => {
  const tags = { building: 'house', 'roof:shape': 'hipped', 'roof:material': 'roof_tiles' }
  expect(captioner.caption(tags, [])).toEqual({
    title: 'a satellite image of building of house, roof material of roof tiles, roof shape of hipped',
    titleMultiObjects:
      'a satellite image of building of house with roof material of roof tiles and roof shape of hipped',
  })
})

test('a tag with a max GSD of 1 m never describes a 10 m image', () => {
  const lake = object('a1', { natural: 'water', water: 'pond', intermittent: 'yes' }, square(1, 1, 8))
  const pier = object('a2', { man_made: 'pier' }, square(3, 3, 1))
  expect(captionOf(10, lake, [pier])).toMatchObject({
    title: 'a satellite image of natural water',
    titleMultiObjects: 'a satellite image of natural water',
    centerTags: { natural: 'water' },
    surroundingTags: [],
  })
  expect(captionOf(30, lake, [pier]).title).toBe('a satellite image of natural water')
  expect(captionOf(1, lake, [pier]).titleMultiObjects).toMatch(/surrounded by man made pier$/)
})

test('an object with no tag that can be seen at the GSD has no caption, and the reason is counted', () => {
  const pole = object('n1', { power: 'pole', name: 'x' }, at(5, 5))
  expect(captioner.captionImage(image(0.6), pole, [])).toEqual({ reason: 'no-groundable-tag-at-gsd' })
  expect(() => captioner.caption({ power: 'pole' }, [], { gsd: 0.6 })).toThrow(DataFault)
  expect(() => captioner.caption({}, [], { allTags: true })).toThrow(DataFault)
})

test('names, levels and house numbers never reach a caption or a meta', () => {
  const shop = object('n9', { shop: 'mall', name: 'Mall', 'addr:housenumber': '4' }, at(1, 1))
  const record = captionOf(0.2, farm, [shop])
  expect(record.centerTags).toEqual({ building: 'farm', 'roof:shape': 'gabled' })
  expect(record.surroundingTags).toEqual([{ shop: 'mall' }])
  expect(record.titleMultiObjects).toBe(
    'a satellite image of roof shape of gabled with building of farm, surrounded by shop of mall',
  )
})

test('lines that cross the image and areas that cover it count; what only its box touches does not', () => {
  const across = object('w1', { waterway: 'stream' }, line([-5, 3], [15, 3]))
  const covering = object('a2', { landuse: 'forest' }, square(-10, -10, 40))
  const pastCorner = object('w2', { waterway: 'canal' }, line([-3, 8], [3, 14]))
  const inHole = object(
    'a3',
    { landuse: 'meadow' },
    {
      type: 'Polygon',
      coordinates: [
        [
          [-1, -1],
          [1, -1],
          [1, 1],
          [-1, 1],
          [-1, -1],
        ],
        [
          [-0.5, -0.5],
          [-0.5, 0.5],
          [0.5, 0.5],
          [0.5, -0.5],
          [-0.5, -0.5],
        ],
      ],
    },
  )
  expect(captionOf(1, farm, [across, covering, pastCorner, inHole]).titleMultiObjects).toBe(
    'a satellite image of building of farm, surrounded by landuse of forest; waterway of stream',
  )
})

test('of a road around the focus only the road is named, while its meta keeps all that is seen', () => {
  const street = object(
    'w1',
    { highway: 'residential', surface: 'asphalt', lit: 'yes', bridge: 'yes' },
    line([1, 1], [9, 1]),
  )
  const record = captionOf(0.6, farm, [street])
  expect(record.titleMultiObjects).toBe('a satellite image of building of farm, surrounded by road of residential')
  expect(record.surroundingTags).toEqual([{ highway: 'residential', surface: 'asphalt', bridge: 'yes' }])
})

test("equal phrases appear once, and none that repeats the focus object's", () => {
  const house = (id: string, x: number) => object(id, { building: 'house' }, square(x, 1, 1))
  const twin = object('a9', { building: 'farm', 'roof:shape': 'gabled' }, square(8, 8, 1))
  const record = captionOf(0.2, farm, [house('a2', 1), house('a3', 3), twin])
  expect(record.titleMultiObjects).toBe(
    'a satellite image of roof shape of gabled with building of farm, surrounded by building of house',
  )
  expect(record.surroundingTags).toHaveLength(3)
})

test('what takes most of the image is named first, points last, equals by phrase, in any order of input', () => {
  const around = [
    object('n1', { natural: 'tree' }, at(2, 2)),
    object('n2', { historic: 'monument' }, at(3, 3)),
    object('w1', { highway: 'residential' }, line([0, 8], [10, 8])),
    object('a2', { landuse: 'meadow' }, square(0, 0, 5)),
    object('a3', { natural: 'water' }, square(0, 0, 3)),
    object('a4', { landuse: 'forest' }, square(-90, 0, 99)),
  ]
  const wanted =
    'a satellite image of building of farm, surrounded by landuse of forest; landuse of meadow; natural water; road of residential; historic of monument; natural tree'
  fc.assert(
    fc.property(fc.shuffledSubarray(around, { minLength: around.length }), (shuffled) => {
      const record = captionOf(0.6, farm, shuffled)
      expect(record.titleMultiObjects).toBe(wanted)
      expect(record.surroundingTags[0]).toEqual({ landuse: 'forest' })
      expect(record.surroundingTags).toHaveLength(around.length)
    }),
  )
})

test('the captions can be made again from the meta', () => {
  const tag = fc.constantFrom<[string, string]>(
    ['highway', 'residential'],
    ['highway', 'street_lamp'],
    ['surface', 'asphalt'],
    ['building', 'yes'],
    ['natural', 'tree'],
    ['landuse', 'forest'],
    ['name', 'x'],
    ['roof:shape', 'flat'],
  )
  const tags = fc.uniqueArray(tag, { selector: ([key]) => key }).map((entries) => Object.fromEntries(entries))
  fc.assert(
    fc.property(
      tags,
      fc.array(fc.tuple(tags, fc.nat(9)), { maxLength: 8 }),
      fc.constantFrom(0.2, 0.6, 1, 10),
      (focus, others, gsd) => {
        const around = others.map(([each, x], i) => object(`a${i + 2}`, each, square(x, x / 2, 0.5)))
        const record = captioner.captionImage(image(gsd), object('a1', focus, square(5, 5, 1)), around)
        if ('reason' in record) return
        const { title, titleMultiObjects, centerTags, surroundingTags } = record
        expect(captioner.caption(centerTags, surroundingTags, { allTags: true })).toEqual({ title, titleMultiObjects })
        for (const each of surroundingTags) expect(each).not.toEqual({})
      },
    ),
  )
})

test('the record carries the image that it describes, and nothing of the last edit of the object', () => {
  expect(captionOf(1, farm, [farm])).toEqual({
    id: 'a1',
    filepath: 'images2/a1_US_19.jpg',
    title: 'a satellite image of building of farm',
    titleMultiObjects: 'a satellite image of building of farm',
    geometry: expect.stringMatching(/^[0-9a-f]{16}$/),
    centerTags: { building: 'farm' },
    surroundingTags: [],
  })
})

test('the record knows the geometry of its object apart from that of others and from all else of it', () => {
  const { geometry } = captionOf(1, farm, [farm])
  expect(captionOf(1, { ...farm, version: 9, tags: { building: 'barn' } }, []).geometry).toBe(geometry)
  expect(captionOf(1, { ...farm, geometry: square(5, 5, 1.5) }, []).geometry).not.toBe(geometry)
})

test('a tag named __proto__ is an ordinary tag and harms nothing', () => {
  const tags = JSON.parse('{"__proto__":"x","constructor":"yes","building":"yes"}') as Tags
  const { title } = captioner.caption(tags, [tags], { allTags: true })
  expect(title).toBe('a satellite image of building, proto of x, constructor')
  expect(Object.getPrototypeOf(captioner.groundableTags(tags, 1))).toBe(Object.prototype)
  expect({}).not.toHaveProperty('x')
})
