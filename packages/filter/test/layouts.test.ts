import type { Box } from '@skyscript/core'
import { createSplitter, layoutsFor, type Part, type Region } from '@skyscript/filter'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AssembleOptions, assembled, FILTER, rowOf } from './support/dataset.ts'

const AUTO = { ...FILTER, split: { by: 'block', degrees: 'auto', val: 1, test: 3 } } as const
const SEED = 51
const METRES = 110_540

/** A region given by its size in metres, the side of its images, and its south-west corner. */
function regionOf(width: number, height: number, imageSide: number, [west, south]: [number, number] = [7, 46]): Region {
  const east = 111_320 * Math.cos(((south + height / METRES / 2) * Math.PI) / 180)
  return { extent: [west, south, west + width / east, south + height / METRES], imageSide }
}

/** Boxes of images whose centres are at the given fractions of the region's sides. */
function boxesIn({ extent, imageSide }: Region, centres: readonly (readonly [number, number])[]): Box[] {
  const [west, south, east, north] = extent
  const y = imageSide / METRES / 2
  const x = imageSide / (111_320 * Math.cos((south * Math.PI) / 180)) / 2
  return centres.map(([u, v]) => {
    const [longitude, latitude] = [west + u * (east - west), south + v * (north - south)]
    return [longitude - x, latitude - y, longitude + x, latitude + y]
  })
}

/** Evenly spread points that form no grid: the R2 sequence. */
const spread = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => [(0.5 + i * 0.7548776662466927) % 1, (0.5 + i * 0.5698402909980532) % 1] as const,
  )

function shareOf(boxes: readonly Box[], region: Region, seed = SEED, filter: Parameters<typeof layoutsFor>[0] = AUTO) {
  for (const layout of layoutsFor(filter, region, seed)) {
    const partOf = createSplitter(layout, seed)
    const counts: Record<Part, number> = { train: 0, val: 0, test: 0, straddling: 0, benchmark: 0 }
    for (const box of boxes) counts[partOf('n1', box)]++
    const share = (part: Part) => counts[part] / boxes.length
    if (counts.val > 0 && counts.test > 0) {
      const [val, test, benchmark] = [share('val'), share('test'), share('benchmark')]
      return { val, test, benchmark, train: share('train'), straddling: share('straddling') }
    }
  }
  throw new Error('No layout has images for val and test.')
}

