import { RANKS } from '@skyscript/benchmark'
import { InputError, type Terminal } from '@skyscript/core'
import type { LeastValue } from '../command.ts'

/** Figures of each kind of result that --at-least may name. */
export const FIGURES = {
  classification: ['top1', 'top5'],
  detection: ['f1', 'precision', 'recall', 'average_precision'],
  retrieval: ['image_to_text', 'text_to_image'].flatMap((direction) => RANKS.map((k) => `${direction}.R@${k}`)),
}

/** @throws InputError for a name that no result will have */
export function checkLeast(atLeast: readonly LeastValue[], figures: readonly string[]): void {
  for (const { name } of atLeast)
    if (!figures.includes(name))
      throw new InputError('usage', `--at-least ${name}: it must be one of ${figures.join(', ')}.`)
}

/**
 * Warns of figures that are too low.
 *
 * @param figureOf the figure of a name
 * @param prefix of the warnings
 * @returns the exit code
 */
export function exitCodeFor(
  atLeast: readonly LeastValue[],
  figureOf: (name: string) => number,
  terminal: Terminal,
  prefix = '',
): number {
  const low = atLeast.filter(({ name, least }) => !(figureOf(name) >= least))
  for (const { name, least } of low) terminal.warn(`${prefix}${name} is ${figureOf(name)}, below ${least}`)
  return low.length === 0 ? 0 : 1
}

/** The number at `image_to_text.R@1`. */
export function figureIn(result: object, name: string): number {
  let value: unknown = result
  for (const key of name.split('.')) value = (value as Record<string, unknown>)[key]
  return value as number
}
