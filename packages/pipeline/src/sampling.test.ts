import { seededFraction, sortInTurns } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { capPerTag, type Kept, ObjectTable, sampleCells } from './sampling.ts'

interface Entry {
  readonly id: string
  readonly cell: number
  readonly tags: readonly string[]
}

const entry = (id: string, cell: number, ...tags: string[]): Entry => ({ id, cell, tags })
const nameOf = (cell: number) => `c${cell}`

function tableOf(entries: readonly Entry[]): ObjectTable {
  const table = new ObjectTable()
  for (const { id, cell, tags } of entries) table.add(id, cell, tags)
  return table
}

const idsOf = (table: ObjectTable, kept: Kept) =>
  [...kept].flatMap((isKept, object) => (isKept ? [table.id(object)] : [])).sort()

async function capped(entries: readonly Entry[], limit: number, seed: number): Promise<string[]> {
  const table = tableOf(entries)
  return idsOf(table, await capPerTag(table, new Uint8Array(table.size).fill(1), limit, seed))
}

async function sampled(entries: readonly Entry[], cells: number, rare: number, seed: number): Promise<string[]> {
  const table = tableOf(entries)
  return idsOf(table, await sampleCells(table, cells, rare, seed, nameOf))
}

test('the cap keeps objects with rare tags first, so that these tags are not lost to common ones', async () => {
  const common = Array.from({ length: 20 }, (_, i) => entry(`n${i}`, 1, 'building=yes'))
  const rare = [entry('w1', 1, 'building=yes', 'man_made=kiln'), entry('w2', 1, 'building=yes', 'historic=fort')]
  for (const seed of [1, 2, 3]) {
    const kept = await capped([...common, ...rare], 3, seed)
    expect(kept).toHaveLength(3)
    expect(kept).toEqual(expect.arrayContaining(['w1', 'w2']))
  }
  // Among equals the seed decides, and the order of the input doesn't.
  const chosen = await capped(common, 3, 1)
  expect(await capped(common.toReversed(), 3, 1)).toEqual(chosen)
  expect(await capped(common, 3, 2)).not.toEqual(chosen)
})

test('a sample has whole cells by the seed, and what is rare in these from everywhere', async () => {
  const entries = Array.from({ length: 50 }, (_, i) => [
    entry(`n${i}`, i, 'natural=tree'),
    entry(`w${i}`, i, i === 7 ? 'man_made=kiln' : 'building=yes'),
  ]).flat()
  const withoutRare = await sampled(entries, 10, 0, 1)
  expect(withoutRare).toHaveLength(20)
  expect(new Set(withoutRare.map((id) => id.slice(1))).size).toBe(10)
  expect(await sampled(entries.toReversed(), 10, 0, 1)).toEqual(withoutRare)
  expect(await sampled(entries, 10, 0, 2)).not.toEqual(withoutRare)
  // Ten trees and nine or ten houses are in the sample: only the kiln is below 2.
  expect(await sampled(entries, 10, 2, 1)).toEqual([...new Set([...withoutRare, 'w7'])].toSorted())
  expect(await sampled(entries, 10, 11, 1)).toHaveLength(100)
})

const number = fc.integer({ min: 0, max: 30 })
/** Objects in 31 cells. */
const entriesOf = (tags: number, most: number) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom('n', 'w', 'a'), fc.integer({ min: -5, max: 2 ** 42 })), {
      selector: String,
      maxLength: 60,
    })
    .chain((ids) =>
      fc.tuple(
        ...ids.map(([kind, id]) =>
          fc
            .tuple(number, fc.uniqueArray(fc.nat(tags - 1), { minLength: 1, maxLength: most }))
            .map(([cell, tags]) => entry(`${kind}${id}`, cell, ...tags.map((tag) => `tag=${tag}`))),
        ),
      ),
    )
const entries = entriesOf(7, 4)

/** The rules as they are written down, on objects. */
function byRule(all: readonly Entry[], cells: number, rareBelow: number, limit: number, seed: number) {
  const countsOf = (some: readonly Entry[]) => {
    const counts = new Map<string, number>()
    for (const { tags } of some) for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1)
    return (tag: string) => counts.get(tag) ?? 0
  }
  const names = [...new Set(all.map(({ cell }) => cell))].sort(
    (a, b) => seededFraction(seed, 'cell', nameOf(a)) - seededFraction(seed, 'cell', nameOf(b)),
  )
  const taken = new Set(names.slice(0, cells))
  const inCells = countsOf(all.filter(({ cell }) => taken.has(cell)))
  const sample = all.filter(({ cell, tags }) => taken.has(cell) || tags.some((tag) => inCells(tag) < rareBelow))
  const frequency = countsOf(sample)
  const rank = ({ tags }: Entry) => Math.min(...tags.map(frequency))
  const draw = ({ id }: Entry) => seededFraction(seed, 'max-per-tag', id)
  const used = new Map<string, number>()
  const kept = sample
    .toSorted((a, b) => rank(a) - rank(b) || draw(a) - draw(b))
    .filter(({ tags }) => {
      if (tags.some((tag) => (used.get(tag) ?? 0) >= limit)) return false
      for (const tag of tags) used.set(tag, (used.get(tag) ?? 0) + 1)
      return true
    })
  return { sample: sample.map(({ id }) => id).sort(), kept: kept.map(({ id }) => id).sort() }
}

