import type { Stats } from 'node:fs'

/** Sizes and times of change (ms since 1970) of some files, in turn. */
export interface Stamps {
  /** Index of the first file's name. */
  readonly first: number
  readonly stamps: Float64Array
}

/** The size of what is not, or no longer, a file. */
export const NO_FILE = -1

/** @param found null or undefined for what is no longer there */
export function stampsOf(found: readonly (Stats | null | undefined)[]): Float64Array {
  const stamps = new Float64Array(2 * found.length)
  for (const [i, stats] of found.entries()) {
    stamps[2 * i] = stats?.isFile() ? stats.size : NO_FILE
    stamps[2 * i + 1] = stats?.mtimeMs ?? 0
  }
  return stamps
}
