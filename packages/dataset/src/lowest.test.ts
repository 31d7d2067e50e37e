import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lowest } from './index.ts'

test('the lowest of any items are kept in order, and every other one is given back once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.integer({ min: 1, max: 8 }), (all, limit) => {
      const lowest = new Lowest<number>(limit, (a, b) => a < b)
      const others = all.map((item) => lowest.offer(item)).filter((item) => item !== undefined)
      const sorted = all.toSorted((a, b) => a - b)
      expect(lowest.items).toEqual(sorted.slice(0, limit))
      expect(others.toSorted((a, b) => a - b)).toEqual(sorted.slice(limit))
    }),
  )
})
