import { MOST_METRES } from './reach.ts'

/** What is painted after what. Within `ground` and the other area layers, larger areas come first. */
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

export type LayerName = keyof typeof LAYERS

/** How an object looks, of what its tags say. Objects that look alike share one style. */
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

export function style(layer: LayerName, shape: Style['shape'], look: string, more: Partial<Style> = {}): Style {
  return { layer: LAYERS[layer], shape, look, width: 0, height: 0, colour: null, detail: '', ...more }
}

/** Heights as OSM has them (`12`, `12 m`), held to what stands anywhere. */
export function metres(text: string | undefined, otherwise: number): number {
  const value = Number.parseFloat(text ?? '')
  return Number.isFinite(value) && value > 0 ? Math.min(value, MOST_METRES.height) : otherwise
}

/** The entry of a table by a word from outside, which may be `constructor` or `__proto__`. */
export function entry<T>(table: Readonly<Record<string, T>>, word: string | undefined): T | undefined {
  return word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined
}
