import type { Box } from '@skyscript/core'
import { createSplitter } from '@skyscript/filter'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const DEGREES = 0.1
const SHARES = { val: 0.05, test: 0.1, benchmark: 0.2 }
const split = createSplitter({ kind: 'blocks', degrees: DEGREES, ...SHARES }, 51)

/** Hundred-thousandths of a degree. Box edges are between two of them, cell edges never are. */
const UNIT = 1e-5

/** The cells whose ground a box shows. `cell` in units. */
function cellsOf([west, south, east, north]: Box, cell: number): string[] {
  const [left, right] = [west, east].map((edge) => Math.floor(Math.round((edge + 180) / UNIT - 0.5) / cell))
  const [bottom, top] = [south, north].map((edge) => Math.floor(Math.round((edge + 90) / UNIT - 0.5) / cell))
  const cells: string[] = []
  for (let x = left!; x <= right!; x++) for (let y = bottom!; y <= top!; y++) cells.push(`${x} ${y}`)
  return cells
}

const units = (min: number, max: number) => fc.integer({ min: Math.round(min / UNIT), max: Math.round(max / UNIT) })
const side = units(1e-4, 0.25)
/** Boxes near a place given in units, close enough together to share cells. */
const boxNear = (longitude: number, latitude: number) =>
  fc.tuple(units(-0.4, 0.4), units(-0.4, 0.4), side, side).map(([x, y, width, height]): Box => {
    const edge = (value: number) => (value + 0.5) * UNIT
    return [longitude + x, latitude + y, longitude + x + width, latitude + y + height].map(edge) as Box
  })

test('no block gives images to two parts, and two images of the same ground are never in two parts', () => {
  const scene = fc
    .tuple(units(-179, 179), units(-84, 84), fc.constantFrom(1000, 10_000, 37_000), fc.nat())
    .chain(([longitude, latitude, cell, seed]) =>
      fc.record({
        cell: fc.constant(cell),
        seed: fc.constant(seed),
        boxes: fc.array(boxNear(longitude, latitude), { minLength: 2, maxLength: 40 }),
      }),
    )
  fc.assert(
    fc.property(scene, ({ cell, seed, boxes }) => {
      const splitter = createSplitter({ kind: 'blocks', degrees: cell * UNIT, ...SHARES }, seed)
      const partOf = new Map<string, string>()
      const placed = boxes
        .map((box) => ({ box, part: splitter('n1', box) }))
        .filter(({ part }) => part !== 'straddling')
      for (const { box, part } of placed) {
        for (const each of cellsOf(box, cell)) {
          expect(partOf.get(each) ?? part).toBe(part)
          partOf.set(each, part)
        }
      }
      for (const a of placed) {
        for (const b of placed) {
          const overlap = (low: 0 | 1) =>
            Math.min(a.box[low + 2]!, b.box[low + 2]!) - Math.max(a.box[low]!, b.box[low]!) > 1e-9
          if (overlap(0) && overlap(1)) expect(a.part).toBe(b.part)
        }
      }
    }),
  )
})

test('an image is held out exactly if its ground is in two parts', () => {
  const centre = (cell: string): Box => {
    const [x, y] = cell.split(' ').map(Number) as [number, number]
    const [west, south] = [(x + 0.4) * DEGREES - 180, (y + 0.4) * DEGREES - 90]
    return [west, south, west + 0.01, south + 0.01]
  }
  let straddling = 0
  fc.assert(
    fc.property(boxNear(2_490_000, 6_020_000), (box) => {
      const parts = new Set(cellsOf(box, 10_000).map((cell) => split('n1', centre(cell))))
      const got = split('n1', box)
      if (parts.size > 1) straddling++
      expect(got).toBe(parts.size > 1 ? 'straddling' : [...parts][0])
    }),
    { numRuns: 300 },
  )
  expect(straddling).toBeGreaterThan(20)
})

test('the shares of blocks in val and test match the settings, and the seed decides which blocks', () => {
  const parts = (seed: number) => {
    const splitter = createSplitter({ kind: 'blocks', degrees: DEGREES, ...SHARES }, seed)
    return Array.from({ length: 10_000 }, (_, i) => {
      const [west, south] = [(i % 100) / 10 + 0.02, Math.floor(i / 100) / 10 + 0.02]
      return splitter(`n${i}`, [west, south, west + 0.01, south + 0.01])
    })
  }
  const first = parts(51)
  const share = (part: string) => first.filter((each) => each === part).length / first.length
  expect(share('val')).toBeGreaterThan(0.04)
  expect(share('test')).toBeGreaterThan(0.09)
  expect(share('test')).toBeLessThan(0.11)
  expect(share('straddling')).toBe(0)
  expect(parts(51)).toEqual(first)
  expect(parts(52)).not.toEqual(first)
})

test('an image whose edge is on that of its block is not held out', () => {
  for (let i = 0; i < 2000; i++) {
    const [west, south] = [i / 10 - 100, (i % 900) / 10 - 45]
    expect(split('n1', [west, south, west + 0.1, south + 0.1])).not.toBe('straddling')
    expect(split('n1', [west + 0.05, south, (i + 1) / 10 - 100, south + 0.1])).not.toBe('straddling')
  }
})

test('by image, only the id decides', () => {
  const byImage = createSplitter({ kind: 'image', ...SHARES }, 51)
  const ids = Array.from({ length: 10_000 }, (_, i) => `w${i}`)
  const parts = ids.map((id) => byImage(id, [0, 0, 1, 1]))
  expect(ids.map((id) => byImage(id, [5, 5, 5.1, 5.1]))).toEqual(parts)
  const share = (part: string) => parts.filter((each) => each === part).length / parts.length
  expect(share('straddling')).toBe(0)
  expect(share('val')).toBeGreaterThan(0.04)
  expect(share('test')).toBeLessThan(0.11)
})
