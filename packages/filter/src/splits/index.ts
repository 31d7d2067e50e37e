import type { Config } from '@skyscript/core'
import { blocks } from './blocks.ts'
import type { Region, Shares, SplitCriterion, Splitter } from './criterion.ts'
import { edge } from './edge.ts'
import { image } from './image.ts'
import { lattice } from './lattice.ts'

/** Every way to divide the pairs. */
export const SPLIT_CRITERIA = [image, blocks, lattice, edge] as const

type LayoutOf<C> = C extends SplitCriterion<infer L> ? L : never

/** Which ground, or which objects, belong to which part. */
export type Layout = LayoutOf<(typeof SPLIT_CRITERIA)[number]>

const criteria: readonly SplitCriterion<Layout>[] = SPLIT_CRITERIA

/** The settings' percentages as shares; 0 for a part without pairs. */
export const sharesOf = ({ split, val, test }: Pick<Config['filter'], 'split' | 'val' | 'test'>): Shares => ({
  val: val === 0 ? 0 : split.val / 100,
  test: test === 0 ? 0 : split.test / 100,
  benchmark: (split.benchmark ?? 0) / 100,
})

/** The layouts to try, best first: the first under which val and test both have images is used. */
export function layoutsFor(
  filter: Pick<Config['filter'], 'split' | 'val' | 'test'>,
  region: Region,
  seed: number,
): Layout[] {
  return criteria.flatMap((each) => each.layouts(filter.split, region, sharesOf(filter), seed))
}

export function createSplitter(layout: Layout, seed: number): Splitter {
  return criteria.find(({ kind }) => kind === layout.kind)!.splitter(layout, seed)
}
