import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectListed } from '../../../test/support/folder-list.ts'
import { draftOf, textOf } from '../src/phrases.ts'
import { RULES } from '../src/rules/index.ts'
import type { Draft } from '../src/rules/rule.ts'
import { loadTables } from '../src/tables.ts'

const { rules: tables } = loadTables({})
const phrase = (tag: string) => textOf(draftOf(tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1), tables))

test('every file of the folder is one rule of that name, and every rule is applied once', async () => {
  await expectListed(new URL('../src/rules/', import.meta.url), RULES, { others: ['rule'], nameOf: ({ name }) => name })
})

test('a rule changes only drafts that it makes anew, and says the same each time', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('highway', 'abandoned:highway', 'yes', 'motorway', 'constructor'))
  fc.assert(
    fc.property(fc.constantFrom(...RULES), text, text, (rule, key, value) => {
      const draft: Draft = Object.freeze({ key, value, prefix: '', keyText: key, connector: 'of', valueText: value })
      const made = rule.apply(draft, tables)
      expect(rule.apply(draft, tables)).toEqual(made)
      for (const part of Object.values(made)) expect(typeof part).toBe('string')
    }),
  )
})

// From the list in the description of the dataset, which was read off released captions.
test.each([
  ['surface=asphalt', 'surface of asphalt'],
  ['landuse=forest', 'landuse of forest'],
  ['crop=cotton', 'crop of cotton'],
  ['voltage=3000;15000', 'voltage of 3000; 15000'],
  ['building=yes', 'building'],
  ['backrest=yes', 'backrest'],
  ['lit=yes', 'light'],
  ['tracktype=grade3', 'tracktype is grade3'],
  ['leaf_type=mixed', 'leaf type is mixed'],
  ['generator:type=steam_turbine', 'generator type is steam turbine'],
  ['seamark:type=harbour', 'seamark type is harbour'],
  ['trail_visibility=good', 'trail visibility is good'],
  ['year_of_construction=1895', 'year of construction is 1895'],
  ['power=minor_line', 'power minor line'],
  ['natural=water', 'natural water'],
  ['golf=water_hazard', 'golf water hazard'],
  ['man_made=pier', 'man made pier'],
  ['disc_golf=tee', 'disc golf tee'],
  ['electrified=contact_line', 'electrified contact line'],
  ['abandoned:electrified=contact_line', 'abandoned electrified contact line'],
  ['residential=apartments', 'residential apartments'],
  ['industrial=scrap_yard', 'industrial scrap yard'],
  ['highway=residential', 'road of residential'],
  ['highway=primary_link', 'highway of primary link'],
  ['highway=trunk', 'highway of trunk'],
  ['highway=motorway', 'highway of freeway'],
  ['highway=motorway_link', 'highway of freeway link'],
  ['construction=motorway_link', 'construction of freeway link'],
  ['highway=construction', 'road under construction'],
  ['railway=construction', 'railway under construction'],
  ['abandoned:highway=track', 'abandoned road of track'],
  ['disused:leisure=pitch', 'disused leisure land of pitch'],
  ['leisure=pitch', 'leisure land of pitch'],
  ['aeroway=taxiway', 'airport of taxiway'],
  ['natural=wood', 'natural woodland'],
  ['crop=field', 'crop of field cropland'],
  ['amenity=parking', 'amenity of parking'],
  ['public_transport=platform', 'public transport of platform'],
  ['waterway=stream', 'waterway of stream'],
])('%s is written "%s"', (tag, wanted) => {
  expect(phrase(tag)).toBe(wanted)
})

test('tags named like members of every object are plain words', () => {
  expect(phrase('constructor=yes')).toBe('constructor')
  expect(phrase('__proto__=x')).toBe('proto of x')
  expect(phrase('highway=constructor')).toBe('road of constructor')
})

test('no text of a tag puts a line break, a control or direction character, or half a character into a phrase', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\u0000', '\r\n', '\u202e', '\ud800', '\u2028', '\u200b', ';', '_', ':', ' '),
  )
  const text = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, text, (key, value) => {
      const written = textOf(draftOf(key, value, tables))
      expect(written).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|^\s|\s$|\s\s/u)
    }),
  )
})

test('a value is written whole up to the 255 characters of OSM, and not at all beyond', () => {
  const written = (value: string) => textOf(draftOf('note', value, tables))
  expect(written('é'.repeat(255))).toBe(`note of ${'é'.repeat(255)}`)
  expect(written('𝄞'.repeat(255))).toBe(`note of ${'𝄞'.repeat(255)}`)
  expect(written('a;'.repeat(127))).toBe(`note of ${'a; '.repeat(127).trim()}`)
  expect(written('é'.repeat(256))).toBe('note')
  expect(written('é'.repeat(1_000_000))).toBe('note')
})
