/** Mixtures by score: quotas of `filter.balance` and rankings of `filter.blends`. */
import type { Quota, Tags } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseBalanced, type Limits } from '../src/balance/choose.ts'
import { GROUPINGS } from '../src/balance/index.ts'
import { blendOf } from '../src/blend.ts'
import { assembled, BY_IMAGE, paths, rowOf } from './support/dataset.ts'

const limit = fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 9 }))
const share = fc.oneof(fc.constant(1), fc.constantFrom(0, 0.1, 0.29, 1 / 3, 0.5, 1))
const GROUPS = 4

const limits = fc
  .array(
    fc.record({
      of: fc.array(fc.integer({ min: -1, max: GROUPS - 1 }), { minLength: 60, maxLength: 60 }),
      most: fc.array(limit, { minLength: GROUPS, maxLength: GROUPS }),
      share: fc.array(share, { minLength: GROUPS, maxLength: GROUPS }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((list) =>
    list.map(
      ({ of, most, share }): Limits => ({
        by: 'source',
        of: Int32Array.from(of),
        most: Float64Array.from(most),
        share: Float64Array.from(share),
      }),
    ),
  )

test('no group has more rows than its quota, and a better row is left out only where its group is full', () => {
  const given = fc.record({
    limits,
    candidates: fc.integer({ min: 0, max: 60 }),
    size: fc.integer({ min: 0, max: 60 }),
  })
  fc.assert(
    fc.property(given, ({ limits, candidates, size: asked }) => {
      const size = Math.min(asked, candidates)
      const ranked = Uint32Array.from({ length: candidates }, (_, i) => i)
      const { rows, leftOut } = chooseBalanced(ranked, size, limits)
      expect(rows.length).toBeLessThanOrEqual(size)
      const quotaOf = ({ most, share }: Limits, group: number) =>
        Math.min(most[group]!, Math.floor(share[group]! * rows.length + 1e-9))
      for (const each of limits) {
        for (let group = 0; group < GROUPS; group++) {
          const count = rows.filter((row) => each.of[row] === group).length
          expect(count).toBeLessThanOrEqual(quotaOf(each, group))
        }
      }
      expect([...rows]).toEqual([...rows].sort((a, b) => a - b))
      const last = rows.at(-1) ?? -1
      for (let row = 0; row < last; row++) {
        if (rows.includes(row)) continue
        const isFull = limits.some((each) => {
          const group = each.of[row]!
          return (
            group >= 0 && rows.filter((other) => other < row && each.of[other] === group).length >= quotaOf(each, group)
          )
        })
        expect(isFull).toBe(true)
      }
      const lost = [...Array(size).keys()].filter((row) => !rows.includes(row)).length
      expect(leftOut.reduce((sum, n) => sum + n, 0)).toBe(lost)
      if (limits.every((each) => each.share.every((value) => value === 1)) && rows.length < size) {
        // Nothing else fits.
        for (let row = 0; row < candidates; row++) {
          const fits = limits.every((each) => {
            const group = each.of[row]!
            return group < 0 || rows.filter((other) => each.of[other] === group).length < each.most[group]!
          })
          expect(rows.includes(row) || !fits).toBe(true)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('where nothing else is left, a share is a share of the rows that remain', () => {
  const ranked = Uint32Array.from({ length: 1000 }, (_, i) => i)
  const ofFirst = (isOfFirst: (row: number) => boolean, share: number): Limits => ({
    by: 'source',
    of: Int32Array.from(ranked, (row) => (isOfFirst(row) ? 0 : -1)),
    most: Float64Array.of(Infinity),
    share: Float64Array.of(share),
  })
  // 200 others are 80 % of 250.
  expect(chooseBalanced(ranked, 500, [ofFirst((row) => row % 5 !== 0, 0.2)]).rows).toHaveLength(250)
  expect(chooseBalanced(ranked, 500, [ofFirst(() => true, 0.9)]).rows).toHaveLength(0)
  // Shares that don't add up to the whole leave nothing, however little they lack.
  const halves: Limits = {
    by: 'source',
    of: Int32Array.from({ length: 200_000 }, (_, row) => row % 2),
    most: Float64Array.of(Infinity, Infinity),
    share: Float64Array.of(0.5, 0.49999),
  }
  const all = Uint32Array.from({ length: 200_000 }, (_, i) => i)
  expect(chooseBalanced(all, 200_000, [halves]).rows).toHaveLength(0)
})

test('a file has the most rows that shares allow, also where hardly any number of rows fits them', () => {
  // Five groups of at most a fifth are equally large: only multiples of five fit.
  const rows = [100, 100, 100, 100, 37].flatMap((count, group) => Array<number>(count).fill(group))
  const fifths: Limits = {
    by: 'source',
    of: Int32Array.from(rows),
    most: new Float64Array(5).fill(Infinity),
    share: new Float64Array(5).fill(0.2),
  }
  const ranked = Uint32Array.from(rows, (_, row) => row)
  expect(chooseBalanced(ranked, 300, [fifths]).rows).toHaveLength(185)
  const given = fc.record({
    of: fc.array(fc.integer({ min: -1, max: GROUPS - 1 }), { maxLength: 60 }),
    shares: fc.array(share, { minLength: GROUPS, maxLength: GROUPS }),
  })
  fc.assert(
    fc.property(given, ({ of, shares }) => {
      const held = (total: number) =>
        [-1, ...shares.keys()].reduce((sum, group) => {
          const most = group < 0 ? total : Math.floor(shares[group]! * total + 1e-9)
          return sum + Math.min(most, of.filter((each) => each === group).length)
        }, 0)
      const due = [...of.keys(), of.length].findLast((total) => held(total) >= total)
      const limits = { ...fifths, of: Int32Array.from(of), share: Float64Array.from(shares) }
      expect(chooseBalanced(Uint32Array.from(of.keys()), of.length, [limits]).rows).toHaveLength(due!)
    }),
  )
})

/** Pairs of two sources and many places, all with different similarities, on ground of their own. */
const mixed = (count: number, scorers = 1) =>
  Array.from({ length: count }, (_, i) => {
    const row = rowOf(`n${i}`, {
      similarities: [((i * 7919) % count) / count - 0.3, ((i * 104_729) % count) / count / 2].slice(0, scorers),
      centerTags: i % 4 === 0 ? { power: 'pole' } : { building: 'yes', ...(i % 20 === 1 && { amenity: 'school' }) },
    })
    const [source, gsd] = i % 3 === 0 ? ['US', 0.6] : ['S2', 10]
    const filepath = row.image.filepath.replace('_US_', `_${source}_`)
    return { ...row, image: { ...row.image, source, gsd, filepath }, caption: { ...row.caption, filepath } }
  })

const classOf = (tags: Tags) => ('amenity' in tags ? 'school' : 'building' in tags ? 'house' : null)

/** What a pair is, of each quota. */
const KINDS: Readonly<Record<Quota['by'], (row: ReturnType<typeof mixed>[number]) => string>> = {
  source: ({ image }) => image.source,
  gsd: ({ image }) => String(image.gsd),
  place: ({ image: { box } }) => `${Math.floor((box[0] + box[2]) / 2 / 10)},${Math.floor((box[1] + box[3]) / 2 / 10)}`,
  tag: ({ caption: { centerTags } }) =>
    'amenity' in centerTags ? 'amenity' : 'power' in centerTags ? 'power' : 'building',
  // Poles have no class.
  class: ({ caption, image }) => classOf(caption.centerTags) ?? image.id,
}

test('every grouping is measured below', () => {
  expect(GROUPINGS.map(({ by }) => by).sort()).toEqual(Object.keys(KINDS).sort())
})

test.each(Object.keys(KINDS) as Quota['by'][])(
  'a balanced file has the best pairs of each %s, up to its quota, and as many pairs as before',
  async (by) => {
    const list = mixed(1200)
    const byPath = new Map(list.map((row) => [row.image.filepath, row]))
    const filter = { top: [30], above: [0.2], split: { ...BY_IMAGE, val: 0, test: 0 } }
    const most = by === 'place' ? 35 : 100
    const quota: Quota = { by, most, ...(by === 'place' && { degrees: 10 }) }
    const before = await assembled(list, { filter })
    const { csv, summary } = await assembled(list, { filter: { ...filter, balance: [quota] }, classOf })
    const ranked = list.toSorted((a, b) => b.similarities[0]! - a.similarities[0]!)
    const kinds = new Map<string, number>()
    const allowed = ranked.filter((row) => {
      const n = (kinds.get(KINDS[by](row)) ?? 0) + 1
      kinds.set(KINDS[by](row), n)
      return n <= most
    })
    const top = paths(await csv('top30pct_filtered_by_CLIP_openai.csv'))
    expect(top).toEqual(
      allowed
        .slice(0, 360)
        .map((row) => row.image.filepath)
        .toSorted(),
    )
    const above = paths(await csv('above0.2_filtered_by_CLIP_openai.csv'))
    expect(above).toEqual(
      allowed
        .filter((row) => row.similarities[0]! >= 0.2)
        .map((row) => row.image.filepath)
        .toSorted(),
    )
    const unbalanced = paths(await before.csv('top30pct_filtered_by_CLIP_openai.csv'))
    const lost = unbalanced.filter((path) => !top.includes(path)).length
    expect(lost).toBeGreaterThan(0)
    expect(summary.notes.join('\n')).toContain(
      `train_top30pct by openai: ${lost} of 360 pairs left out by filter.balance (${by} ${lost})`,
    )
    expect(byPath.size).toBe(1200)
    // Neither the unfiltered file nor the splits depend on it.
    expect(paths(await csv('unfiltered_5M.csv'))).toEqual(paths(await before.csv('unfiltered_5M.csv')))
  },
)

test('val and test are the same whatever the mixture, so that mixtures can be compared', async () => {
  const list = mixed(1500)
  const balance: Quota[] = [
    { by: 'source', share: { S2: 0.2 } },
    { by: 'tag', most: 50 },
  ]
  const [before, after] = [await assembled(list), await assembled(list, { filter: { balance } })]
  for (const file of ['val_5K_filtered_by_CLIP_openai.csv', 'test_30K_filtered_by_CLIP_openai.csv'])
    expect(await after.csv(file)).toEqual(await before.csv(file))
})

test('a share is a share of the file, and a value that no pair has is named', async () => {
  const balance: Quota[] = [{ by: 'source', share: { S2: 0.2, S3: 0.1 } }]
  const { csv, summary } = await assembled(mixed(1500), { filter: { balance, top: [20, 50], above: [] } })
  for (const size of [20, 50]) {
    const top = paths(await csv(`top${size}pct_filtered_by_CLIP_openai.csv`))
    const s2 = top.filter((path) => path.includes('_S2_')).length
    expect(s2 / top.length).toBeLessThanOrEqual(0.2)
    expect(s2 / top.length).toBeGreaterThan(0.19)
  }
  expect(summary.notes).toContain('filter.balance limits the source S3, which no pair has.')
})

test('a blend is the weighted mean of rank(pct=True), as in pandas', () => {
  const value = fc.integer({ min: -3, max: 3 })
  const columns = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(columns, fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })), (rows, weights) => {
      const n = rows.length
      const blended = blendOf(
        [0, 1].map((i) => Int32Array.from(rows, (row) => row[i]!)),
        weights,
      )
      for (const [at, row] of rows.entries()) {
        const shares = row.map((own, i) => {
          const below = rows.filter((other) => other[i]! < own).length
          const equal = rows.filter((other) => other[i] === own).length
          return (below + (equal + 1) / 2) / n
        })
        const due = (weights[0] * shares[0]! + weights[1] * shares[1]!) / (weights[0] + weights[1])
        expect(Math.abs(blended[at]! - due * 1e6)).toBeLessThanOrEqual(0.5001)
      }
    }),
  )
})

test("a blend has files like a scorer's, with its own column and ranking", async () => {
  const list = mixed(1200, 2)
  const { csv, summary } = await assembled(list, {
    scorers: ['openai', 'mine'],
    filter: { top: [30], blends: [{ name: 'both', of: ['openai', 'mine'], weights: [3, 1] }] },
  })
  const rankOf = (i: number) => {
    const sorted = list.toSorted((a, b) => a.similarities[i]! - b.similarities[i]!)
    return new Map(sorted.map((row, at) => [row.image.filepath, (at + 1) / list.length]))
  }
  const [first, second] = [rankOf(0), rankOf(1)]
  const blendedOf = (path: string) => (3 * first.get(path)! + second.get(path)!) / 4
  const rows = await csv('top30pct_filtered_by_CLIP_both.csv')
  expect(rows.length).toBeGreaterThan(200)
  for (const [path, , , value] of rows) expect(Number(value)).toBeCloseTo(blendedOf(path!), 6)
  const train = new Set(paths(await csv('unfiltered_5M.csv')))
  const best = list
    .map((row) => row.image.filepath)
    .toSorted((a, b) => blendedOf(b) - blendedOf(a))
    .slice(0, 360)
  expect(paths(rows)).toEqual(best.filter((path) => train.has(path)).toSorted())
  const named = summary.files.filter(({ path }) => path.endsWith('_CLIP_both.csv')).map(({ path }) => path)
  expect(named).toHaveLength(3)
})

test('shares that no file can have leave none, and the note says what to change', async () => {
  const rows = Array.from({ length: 200 }, (_, i) => rowOf(`n${i + 1}`, { similarities: [i / 200] }))
  const { summary } = await assembled(rows, { filter: { balance: [{ by: 'source', share: 0.4 }], split: BY_IMAGE } })
  expect(summary.files.some(({ path }) => path.includes('top30pct'))).toBe(false)
  expect(summary.notes.join('\n')).toMatch(
    /train_top30pct by openai: .* must add up to 1 or more; raise share or use most\./,
  )
})
