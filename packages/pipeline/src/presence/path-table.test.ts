import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PathTable } from './path-table.ts'

test('a table of paths holds what a Map of strings holds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.nat())), fc.array(fc.string()), (entries, others) => {
      const [table, map] = [new PathTable(), new Map(entries)]
      for (const [path, value] of entries) table.set(path, value)
      expect(table.size).toBe(map.size)
      for (const path of [...map.keys(), ...others]) expect(table.get(path)).toBe(map.get(path))
    }),
  )
})

test('a table grows with its paths', () => {
  const table = new PathTable()
  for (let i = 0; i < 100_000; i++) table.set(`images${i % 7}/a${i}_S2_21.jpg`, i)
  expect(table.size).toBe(100_000)
  for (let i = 0; i < 100_000; i += 997) expect(table.get(`images${i % 7}/a${i}_S2_21.jpg`)).toBe(i)
  expect(table.has('images2/a100001_S2_21.jpg')).toBe(false)
})
