import { existsSync, readFileSync } from 'node:fs'
import { type Geometry, type ImageRecord, InputError, type OsmObject, type Tags } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CaptionerOptions, createCaptioner } from '../src/captioner.ts'
import { pluralPhrase } from '../src/counts.ts'
import { draftOf } from '../src/phrases.ts'
import { parseStyle, STYLES, shippedStyle } from '../src/styles/style.ts'
import { loadTables } from '../src/tables.ts'

/** A hundredth of a degree at the equator, some 1.1 km a side. */
const image: ImageRecord = {
  id: 'a1',
  filepath: 'images2/a1_US_19.jpg',
  source: 'US',
  imageId: 'USDA/NAIP/DOQQ/m_1',
  origin: 'earthengine',
  time: 0,
  gsd: 0.6,
  box: [0, 0, 0.01, 0.01],
  width: 100,
  height: 100,
  bytes: 1,
  sha256: '0'.repeat(64),
}

let ids = 1
const object = (tags: Tags, geometry: Geometry): OsmObject => ({
  id: `a${ids++}`,
  tags,
  geometry,
  version: 3,
  timestamp: null,
})
const point = (x: number, y: number): Geometry => ({ type: 'Point', coordinates: [x / 1000, y / 1000] })
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
const farm = object({ building: 'farm', 'roof:colour': 'red' }, square(4.5, 4.5, 1))
const around = [
  object({ building: 'house' }, square(8, 4.5, 1)),
  object({ building: 'house' }, square(8, 4.6, 1)),
  object({ building: 'house' }, square(1, 1, 1)),
  object({ natural: 'water' }, square(4, 8, 2)),
  object({ landuse: 'farmland' }, square(0, 0, 10)),
  object({ natural: 'tree' }, point(5, 1)),
]
const record = (options: CaptionerOptions, objects = around) => {
  const made = createCaptioner(options).captionImage(image, farm, objects)
  if ('reason' in made) throw new Error(made.reason)
  return made
}

test('extras are off unless asked for, and each changes the fingerprint of captions but not that of tags', () => {
  const plain = createCaptioner()
  expect(record({}).titleMultiObjects).toBe(
    'a satellite image of building of farm with roof colour of red, surrounded by landuse of farmland; natural water; building of house; natural tree',
  )
  expect(record({})).not.toHaveProperty('more')
  const tokens = { limit: 77, count: () => 1, tokenizer: 'x' }
  const extras: CaptionerOptions[] = [
    { counts: true },
    { directions: true },
    { tokens },
    { more: { captions: 2, seed: 1 } },
    { styles: [shippedStyle('it-shows')] },
  ]
  const prints = new Set([plain.fingerprint])
  for (const extra of extras) {
    const captioner = createCaptioner(extra)
    prints.add(captioner.fingerprint)
    expect(captioner.tagsFingerprint).toBe(plain.tagsFingerprint)
  }
  expect(prints.size).toBe(extras.length + 1)
})

test('counts say how many like objects there are', () => {
  expect(record({ counts: true }).titleMultiObjects).toBe(
    'a satellite image of building of farm with roof colour of red, surrounded by landuse of farmland; natural water; 3 buildings of house; natural tree',
  )
})

test.each([
  ['building=yes', 'buildings'],
  ['building=house', 'buildings of house'],
  ['highway=residential', 'roads of residential'],
  ['highway=motorway', 'highways of freeway'],
  ['amenity=parking', 'amenities of parking'],
  ['power=pole', 'power poles'],
  ['natural=tree', 'natural trees'],
  ['natural=water', 'areas of natural water'],
  ['natural=wood', 'areas of natural woodland'],
  ['landuse=forest', 'areas of landuse of forest'],
  ['leisure=pitch', 'areas of leisure land of pitch'],
  ['abandoned:highway=track', 'abandoned roads of track'],
  ['man_made=wharf', 'man made wharves'],
  ['public_transport=platform', 'public transports of platform'],
  ['golf=bunker', 'golf bunkers'],
])('several of %s are "%s"', (tag, wanted) => {
  const [key, value] = tag.split('=') as [string, string]
  expect(pluralPhrase(draftOf(key, value, loadTables({}).rules))).toBe(wanted)
})