describe('with degrees: auto', () => {
  test.each([
    ['a country of 300 km, images of 30 m', 300_000, 30, 0.93, 0.03],
    ['a valley of 30 km, images of 30 m', 30_000, 30, 0.93, 0.03],
    ['a city of 20 km, images of 180 m', 20_000, 180, 0.9, 0.05],
    ['a district of 5 km, images of 180 m', 5_000, 180, 0.9, 0.05],
    ['a town of 3 km, images of 180 m', 3_000, 180, 0.9, 0.06],
    ['a town of 3 km, images of 300 m', 3_000, 300, 0.8, 0.09],
    ['an island of 20 km, images of 3 km', 20_000, 3_000, 0.6, 0.4],
    ['an island of 12 km, images of 3 km', 12_000, 3_000, 0.6, 0.4],
  ])('%s: enough pairs are used for training, and few are held out', (_, side, imageSide, least, most) => {
    for (const seed of [51, 1, 2, 3]) {
      const region = regionOf(side, 0.8 * side, imageSide)
      const { train, straddling } = shareOf(boxesIn(region, spread(3000)), region, seed)
      expect(train).toBeGreaterThanOrEqual(least)
      expect(straddling).toBeLessThanOrEqual(most)
    }
  })

  test('the shares of ground match the settings if images are small', () => {
    const region = regionOf(60_000, 40_000, 30)
    const boxes = boxesIn(region, spread(20_000))
    const filter = { ...AUTO, split: { ...AUTO.split, val: 4, test: 12 } }
    const { val, test } = shareOf(boxes, region, SEED, filter)
    expect(val).toBeGreaterThan(0.03)
    expect(val).toBeLessThan(0.045)
    expect(test).toBeGreaterThan(0.1)
    expect(test).toBeLessThan(0.13)
  })

  test.each([
    ['a lattice', regionOf(60_000, 40_000, 30), 0.06, 0.085],
    ['strips at an edge', regionOf(1_500, 1_200, 100), 0.03, 0.16],
  ])('ground of benchmark sets is held out beside val and test: %s', (_, region, least, most) => {
    const boxes = boxesIn(region, spread(20_000))
    const filter = { ...AUTO, split: { ...AUTO.split, val: 2, test: 4, benchmark: 8 } }
    const { val, test, benchmark } = shareOf(boxes, region, SEED, filter)
    expect(benchmark).toBeGreaterThan(least)
    expect(benchmark).toBeLessThan(most)
    expect(benchmark).toBeGreaterThan(test)
    expect(test).toBeGreaterThan(val)
  })

  test('a share for benchmark sets moves no pair of val or test on a lattice', () => {
    const region = regionOf(60_000, 40_000, 30)
    const boxes = boxesIn(region, spread(5000))
    const partsWith = (split: typeof AUTO.split & { benchmark?: number }) => {
      const partOf = createSplitter(layoutsFor({ ...AUTO, split }, region, SEED)[0]!, SEED)
      return boxes.map((box) => partOf('n1', box))
    }
    const [without, with20] = [partsWith(AUTO.split), partsWith({ ...AUTO.split, benchmark: 20 })]
    for (const part of ['val', 'test'] as const) {
      const rows = (parts: readonly Part[]) => parts.flatMap((each, i) => (each === part ? [i] : []))
      expect(rows(with20)).toEqual(rows(without))
    }
    expect(with20.filter((part) => part === 'benchmark').length).toBeGreaterThan(700)
  })

  test('a share for benchmark sets that is too large for a lattice is held out at the edge', () => {
    const region = regionOf(60_000, 40_000, 30)
    const filter = { ...AUTO, split: { ...AUTO.split, benchmark: 60 } }
    const { val, test, benchmark, straddling } = shareOf(boxesIn(region, spread(5000)), region, SEED, filter)
    expect(benchmark).toBeGreaterThan(0.5)
    expect(test).toBeGreaterThan(val)
    expect(straddling).toBeLessThan(0.02)
  })

  test('no two images of different parts show the same ground, also across 180 degrees', () => {
    const scene = fc.record({
      side: fc.constantFrom(2_000, 9_000, 50_000),
      imageSide: fc.constantFrom(30, 400, 3_000),
      corner: fc.constantFrom<[number, number]>([7, 46], [179.98, -17], [-180, 71], [-0.01, -0.01]),
      seed: fc.nat(1000),
      benchmark: fc.constantFrom(12, 25, 60),
      centres: fc.array(
        fc.tuple(fc.double({ min: -0.2, max: 1.2, noNaN: true }), fc.double({ min: -0.2, max: 1.2, noNaN: true })),
        {
          minLength: 20,
          maxLength: 80,
        },
      ),
    })
    fc.assert(
      fc.property(scene, ({ side, imageSide, corner, seed, benchmark, centres }) => {
        const region = regionOf(side, side, imageSide, corner)
        const boxes = boxesIn(region, centres)
        for (const layout of layoutsFor({ ...AUTO, split: { ...AUTO.split, benchmark } }, region, seed)) {
          const partOf = createSplitter(layout, seed)
          const placed = boxes.flatMap((box) => {
            const turns = [west180(box), box]
            const parts = new Set(turns.map((each) => partOf('n1', each)))
            expect(parts.size).toBe(1)
            const [part] = parts
            return part === 'straddling' ? [] : [{ box, part }]
          })
          const conflicts = placed.flatMap((a) =>
            placed.filter((b) => a.part !== b.part && overlaps(a.box, b.box)).map((b) => [a, b]),
          )
          expect(conflicts).toEqual([])
        }
      }),
      { numRuns: 20 },
    )
  })

  test('the ground decides: what is around an image changes nothing', () => {
    const region = regionOf(30_000, 30_000, 30)
    const [layout] = layoutsFor(AUTO, region, SEED)
    const boxes = boxesIn(region, spread(500))
    const alone = boxes.map((box) => createSplitter(layout!, SEED)('n1', box))
    const together = createSplitter(layout!, SEED)
    expect(
      boxes
        .toReversed()
        .map((box) => together('w9', box))
        .toReversed(),
    ).toEqual(alone)
  })
})

function overlaps(a: Box, b: Box): boolean {
  const shared = (low: 0 | 1) => Math.min(a[low + 2]!, b[low + 2]!) - Math.max(a[low], b[low])
  return shared(0) > 1e-9 && shared(1) > 1e-9
}

/** The same box, with longitudes below -180 or above 180 wrapped. */
const west180 = ([west, south, east, north]: Box): Box => {
  const turn = west >= 180 ? -360 : west < -180 ? 360 : 0
  return [west + turn, south, east + turn, north]
}

/** Pairs in a region, with similarities in a scrambled order. */
const pairsIn = (region: Region, centres: readonly (readonly [number, number])[]) =>
  boxesIn(region, centres).map((box, i) => rowOf(`n${i + 1}`, { box, similarities: [((i * 7919) % 997) / 1000] }))

