import { cutRanking } from '@skyscript/filter'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPairTable, fromMicro, toMicro } from '../src/pair-table.ts'
import { scoreStatistics } from '../src/score-statistics.ts'

const cut = (similarities: readonly number[], ids: readonly string[], percent: number) => {
  const [only] = cutRanking(Int32Array.from(similarities), (row) => ids[row]!, [percent])
  return ids.filter((_, row) => only!.members[row] === 1)
}

const object = fc.tuple(fc.constantFrom('n', 'w', 'a'), fc.integer({ min: -99, max: 3_600_000_099 }))
const id = object.map(([kind, number]) => `${kind}${number}`)
/** Few values, so that there are ties; and the ends. */
const similarity = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(-1_000_000, 1_000_000))
const pairs = fc.uniqueArray(fc.record({ id, similarity }), { selector: (pair) => pair.id, maxLength: 60 })
const percent = fc.integer({ min: 1, max: 100 })

/** A ranking counts in a table of 8 MB. */
const RUNS = { numRuns: 30 }

describe('the top percents', () => {
  test.each([
    [30, 1000, 300],
    [30, 10, 3],
    [30, 1, 0],
    [30, 2, 1],
    [30, 5, 2],
    [50, 7, 4],
    [100, 7, 7],
    [1, 49, 0],
    [1, 50, 1],
    [30, 0, 0],
  ])('%d %% of %d pairs are %d', (percent, size, due) => {
    const ids = Array.from({ length: size }, (_, i) => `n${i}`)
    const similarities = ids.map((_, i) => (i * 7919) % 1000)
    expect(cut(similarities, ids, percent)).toHaveLength(due)
    expect(cut(Array(size).fill(5), ids, percent)).toHaveLength(due)
  })

  test('are the first of one ranking: by similarity, equal ones by id', () => {
    fc.assert(
      fc.property(pairs, percent, (pairs, percent) => {
        const ranked = pairs.toSorted((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
        const due = ranked.slice(0, Math.round((percent * pairs.length) / 100)).map((pair) => pair.id)
        const ids = pairs.map((pair) => pair.id)
        const got = cut(
          pairs.map((pair) => pair.similarity),
          ids,
          percent,
        )
        expect(got.toSorted()).toEqual(due.toSorted())
      }),
      RUNS,
    )
  })

  test('are the same whatever the order of the input', () => {
    const shuffled = pairs.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    )
    fc.assert(
      fc.property(shuffled, percent, ([one, other], percent) => {
        const [a, b] = [one, other].map((list) =>
          cut(
            list.map((pair) => pair.similarity),
            list.map((pair) => pair.id),
            percent,
          ).toSorted(),
        )
        expect(b).toEqual(a)
      }),
      RUNS,
    )
  })

  test('hold each other: what is in the top 30 % is in the top 50 %', () => {
    fc.assert(
      fc.property(pairs, (pairs) => {
        const similarities = Int32Array.from(pairs, (pair) => pair.similarity)
        const [small, large] = cutRanking(similarities, (row) => pairs[row]!.id, [30, 50])
        for (const row of pairs.keys()) expect(large!.members[row]).toBeGreaterThanOrEqual(small!.members[row]!)
        expect(small!.count).toBe(small!.members.reduce((sum, member) => sum + member, 0))
      }),
      RUNS,
    )
  })

  test('of a million pairs take less than two seconds', () => {
    const similarities = Int32Array.from({ length: 1_000_000 }, (_, i) => (i * 7919) % 400_000)
    const start = performance.now()
    const [only] = cutRanking(similarities, (row) => `n${row}`, [30])
    expect(performance.now() - start).toBeLessThan(2000)
    expect(only!.members.reduce((sum, member) => sum + member, 0)).toBe(300_000)
  })
})

test('the table gives back every id, similarity and part', () => {
  const rows = fc.array(fc.record({ id, micro: fc.integer({ min: -1e6, max: 1e6 }), part: fc.nat(3) }), {
    maxLength: 3000,
    size: 'max',
  })
  fc.assert(
    fc.property(rows, (rows) => {
      const table = createPairTable(2)
      for (const row of rows) table.add(row.id, [row.micro, -row.micro], row.part)
      const { size, id, similarities, parts } = table.end()
      expect(size).toBe(rows.length)
      const back = rows.map((_, i) => ({ id: id(i), micro: similarities[0]![i]!, part: parts[i]! }))
      expect(back).toEqual(rows)
      expect([...similarities[1]!]).toEqual(rows.map(({ micro }) => 0 - micro))
    }),
    { numRuns: 20 },
  )
})

test('similarities have six digits, and none is -0', () => {
  expect(fromMicro(toMicro(0.123456789))).toBe(0.123457)
  expect(Object.is(fromMicro(toMicro(-1e-9)), 0)).toBe(true)
  expect(String(fromMicro(toMicro(0.0000012)))).toBe('0.000001')
  fc.assert(
    fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (value) => {
      const written = String(fromMicro(toMicro(value)))
      expect(written).toMatch(/^-?[01](\.\d{1,6})?$/)
      expect(Math.abs(Number(written) - value)).toBeLessThanOrEqual(5.1e-7)
    }),
  )
})

test('statistics count every pair once, in the bin that its similarity is in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1 }), (micros) => {
      const { min, max, mean, histogram } = scoreStatistics('openai', Int32Array.from(micros))
      const values = micros.map(fromMicro)
      expect([min, max]).toEqual([Math.min(...values), Math.max(...values)])
      expect(mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 5)
      const { from, step, counts } = histogram
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(micros.length)
      for (const [i, count] of counts.entries()) {
        const low = Math.round((from + i * step) * 1e6)
        expect(count).toBe(micros.filter((micro) => micro >= low && micro < low + step * 1e6).length)
      }
    }),
  )
  expect(scoreStatistics('openai', new Int32Array(0))).toMatchObject({ min: null, max: null, mean: null })
})
