import { boxOf, type Geometry, type OsmObject, type Position, toFeatureLine } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { outlinesOf } from './outlines.ts'

const degrees = (most: number) =>
  fc
    .oneof(
      fc.integer({ min: -most * 1e7, max: most * 1e7 }),
      fc.integer({ min: -most, max: most }).map((n) => n * 1e7),
      // JSON writes small numbers with an exponent, the extraction never does.
      fc.constantFrom(0, 12_3000000, -most * 1e7, most * 1e7),
    )
    .filter((units) => units === 0 || Math.abs(units) >= 10)
    .map((units) => units / 1e7)
const position: fc.Arbitrary<Position> = fc.tuple(degrees(180), degrees(90))
const line = fc.array(position, { minLength: 2, maxLength: 20 })
const geometry: fc.Arbitrary<Geometry> = fc.oneof(
  position.map((coordinates): Geometry => ({ type: 'Point', coordinates })),
  line.map((coordinates): Geometry => ({ type: 'LineString', coordinates })),
  fc
    .array(line, { minLength: 2, maxLength: 4 })
    .map((coordinates): Geometry => ({ type: 'MultiLineString', coordinates })),
  fc.array(line, { minLength: 1, maxLength: 3 }).map((coordinates): Geometry => ({ type: 'Polygon', coordinates })),
  fc
    .array(fc.array(line, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 4 })
    .map((coordinates): Geometry => ({ type: 'MultiPolygon', coordinates })),
)
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('},"version":', '\n', '}}\n{', '"', '\\'),
)
const object: fc.Arbitrary<OsmObject> = fc.record({
  id: fc.tuple(fc.constantFrom('n', 'w', 'a'), fc.maxSafeInteger()).map(([kind, number]) => `${kind}${number}`),
  geometry,
  tags: fc.dictionary(text, text).map((tags) => Object.fromEntries(Object.entries(tags))),
  version: fc.nat(),
  timestamp: fc.constantFrom(null, '2024-05-01T12:00:00Z'),
})

test('outlines have the ids, kinds, boxes, tags and times of the objects, and the objects themselves', () => {
  fc.assert(
    fc.property(fc.array(object, { maxLength: 6 }), (objects) => {
      const bytes = Buffer.from(objects.map((each) => `${toFeatureLine(each)}\n`).join(''))
      const found = [...outlinesOf(bytes)].map((outline) => ({
        id: outline.id,
        isArea: outline.isArea,
        box: outline.box,
        tags: outline.tags,
        tagsText: JSON.parse(Buffer.from(outline.tagsText, 'latin1').toString('utf8')),
        edited: outline.edited,
        geometry: outline.geometry(),
        object: outline.object(),
        line: String(outline.line()),
      }))
      expect(found).toEqual(
        // Texts that are no Unicode come back as what UTF-8 makes of them.
        objects.map((each) => {
          const read = JSON.parse(Buffer.from(JSON.stringify(each)).toString('utf8')) as OsmObject
          return {
            id: read.id,
            isArea: read.geometry.type.endsWith('Polygon'),
            box: boxOf(read.geometry),
            tags: read.tags,
            tagsText: read.tags,
            edited: read.timestamp && Date.parse(read.timestamp),
            geometry: read.geometry,
            object: read,
            line: Buffer.from(`${toFeatureLine(each)}\n`).toString('utf8'),
          }
        }),
      )
    }),
    { numRuns: 400 },
  )
})

test('outlines of some objects are those among all', () => {
  fc.assert(
    fc.property(fc.array(object, { maxLength: 6 }), fc.array(fc.boolean(), { minLength: 6 }), (objects, wanted) => {
      const bytes = Buffer.from(objects.map((each) => `${toFeatureLine(each)}\n`).join(''))
      const ids = new Set(objects.flatMap(({ id }, i) => (wanted[i] ? [id] : [])))
      const all = [...outlinesOf(bytes)].filter(({ id }) => ids.has(id))
      const found = [...outlinesOf(bytes, (id) => ids.has(id))]
      expect(found.map((outline) => String(outline.line()))).toEqual(all.map((outline) => String(outline.line())))
    }),
  )
})
