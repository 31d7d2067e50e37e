import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hitProbability, sumOf } from '../src/expected-hits.ts'

/** All ways to choose some of the numbers below `count`. */
function* choices(count: number, size: number, from = 0): Generator<number[]> {
  if (size === 0) yield []
  for (let first = from; size > 0 && first < count; first++)
    for (const rest of choices(count, size - 1, first + 1)) yield [first, ...rest]
}

test('the probability of a hit is the share of orders of equal candidates that have an answer among the best k', () => {
  const cases = fc
    .record({ above: fc.nat(4), equal: fc.integer({ min: 1, max: 7 }), k: fc.integer({ min: 1, max: 9 }) })
    .chain((some) => fc.record({ ...mapConstants(some), answers: fc.integer({ min: 1, max: some.equal }) }))
  fc.assert(
    fc.property(cases, ({ above, equal, answers, k }) => {
      const drawn = Math.max(0, Math.min(equal, k - above))
      const all = [...choices(equal, drawn)]
      const hits = all.filter((chosen) => chosen.some((candidate) => candidate < answers))
      expect(hitProbability({ above, equal, answers }, k)).toBeCloseTo(hits.length / all.length, 12)
    }),
  )
})

const mapConstants = <T extends Record<string, number>>(values: T) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fc.constant(value)])) as {
    [K in keyof T]: fc.Arbitrary<number>
  }

test('a sum of hits is the same to the last bit in any order', () => {
  const probabilities = fc.array(
    fc.integer({ min: 1, max: 70 }).map((n) => 1 / n),
    { minLength: 2, maxLength: 50 },
  )
  fc.assert(
    fc.property(probabilities, (parts) => {
      expect(sumOf(parts.toSorted())).toBe(sumOf(parts.toReversed()))
    }),
  )
})
