import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareCodes, decodeId, encodeId } from './index.ts'

const ids = fc
  .tuple(fc.constantFrom('n', 'w', 'a'), fc.integer({ min: -(2 ** 50), max: 2 ** 50 }))
  .map(([kind, number]) => kind + number)

test('an id comes back from its code, and codes compare like their ids', () => {
  fc.assert(
    fc.property(ids, ids, (a, b) => {
      expect(decodeId(encodeId(a))).toBe(a)
      expect(Math.sign(compareCodes(encodeId(a), encodeId(b)))).toBe(a === b ? 0 : a < b ? -1 : 1)
    }),
  )
})

test.each(['', 'x1', '12', 'nx', 'n1.5.2', 'a9999999999999999'])('"%s" has no code', (id) => {
  expect(() => encodeId(id)).toThrow('is not a valid OSM id')
})