test('directions say on which side of the focus object others lie, but not of what is around it or on several sides', () => {
  expect(record({ directions: true }).titleMultiObjects).toBe(
    'a satellite image of building of farm with roof colour of red, surrounded by landuse of farmland; natural water to the north; building of house; natural tree to the south',
  )
  expect(record({ directions: true, counts: true }).titleMultiObjects).toContain('; 3 buildings of house;')
  expect(record({ directions: true, counts: true }, around.slice(0, 2)).titleMultiObjects).toMatch(
    /surrounded by 2 buildings of house to the east$/,
  )
})

test('the direction of a line or area is that of the part that the image shows', () => {
  const line: Geometry = {
    type: 'LineString',
    coordinates: [
      [-0.5, 0.009],
      [0.5, 0.009],
    ],
  }
  const beyond = object({ highway: 'residential' }, line)
  const mostlyOutside = object({ landuse: 'forest' }, square(-200, 0, 201))
  expect(record({ directions: true }, [beyond, mostlyOutside]).titleMultiObjects).toMatch(
    /landuse of forest to the west; road of residential to the north$|road of residential to the north; landuse of forest to the west$/,
  )
})

test('a limit of tokens drops the surroundings named last, then tags of the focus object, and keeps whole what fits', () => {
  const words = { count: (text: string) => text.split(/\s+/).length, tokenizer: 'words' }
  const whole = record({}).titleMultiObjects
  const title = 'a satellite image of building of farm, roof colour of red'
  const multi = (limit: number) => record({ tokens: { ...words, limit } })
  expect(multi(77).titleMultiObjects).toBe(whole)
  expect(multi(23)).toMatchObject({
    title,
    titleMultiObjects:
      'a satellite image of building of farm with roof colour of red, surrounded by landuse of farmland; natural water; building of house',
  })
  expect(multi(13).titleMultiObjects).toBe('a satellite image of building of farm with roof colour of red')
  expect(multi(8)).toMatchObject({
    title: 'a satellite image of building of farm',
    titleMultiObjects: 'a satellite image of building of farm',
  })
  expect(multi(6)).toMatchObject({
    title: 'a satellite image of building',
    titleMultiObjects: 'a satellite image of building',
  })
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 40 }), (limit) => {
      const made = multi(limit)
      for (const text of [made.title, made.titleMultiObjects]) expect(words.count(text)).toBeLessThanOrEqual(limit)
      if (limit >= 13) expect(whole.startsWith(made.titleMultiObjects)).toBe(true)
    }),
    { numRuns: 40 },
  )
})

test('the style of 2024 calls aerial images aerial, and those of satellites satellite images', () => {
  const styles = [shippedStyle('it-shows')]
  expect(record({ styles }, []).title).toBe('An aerial image. It shows: building of farm, roof colour of red.')
  const made = createCaptioner({ styles }).captionImage({ ...image, source: 'P3' }, farm, around.slice(3, 4))
  expect(made).toMatchObject({
    titleMultiObjects:
      'A satellite image. It shows: building of farm with roof colour of red, surrounded by natural water.',
  })
})

test('a style of another language gives its own connectors, joins, directions and words', () => {
  const german = parseStyle(
    `title: 'ein Luftbild: {tags}'
alone: 'ein Luftbild: {object}'
surrounded: 'ein Luftbild: {object}, umgeben von {others}'
connectors: { of: 'der Art' }
joins: { first: ' mit ', next: ' und ' }
counted: '{count} x {phrase}'
directions: { north: 'im Norden', east: 'im Osten', southwest: 'im Südwesten', south: 'im Süden' }
phrases: { natural water: Wasser }
`,
    'german.yaml',
  )
  expect(record({ styles: [german], directions: true, counts: true }).titleMultiObjects).toBe(
    'ein Luftbild: building der Art farm mit roof colour der Art red, umgeben von landuse der Art farmland; Wasser im Norden; 3 x building der Art house; natural tree im Süden',
  )
})

test('every shipped style has a file of its name, and the first is the original', () => {
  for (const name of STYLES) expect(existsSync(new URL(`../src/styles/${name}.json`, import.meta.url))).toBe(true)
  expect(JSON.parse(readFileSync(new URL('../src/styles/skyscript.json', import.meta.url), 'utf8')).title).toBe(
    'a satellite image of {tags}',
  )
})

