import type { Outline } from '@skyscript/core'

/** A layer of a catalogue of editors' backgrounds, as far as it matters here. */
export interface Layer {
  readonly id: string
  readonly name: string
  /** `tms`, `wms` and others. */
  readonly type: string
  /** As the catalogue has it, with its own tokens. */
  readonly url: string
  /** Where the permission to trace is stated. */
  readonly licenceUrl: string | null
  readonly attribution: string | null
  readonly minZoom: number | null
  readonly maxZoom: number | null
  /** Pixels of a tile's side, where the catalogue says it. */
  readonly tileSize: number | null
  readonly years: number | readonly [first: number, last: number] | null
  /** null: all over the world. */
  readonly outline: Outline | null
}

/** What was read of a catalogue. */
export interface LayerCatalogue {
  readonly layers: readonly Layer[]
  /** Entries that can't be used: by id, where they have one, and why. */
  readonly broken: readonly { readonly id: string | null; readonly why: string }[]
}

/** A layer, or why its entry is none. */
export type ReadLayer = Layer | { readonly id: string | null; readonly why: string }

export const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : null

/** A whole number up to a limit, or a text of one: catalogues have both. */
const wholeUpTo =
  (most: number) =>
  (value: unknown): number | null => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most ? number : null
  }

export const zoomOf = wholeUpTo(30)
export const sizeOf = wholeUpTo(4096)

/** The years of two dates such as `2019`, `2019-05` or `2019-05-30`; null if one is missing: then pictures may be of any year since. */
export function yearsOf(start: unknown, end: unknown): Layer['years'] {
  const yearOf = (date: unknown) => (typeof date === 'string' ? /^(\d{4})(?:-|$)/.exec(date)?.[1] : undefined)
  const [first, last] = [yearOf(start), yearOf(end)].map(Number) as [number, number]
  if (Number.isNaN(first) || Number.isNaN(last) || first > last) return null
  return first === last ? first : [first, last]
}
