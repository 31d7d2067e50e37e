import { compareCodes, encodeId } from '@skyscript/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCsvText } from '../src/csv-text.ts'
import { createPairTable, fromMicro, toMicro } from '../src/pair-table.ts'
import { countAbove, limitGroups, rank, topCount } from '../src/ranking.ts'

const byId = (ids: readonly string[]) => (a: number, b: number) => (ids[a]! < ids[b]! ? -1 : 1)

const cut = (similarities: readonly number[], ids: readonly string[], percent: number) => {
  const ranked = rank(Int32Array.from(similarities), byId(ids))
  return Array.from(ranked.subarray(0, topCount(percent, ids.length)), (row) => ids[row]!)
}

const object = fc.tuple(fc.constantFrom('n', 'w', 'a'), fc.integer({ min: -99, max: 3_600_000_099 }))
const id = object.map(([kind, number]) => `${kind}${number}`)
/** Few values, so that there are ties; and the extremes. */
const similarity = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(-1_000_000, 1_000_000))
const pairs = fc.uniqueArray(fc.record({ id, similarity }), { selector: (pair) => pair.id, maxLength: 60 })
const percent = fc.integer({ min: 1, max: 100 })

/** Each ranking allocates a table of 8 MB. */
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

  test('are the first of one ranking: by similarity, then by id', () => {
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
        expect(got).toEqual(due)
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
          ),
        )
        expect(b).toEqual(a)
      }),
      RUNS,
    )
  })

  test('by similarity are those with at least that similarity', () => {
    fc.assert(
      fc.property(pairs, similarity, (pairs, least) => {
        const similarities = Int32Array.from(pairs, (pair) => pair.similarity)
        const ranked = rank(similarities, byId(pairs.map((pair) => pair.id)))
        const count = countAbove(ranked, similarities, least)
        const found = Array.from(ranked.subarray(0, count), (row) => pairs[row]!.id)
        expect(found.toSorted()).toEqual(
          pairs
            .filter((pair) => pair.similarity >= least)
            .map((pair) => pair.id)
            .toSorted(),
        )
      }),
      RUNS,
    )
  })

  test('with a limit have the best of each group, and smaller ones are still contained in larger ones', () => {
    const grouped = fc.array(fc.integer({ min: -1, max: 3 }), { minLength: 60, maxLength: 60 })
    fc.assert(
      fc.property(pairs, grouped, fc.integer({ min: 1, max: 5 }), (pairs, groups, most) => {
        const ranked = rank(
          Int32Array.from(pairs, (pair) => pair.similarity),
          byId(pairs.map((pair) => pair.id)),
        )
        const limited = [...limitGroups(ranked, Int32Array.from(groups), 4, most)]
        for (const group of [-1, 0, 1, 2, 3]) {
          const all = [...ranked].filter((row) => groups[row] === group)
          expect(limited.filter((row) => groups[row] === group)).toEqual(group < 0 ? all : all.slice(0, most))
        }
        expect(limited).toEqual([...ranked].filter((row) => limited.includes(row)))
      }),
      RUNS,
    )
  })
})

test('the table returns every id, similarity and part', () => {
  const rows = fc.array(fc.record({ id, micro: fc.integer({ min: -1e6, max: 1e6 }), part: fc.nat(3) }), {
    maxLength: 3000,
    size: 'max',
  })
  fc.assert(
    fc.property(rows, (rows) => {
      const table = createPairTable(2, rows.length)
      for (const some of [rows.slice(0, 7), rows.slice(7)]) {
        table.add({
          ids: Float64Array.from(some, (row) => encodeId(row.id)),
          similarities: [1, -1].map((sign) => Int32Array.from(some, (row) => sign * row.micro)),
          parts: Uint8Array.from(some, (row) => row.part),
        })
      }
      const { size, id, similarities, parts } = table.end()
      expect(size).toBe(rows.length)
      const back = rows.map((_, i) => ({ id: id(i), micro: similarities[0]![i]!, part: parts[i]! }))
      expect(back).toEqual(rows)
      expect([...similarities[1]!]).toEqual(rows.map(({ micro }) => 0 - micro))
    }),
    { numRuns: 20 },
  )
})

test('ids are ordered by code points', () => {
  fc.assert(
    fc.property(id, id, (a, b) => {
      const order = Math.sign(compareCodes(encodeId(a), encodeId(b)))
      expect(order).toBe(a < b ? -1 : a > b ? 1 : 0)
    }),
    {
      numRuns: 2000,
      examples: [
        ['n1', 'n10'],
        ['n10', 'n9'],
        ['n-1', 'n1'],
        ['w2', 'n3'],
        ['a99999999999999', 'a9'],
      ],
    },
  )
})

test('similarities have six digits, and none is -0', () => {
  expect(fromMicro(toMicro(0.123456789))).toBe(0.123457)
  expect(Object.is(fromMicro(toMicro(-1e-9)), 0)).toBe(true)
  expect(String(fromMicro(toMicro(0.0000012)))).toBe('0.000001')
  fc.assert(
    fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (value) => {
      const written = String(fromMicro(toMicro(value)))
      const text = createCsvText()
      text.millionths(toMicro(value))
      expect(Buffer.from(text.view).toString()).toBe(`,${written}`)
      expect(written).toMatch(/^-?[01](\.\d{1,6})?$/)
      expect(Math.abs(Number(written) - value)).toBeLessThanOrEqual(5.1e-7)
    }),
  )
})