test('columns choose what the rules choose of objects', async () => {
  await fc.assert(
    fc.asyncProperty(
      entries,
      number,
      number,
      fc.integer({ min: 1, max: 12 }),
      fc.nat(),
      async (all, cells, rareBelow, limit, seed) => {
        const expected = byRule(all, cells, rareBelow, limit, seed)
        const table = tableOf(all)
        const sample = await sampleCells(table, cells, rareBelow, seed, nameOf)
        expect(idsOf(table, sample)).toEqual(expected.sample)
        expect(idsOf(table, await capPerTag(table, sample, limit, seed))).toEqual(expected.kept)
      },
    ),
  )
})

/** Entries, the same after a few edits, and the ids that these touched: deleted, added, in another cell or with other tags. */
const edited = fc
  .tuple(entriesOf(25, 2), entriesOf(25, 2), fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 4 }))
  .map(([before, others, changes]) => {
    const after = new Map(before.map((each) => [each.id, each]))
    const touched = new Set<string>()
    const touch = (each: Entry | undefined, next: Entry | null) => {
      if (each === undefined) return
      touched.add(each.id)
      if (next === null) after.delete(each.id)
      else after.set(each.id, next)
    }
    for (const [kind, at] of changes) {
      const [old, other] = [before[at % before.length], others[at % others.length]]
      if (kind % 3 === 0) touch(old, null)
      else if (kind % 3 === 1) touch(old, old && other ? { ...other, id: old.id } : null)
      else touch(other, other ?? null)
    }
    return { before, after: [...after.values()], touched }
  })

const differing = (a: readonly string[], b: readonly string[]) => [
  ...a.filter((id) => !b.includes(id)),
  ...b.filter((id) => !a.includes(id)),
]

test('edits change the choice of a cap only among objects that tags connect with an edited one', async () => {
  await fc.assert(
    fc.asyncProperty(
      edited,
      fc.integer({ min: 1, max: 6 }),
      fc.nat(),
      async ({ before, after, touched }, limit, seed) => {
        const all = [...before, ...after]
        const connected = new Set(all.filter(({ id }) => touched.has(id)).flatMap(({ tags }) => tags))
        for (let size = -1; size !== connected.size; ) {
          size = connected.size
          for (const { tags } of all)
            if (tags.some((tag) => connected.has(tag))) for (const tag of tags) connected.add(tag)
        }
        const near = new Set(all.filter(({ tags }) => tags.some((tag) => connected.has(tag))).map(({ id }) => id))
        const changed = differing(await capped(before, limit, seed), await capped(after, limit, seed))
        expect(changed.filter((id) => !near.has(id))).toEqual([])
      },
    ),
    { numRuns: 300 },
  )
})

test('edits change a sample in no more other cells than they filled or emptied', async () => {
  await fc.assert(
    fc.asyncProperty(edited, number, fc.nat(), async ({ before, after, touched }, cells, seed) => {
      const held = (some: readonly Entry[]) => new Set(some.map(({ cell }) => cell))
      const [old, now] = [held(before), held(after)]
      const exchanged = [...old].filter((cell) => !now.has(cell)).length + [...now].filter((cell) => !old.has(cell)).length // biome-ignore format: one line
      const cellsOf = (ids: readonly string[]) =>
        new Set(before.filter(({ id }) => ids.includes(id) && !touched.has(id)).map(({ cell }) => cell))
      const whole = differing(await sampled(before, cells, 0, seed), await sampled(after, cells, 0, seed))
      expect(cellsOf(whole).size).toBeLessThanOrEqual(exchanged)
    }),
    { numRuns: 300 },
  )
})

test('numbers sorted in turns are in the order that sorting at once gives', async () => {
  for (const length of [0, 1, 16_384, 16_385, 100_000]) {
    const keys = Float64Array.from({ length }, (_, i) => seededFraction(1, 'key', String(i % 70_000)))
    const compare = (a: number, b: number) => keys[a]! - keys[b]! || a - b
    const sorted = await sortInTurns(Uint32Array.from(keys.keys()).reverse(), compare)
    expect(sorted).toEqual(Uint32Array.from(keys.keys()).sort(compare))
  }
})
