import type { Box, Geometry } from '@skyscript/core'
import type { Seen, TagFact } from '../tag-facts.ts'

export const DIRECTIONS = [
  'east',
  'northeast',
  'north',
  'northwest',
  'west',
  'southwest',
  'south',
  'southeast',
] as const
export type Direction = (typeof DIRECTIONS)[number]

/** An object in the image beside the focus object, as the caption is to name it. */
export interface Surrounding {
  readonly id: string
  /** null where only tags are known. */
  readonly geometry: Geometry | null
  /** What can be seen of it at the image's GSD. */
  readonly seen: Seen
  /** The tags that are named, in caption order. */
  readonly facts: readonly TagFact[]
  /** What is said of it, in the original's style; objects of one phrase are alike. */
  readonly phrase: string
  /** Of the image, 0 to 1. */
  readonly share: number
  /** How many objects it stands for. */
  readonly count: number
  /** Seen from the focus object; null: nothing is said of it. */
  readonly direction: Direction | null
}

/** What the objects surround. */
export interface Scene {
  readonly focus: { readonly phrase: string; readonly geometry: Geometry | null }
  /** null where only tags are known. */
  readonly box: Box | null
}

/** One step from all objects in the image to those that a caption names, in its order. */
export interface SurroundingRule {
  /** The file's name without extension. */
  readonly name: string
  readonly apply: (objects: readonly Surrounding[], scene: Scene) => readonly Surrounding[]
}
