import { InputError } from '@skyscript/core'
import type { Interpolation } from './pillow-resize.ts'

/** How an image becomes the model's input, from a hub folder's `preprocessor_config.json`. */
export interface Preprocessing {
  /** `shortest`: length of the shorter side in pixels, keeping the aspect ratio. `exact`: this size for any image. */
  readonly resize:
    | { readonly kind: 'shortest'; readonly pixels: number }
    | { readonly kind: 'exact'; readonly width: number; readonly height: number }
  readonly interpolation: Interpolation
  /** Size of the centre crop that the model sees; null: no crop. */
  readonly crop: { readonly width: number; readonly height: number } | null
  /** A sample is `(byte * rescale - mean) / std`, by channel red, green, blue. */
  readonly rescale: number
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
}

/** From `PIL.Image.Resampling`. Excludes 0 (nearest), which no CLIP was trained with, and 5 (Hamming). */
const INTERPOLATIONS: ReadonlyMap<unknown, Interpolation> = new Map([
  [1, 'lanczos'],
  [2, 'bilinear'],
  [3, 'bicubic'],
  [4, 'box'],
])
/** Larger than any CLIP's input; guards against a wrong file. */
const LARGEST_SIDE = 4096

/**
 * @param text the file's JSON
 * @param file its path, for messages
 * @throws InputError `bad-model` that names the field
 */
export function parsePreprocessing(text: string, file: string): Preprocessing {
  const refuse = (what: string) => new InputError('bad-model', `${file}: ${what}; use the model's own file.`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw refuse('is not JSON')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw refuse('is not a JSON object')
  const config = json as Readonly<Record<string, unknown>>

  const side = (value: unknown, field: string) => {
    if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= LARGEST_SIDE) return value as number
    throw refuse(`"${field}" must be a number of pixels up to ${LARGEST_SIDE}`)
  }
  const channels = (field: string, fallback: number): [number, number, number] => {
    if (config.do_normalize === false) return [fallback, fallback, fallback]
    const list = config[field]
    const numbers = Array.isArray(list) ? list.filter((item) => Number.isFinite(item)) : []
    if (numbers.length !== 3) throw refuse(`"${field}" must be three numbers`)
    return numbers as [number, number, number]
  }

  const resample = config.resample ?? 3
  const interpolation = INTERPOLATIONS.get(resample)
  if (interpolation === undefined) {
    throw refuse(`"resample" is ${JSON.stringify(resample)}, but only 1 (Lanczos), 2, 3 (bicubic) and 4 are known`)
  }
  const rescale = config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255)
  if (typeof rescale !== 'number' || !(rescale > 0)) throw refuse('"rescale_factor" must be a positive number')
  const std = channels('image_std', 1)
  if (std.some((value) => value <= 0)) throw refuse('"image_std" must be positive')
  const crop = config.do_center_crop === false ? null : sizeOf(config.crop_size ?? config.size, 'crop_size', side)
  const square = crop?.kind === 'shortest' ? { width: crop.pixels, height: crop.pixels } : crop
  return {
    resize: sizeOf(config.size, 'size', side),
    interpolation,
    crop: square && { width: square.width, height: square.height },
    rescale,
    mean: channels('image_mean', 0),
    std,
  }
}

type Side = (value: unknown, field: string) => number

/** The hub has had three forms: 224, {"shortest_edge": 224}, {"height": 224, "width": 224}. A number is a shortest edge. */
function sizeOf(value: unknown, field: string, side: Side): Preprocessing['resize'] {
  if (typeof value !== 'object' || value === null) return { kind: 'shortest', pixels: side(value, field) }
  const size = value as Readonly<Record<string, unknown>>
  if (size.shortest_edge !== undefined) {
    return { kind: 'shortest', pixels: side(size.shortest_edge, `${field}.shortest_edge`) }
  }
  return { kind: 'exact', width: side(size.width, `${field}.width`), height: side(size.height, `${field}.height`) }
}
