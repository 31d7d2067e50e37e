import type { Box, Config } from '@skyscript/core'

/** Which part a pair may be used for; `straddling`: its image shows ground of two parts, so it is in none. */
export type Part = 'train' | HeldOut | 'straddling'
export const PARTS = ['train', 'val', 'test', 'straddling', 'benchmark'] as const satisfies readonly Part[]

/** Parts whose ground is held out of training, in the order in which it is laid out. */
export const HELD_OUT_PARTS = ['val', 'test', 'benchmark'] as const
export type HeldOut = (typeof HELD_OUT_PARTS)[number]

/** Shares of the ground (or, for splits by image, of the objects) that are held out, 0 to 1. */
export type Shares = Readonly<Record<HeldOut, number>>

/** What decides how a region's ground is divided, in addition to the settings and the seed. */
export interface Region {
  /** Degrees; east may exceed 180 if the region crosses that meridian. */
  readonly extent: Box
  /** Side of a typical image of a point or line, metres. */
  readonly imageSide: number
}

/** The part of a pair, decided only by its id and box: other pairs, and their number, change nothing. */
export type Splitter = (id: string, box: Box) => Part

/**
 * A way to divide the pairs: a file of this folder and an entry of the list in index.ts. Its layouts say which ground, or
 * which objects, belong to which part; they are plain data, so that they can be sent to threads.
 */
export interface SplitCriterion<L extends { readonly kind: string }> {
  /** The file's name without extension. */
  readonly kind: L['kind']
  /**
   * The layouts to try for these settings and this region, best first; none if another criterion serves them. They depend
   * on nothing else, so data added later moves no pair, as long as the first layout already had images for val and test.
   */
  layouts(split: Config['filter']['split'], region: Region, shares: Shares, seed: number): L[]
  splitter(layout: L, seed: number): Splitter
}

/** The part of a thing with the seeded fraction `draw`. */
export function partOfDraw(draw: number, shares: Shares): Part {
  let end = 0
  return HELD_OUT_PARTS.find((part) => draw < (end += shares[part])) ?? 'train'
}
