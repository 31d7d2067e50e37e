// @module-tag slow
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdCollector, RankFinder, rankIds, unionOf } from '../src/id-set.ts'

const id = fc.oneof(
  fc.integer({ min: -600, max: 1200 }),
  fc.integer({ min: 11_000_000_000, max: 11_000_002_000 }),
  fc.maxSafeInteger(),
)

function setOf(ids: readonly number[]) {
  const collector = new IdCollector()
  for (const each of ids) collector.add(each)
  return collector.take()
}

test('the rank of an id is the number of lower ids, in whatever order ids are put in and asked for', () => {
  fc.assert(
    fc.property(fc.array(id, { maxLength: 300 }), fc.array(id, { maxLength: 60 }), (ids, others) => {
      const sorted = [...new Set(ids)].sort((a, b) => a - b)
      const ranks = rankIds(setOf(ids))
      expect(ranks.count).toBe(sorted.length)
      const finder = new RankFinder(ranks)
      for (const each of [...ids, ...sorted, ...sorted.toReversed(), ...others])
        expect(finder.rankOf(each)).toBe(sorted.indexOf(each))
      const asked = Float64Array.from([...others, ...sorted])
      const found: [number, number][] = []
      finder.forEachKnown(asked, asked.length, (i, rank) => found.push([asked[i]!, rank]))
      expect(found).toEqual([...asked].map((each) => [each, sorted.indexOf(each)]).filter(([, rank]) => rank !== -1))
    }),
    { numRuns: 300 },
  )
})

test('sets that several collectors made are one, as if one had made them', () => {
  fc.assert(
    fc.property(fc.array(fc.array(id, { maxLength: 60 }), { minLength: 1, maxLength: 5 }), (lists) => {
      expect(lists.map(setOf).reduce(unionOf)).toEqual(setOf(lists.flat()))
    }),
    { numRuns: 300 },
  )
})

test('more ids than a collector holds in its table are all there', () => {
  const collector = new IdCollector()
  const count = 1_500_000
  // One id in each chunk of 512, in an order that jumps about.
  for (let i = 0; i < count; i++) collector.add(((i * 7919) % count) * 512 + (i % 512))
  const ranks = rankIds(collector.take())
  expect(ranks.count).toBe(count)
  const finder = new RankFinder(ranks)
  for (let i = 0; i < count; i += 997)
    expect(finder.rankOf(((i * 7919) % count) * 512 + (i % 512))).toBe((i * 7919) % count)
})
