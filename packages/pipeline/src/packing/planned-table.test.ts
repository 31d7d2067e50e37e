import { canonicalJson, type ImageCandidate, type PlannedImage } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PlannedTable } from './planned-table.ts'

const degrees = fc.double({ min: -180, max: 180, noNaN: true })
const pixels = fc.record({
  box: fc.tuple(degrees, degrees, degrees, degrees),
  width: fc.nat(2 ** 31),
  height: fc.nat(2 ** 31),
  gsd: fc.constantFrom(0.1, 0.2, 10),
})
const sourceImage = fc.record({
  source: fc.constantFrom('CH', 'S2', 'a"b'),
  imageId: fc.oneof(fc.constantFrom('one', 'two'), fc.string({ unit: 'binary' })),
  origin: fc.constantFrom('here', 'there'),
})
/** Candidates of one source, which share their pixels. The time of an image is always the same. */
const candidates = fc.tuple(fc.array(sourceImage, { minLength: 1, maxLength: 3 }), pixels).map(([images, shared]) =>
  images.map(({ source, imageId, origin }): ImageCandidate => {
    const time = imageId === 'one' ? null : imageId.length * 1e11
    const facts = { licence: imageId, credit: 'A "town"' }
    const { gsd, ...place } = shared
    return { source, imageId, origin, time, ...(imageId === 'two' && { facts }), gsd, ...place }
  }),
)
const image: fc.Arbitrary<PlannedImage> = fc.record({
  id: fc.tuple(fc.constantFrom('n', 'w', 'a'), fc.maxSafeInteger()).map(([kind, number]) => `${kind}${number}`),
  candidates: fc.array(candidates, { minLength: 1, maxLength: 2 }).map((each) => each.flat()),
})

test('a table of planned images writes the JSON of the images, as it is and with sorted keys', () => {
  fc.assert(
    fc.property(fc.array(image), (images) => {
      const table = new PlannedTable()
      for (const each of images) table.add(each)
      const all = [...images.keys()].reverse()
      const { text, canonical } = table.json(all)
      expect(text).toBe(JSON.stringify(images.toReversed()))
      expect(canonical).toBe(canonicalJson(images.toReversed()))
      for (const [i, { id, candidates: each }] of images.entries()) {
        const [west, south, east, north] = each[0]!.box
        expect(table.id(i)).toBe(id)
        expect(table.first(i)).toEqual(each[0])
        expect(table.position(i)).toEqual([(west + east) / 2, (south + north) / 2])
      }
    }),
  )
})