const cutAuto = (region: Region, rows: ReturnType<typeof pairsIn>, declared: Box | null = region.extent) =>
  assembled(rows, { filter: AUTO, region: { declared, imageSide: region.imageSide } } satisfies AssembleOptions)

test('every layout to try holds out different ground', () => {
  const lattice = regionOf(60_000, 40_000, 30)
  const island = regionOf(12_000, 10_000, 3_000)
  const boxes = boxesIn(lattice, spread(500))
  const grounds = layoutsFor(AUTO, lattice, SEED).map((layout) => {
    const partOf = createSplitter(layout, SEED)
    return boxes.map((box) => partOf('n1', box)).join()
  })
  expect(grounds.length).toBe(8)
  expect(new Set(grounds).size).toBe(8)
  const edges = layoutsFor(AUTO, island, SEED).map(
    (layout) => layout.kind === 'edge' && layout.rectangles.flatMap(({ part, box }) => [part, ...box]).join(),
  )
  // Two ends of four sides, at three scales.
  expect(edges.length).toBe(24)
  expect(new Set(edges).size).toBe(24)
})

test('from 300 pairs on, val and test have pairs, whatever the size of the region and its images', async () => {
  for (const [side, imageSide] of [
    [100_000, 30],
    [25_000, 30],
    [5_000, 180],
    [3_000, 300],
    [20_000, 3_000],
  ] as const) {
    const region = regionOf(side, 0.8 * side, imageSide)
    const { summary, csv } = await cutAuto(region, pairsIn(region, spread(300)))
    expect(summary.files.filter(({ path, rows }) => /_(val|test)_/.test(path) && rows > 0)).toHaveLength(2)
    expect(await csv('unfiltered_5M.csv')).toHaveLength(summary.splits.train)
  }
})

test('data added later moves no pair between train and the other splits', async () => {
  const region = regionOf(30_000, 20_000, 30)
  const rows = pairsIn(region, spread(900))
  const splitsOf = async (some: typeof rows) => {
    const { manifest } = await cutAuto(region, some)
    return new Map((await manifest()).map(({ id, split }) => [id, split]))
  }
  const all = await splitsOf(rows)
  expect(new Set(all.values())).toEqual(new Set(['train', 'val', 'test', 'held-out']))
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(rows, { minLength: 300 }), async (some) => {
      for (const [id, split] of await splitsOf(some)) expect(split).toBe(all.get(id))
    }),
    { numRuns: 6 },
  )
})

test('without a declared extent, the extent of the images is used; a declared extent of the whole Earth is ignored', async () => {
  const region = regionOf(25_000, 25_000, 30)
  const rows = pairsIn(region, spread(600))
  const files = async (declared: Box | null) => (await cutAuto(region, rows, declared)).summary
  const none = await files(null)
  expect(await files([0, 0, 180, 90])).toEqual(none)
  expect(none.splits.train).toBeGreaterThan(0.9 * 600)
  expect(none.splits.val * none.splits.test).toBeGreaterThan(0)
})

test('if no pair of val or test is in the top 30 %, the best of them are used', async () => {
  const region = regionOf(30_000, 20_000, 30)
  const rows = pairsIn(region, spread(600))
  const { manifest } = await cutAuto(region, rows)
  const splits = new Map((await manifest()).map(({ id, split }) => [id, split]))
  const worse = rows.map((row) => ({
    ...row,
    similarities: [splits.get(row.image.id) === 'val' ? -0.5 : row.similarities[0]!],
  }))
  const { csv, summary } = await cutAuto(region, worse)
  const onGround = [...splits.values()].filter((split) => split === 'val').length
  expect(onGround).toBeGreaterThan(3)
  expect(await csv('val_5K_filtered_by_CLIP_openai.csv')).toHaveLength(Math.ceil(0.3 * onGround))
  expect(summary.notes.join(' ')).toContain('is in the top 30 %, so the best of them were taken')
})

test('the notes say how many pairs are in no CSV, why, and which setting changes that', async () => {
  const region = regionOf(30_000, 20_000, 30)
  const { summary, csv } = await cutAuto(region, pairsIn(region, spread(900)))
  const listed = new Set<string>()
  for (const { path } of summary.files.filter(({ path }) => path.endsWith('.csv'))) {
    for (const [filepath] of await csv(path)) listed.add(filepath!)
  }
  const note = summary.notes.find((each) => each.includes('in no CSV'))!
  expect(note).toContain(`${900 - listed.size} of 900`)
  expect(note).toContain(`images that overlap the ground of two splits: ${summary.splits['held-out']}`)
  expect(note).toContain('filter.split.by to image')
})
