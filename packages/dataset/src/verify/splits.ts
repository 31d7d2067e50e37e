import type { Box } from '@skyscript/core'
import Flatbush from 'flatbush'
import type { BenchmarkContent } from './benchmarks.ts'
import type { CsvContent } from './csvs.ts'
import type { FaultList } from './faults.ts'
import type { RowIndex } from './row-index.ts'

/** Overlaps thinner than this (degrees) come from rounding a shared edge: a tenth of a millimetre on the ground. */
const EDGE = 1e-9

const PARTS = ['train', 'val', 'test', 'benchmark'] as const
type Part = (typeof PARTS)[number]

/**
 * Checks that no pair is in two of train, validation and test, in any of the files, and that none of a benchmark set is in train
 * or validation, or, if benchmark sets have ground of their own, in test. For splits by block also checks that no image of one part
 * overlaps the box of an image of another; those of benchmark sets never overlap train and validation.
 *
 * Only validation, test and benchmark sets are indexed, so memory depends on their size.
 *
 * @returns number of images checked for overlap with another part
 */
export function checkSplits(
  contents: readonly CsvContent[],
  benchmarks: readonly BenchmarkContent[],
  index: RowIndex,
  by: 'block' | 'image',
  faults: FaultList,
): number {
  const parts = new Map(
    PARTS.map((part) => [
      part,
      unionOf(part === 'benchmark' ? benchmarks : contents.filter((content) => partOf(content) === part), index.size),
    ]),
  )
  for (const [a, b] of [
    ['train', 'val'],
    ['train', 'test'],
    ['val', 'test'],
    ...othersOf(benchmarks).map((part) => [part, 'benchmark'] as const),
  ] as const) {
    for (let row = 0; row < index.size; row++) {
      if (parts.get(a)![row] === 1 && parts.get(b)![row] === 1) {
        faults.add('split-overlap', index.filepath(row), `is in ${a} and in ${b}`)
      }
    }
  }
  const ground: [Part, readonly Part[]][] = [['benchmark', othersOf(benchmarks)]]
  if (by === 'block') ground.push(['val', ['train', 'test']], ['test', ['train']])
  return checkGround(parts, ground, index, faults)
}

/** The parts whose ground benchmark sets don't show. */
const othersOf = (benchmarks: readonly BenchmarkContent[]): Part[] => [
  'train',
  'val',
  ...(benchmarks.some(({ from }) => from === 'benchmark') ? (['test'] as const) : []),
]

const partOf = ({ part }: CsvContent): Part => (part === 'top' || part === 'above' ? 'train' : part)

function unionOf(contents: readonly Pick<CsvContent, 'members'>[], size: number): Uint8Array {
  const union = new Uint8Array(size)
  for (const { members } of contents) {
    for (let row = 0; row < size; row++) if (members[row] === 1) union[row] = 1
  }
  return union
}

function checkGround(
  parts: ReadonlyMap<Part, Uint8Array>,
  ground: readonly (readonly [Part, readonly Part[]])[],
  index: RowIndex,
  faults: FaultList,
): number {
  let compared = 0
  /** Reports each row of `part` that overlaps an image in the tree. */
  const compare = (part: Part, other: Part, rows: readonly number[], tree: Flatbush) => {
    const own = parts.get(part)!
    for (let row = 0; row < index.size; row++) {
      if (own[row] !== 1) continue
      compared++
      const box = index.box(row)
      for (const found of tree.search(...box)) {
        const match = rows[found]!
        if (match === row || !overlap(box, index.box(match))) continue
        const message = `of ${part} shows ground of ${index.filepath(match)} of ${other}`
        faults.add('split-ground', index.filepath(row), message)
      }
    }
  }
  for (const [part, others] of ground) {
    const members = parts.get(part)!
    const rows: number[] = []
    for (let row = 0; row < index.size; row++) if (members[row] === 1) rows.push(row)
    if (rows.length === 0) continue
    const tree = new Flatbush(rows.length)
    for (const row of rows) tree.add(...index.box(row))
    tree.finish()
    for (const other of others) compare(other, part, rows, tree)
  }
  return compared
}

function overlap(a: Box, b: Box): boolean {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  return width > EDGE && height > EDGE
}
