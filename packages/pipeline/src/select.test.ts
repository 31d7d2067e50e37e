import { expect, test } from 'vitest'
import { capPerTag, sampleCells } from './select.ts'

const entry = (id: string, cell: string, ...tags: string[]) => ({ id, tile: '0_0', cell, tags })
const ids = (entries: readonly { id: string }[]) => entries.map(({ id }) => id).toSorted()

test('the cap keeps objects with rare tags first, so that these tags are not lost to common ones', () => {
  const common = Array.from({ length: 20 }, (_, i) => entry(`n${i}`, 'a', 'building=yes'))
  const rare = [entry('w1', 'a', 'building=yes', 'man_made=kiln'), entry('w2', 'a', 'building=yes', 'historic=fort')]
  for (const seed of [1, 2, 3]) {
    const kept = capPerTag([...common, ...rare], 3, seed)
    expect(kept).toHaveLength(3)
    expect(ids(kept)).toEqual(expect.arrayContaining(['w1', 'w2']))
  }
  // Among equals the seed decides, and the order of the input doesn't.
  const chosen = ids(capPerTag(common, 3, 1))
  expect(ids(capPerTag(common.toReversed(), 3, 1))).toEqual(chosen)
  expect(ids(capPerTag(common, 3, 2))).not.toEqual(chosen)
})

test('a sample has whole cells by the seed, and what is rare in these from everywhere', () => {
  const entries = Array.from({ length: 50 }, (_, i) => [
    entry(`n${i}`, `c${i}`, 'natural=tree'),
    entry(`w${i}`, `c${i}`, i === 7 ? 'man_made=kiln' : 'building=yes'),
  ]).flat()
  const withoutRare = sampleCells(entries, 10, 0, 1)
  expect(withoutRare).toHaveLength(20)
  expect(new Set(withoutRare.map(({ cell }) => cell)).size).toBe(10)
  expect(ids(sampleCells(entries.toReversed(), 10, 0, 1))).toEqual(ids(withoutRare))
  expect(ids(sampleCells(entries, 10, 0, 2))).not.toEqual(ids(withoutRare))
  // Ten trees and nine or ten houses are in the sample: only the kiln is below 2.
  expect(ids(sampleCells(entries, 10, 2, 1))).toEqual([...new Set([...ids(withoutRare), 'w7'])].toSorted())
  expect(sampleCells(entries, 10, 11, 1)).toHaveLength(100)
})