test('a style that cannot be used is refused by name', () => {
  const refusal = (text: string) => {
    try {
      parseStyle(text, 'mine.yaml')
    } catch (error) {
      if (error instanceof InputError) return `${error.code}: ${error.message}`
    }
    return 'accepted'
  }
  const whole = 'title: "{tags}"\nalone: "{object}"\nsurrounded: "{object} {others}"\n'
  expect(refusal(whole)).toBe('accepted')
  expect(refusal('title: x\n')).toMatch(/^bad-style: mine.yaml: title: must hold \{tags\}; alone/)
  expect(refusal(`${whole}titel: x\n`)).toMatch(/titel/)
  expect(refusal(`${whole}joins: { tags: "\\n" }\n`)).toMatch(/joins.tags: must be one line/)
  expect(refusal('{')).toMatch(/^bad-style: mine.yaml is not YAML or JSON/)
})

test('several captions are other ones, the same each time, in any order of the objects around', () => {
  const more = { captions: 5, seed: 7 }
  const styles = [shippedStyle('skyscript'), shippedStyle('it-shows')]
  const made = record({ more, styles })
  expect(made.more).toHaveLength(5)
  expect(new Set([made.title, made.titleMultiObjects, ...made.more!]).size).toBe(7)
  expect(made.more!.some((text) => text.startsWith('An aerial image. It shows: '))).toBe(true)
  expect(record({ more, styles }, around.toReversed()).more).toEqual(made.more)
  expect(record({ more: { ...more, seed: 8 }, styles }).more).not.toEqual(made.more)
  // An object with one tag has only one wording.
  const lonely = object({ natural: 'wood' }, square(1, 1, 8))
  expect(createCaptioner({ more }).captionImage(image, lonely, [])).toMatchObject({ more: [] })
})

test('a caption is cut between phrases, never inside one, whatever the tags and the limit', () => {
  const letters = { count: (text: string) => text.length, tokenizer: 'letters' }
  const value = fc.string({ unit: fc.constantFrom('a', 'b', '_', ';'), minLength: 1, maxLength: 60 })
  const tags = fc.dictionary(fc.constantFrom('building', 'surface', 'crop', 'water', 'landuse'), value, { minKeys: 1 })
  const plain = createCaptioner()
  const limits = new Map(
    [30, 45, 60, 90, 200].map((limit) => [limit, createCaptioner({ tokens: { ...letters, limit } })]),
  )
  const START = 'a satellite image of '
  fc.assert(
    fc.property(tags, fc.array(tags, { maxLength: 4 }), fc.constantFrom(...limits.keys()), (center, others, limit) => {
      const limited = limits.get(limit)!.caption(center, others, { allTags: true })
      const phrases = (object: Record<string, string>) =>
        Object.entries(object).flatMap(([key, value]) =>
          [{ [key]: value }, { [key]: 'yes' }].map((tag) =>
            plain.caption(tag, [], { allTags: true }).title.slice(START.length),
          ),
        )
      const known = new Set([...phrases(center), ...others.flatMap(phrases)])
      expect(limited.title.length).toBeLessThanOrEqual(limit)
      expect(limited.titleMultiObjects.length).toBeLessThanOrEqual(limit)
      // No value holds a comma, and-s and with-s stand only between phrases; a list's `; ` is inside one.
      for (const phrase of limited.title.slice(START.length).split(', ')) expect(known).toContain(phrase)
      const [focus, around] = limited.titleMultiObjects.slice(START.length).split(', surrounded by ')
      for (const phrase of focus!.split(/ with | and /)) expect(known).toContain(phrase)
      const whole = plain.caption(center, others, { allTags: true }).titleMultiObjects
      if (around !== undefined) expect(whole).toContain(around.split('; ')[0])
    }),
    { numRuns: 300 },
  )
})

test('a phrase that is too long by itself is said by its key, and an object that is too long is left out', () => {
  const tokens = { count: (text: string) => text.split(/\s+/).length, limit: 13, tokenizer: 'words' }
  const limited = createCaptioner({ tokens })
  const long = 'x_'.repeat(20)
  const caption = (center: Record<string, string>, around: Record<string, string>[] = []) =>
    limited.caption(center, around, { allTags: true })
  expect(caption({ building: long }).title).toBe('a satellite image of building')
  expect(caption({ building: long, surface: 'asphalt' }, [{ natural: 'tree' }])).toEqual({
    title: 'a satellite image of surface of asphalt, building',
    titleMultiObjects: 'a satellite image of surface of asphalt with building, surrounded by natural tree',
  })
  expect(caption({ building: 'yes' }, [{ landuse: long }, { landuse: 'forest' }]).titleMultiObjects).toBe(
    'a satellite image of building, surrounded by landuse of forest',
  )
  expect(caption({ [long]: 'yes', building: 'yes' }).title).toBe('a satellite image of building')
})
