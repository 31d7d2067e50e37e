import { MOST_METRES } from '../reach.ts'

/** What is painted after what. Within a layer, larger areas come first. */
export const LAYERS = {
  ground: 0,
  water: 1,
  waterway: 2,
  surface: 3,
  marking: 4,
  runway: 5,
  railway: 6,
  path: 7,
  road: 8,
  bridge: 9,
  barrier: 10,
  structure: 11,
  building: 12,
  tree: 13,
  wire: 14,
} as const

/** How an object looks, by its tags. Objects that look alike share one style. */
export interface Style {
  readonly layer: number
  readonly shape: 'area' | 'line' | 'point'
  /** Which painter draws it, a key of its tables. */
  readonly look: string
  /** Metres across, of lines and symbols. */
  readonly width: number
  /** Metres above the ground; casts the shadow. */
  readonly height: number
  /** Red, green, blue 0 to 255, where the tags name a colour. */
  readonly colour: readonly [number, number, number] | null
  /** A second word for the painter, such as the shape of a roof or the surface of a road. */
  readonly detail: string
}

/** A length as OSM has it (`12`, `12 m`), at most what stands anywhere; `otherwise` where there is none. */
export function metres(text: string | undefined, otherwise: number): number {
  const value = Number.parseFloat(text ?? '')
  return Number.isFinite(value) && value > 0 ? Math.min(value, MOST_METRES.height) : otherwise
}
