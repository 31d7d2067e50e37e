import { type Algorithm, algorithm } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import {
  type Band,
  BOOLEAN,
  band,
  DOUBLE,
  FLOAT,
  INT8,
  INT16,
  INT32,
  type Plane,
  UINT8,
  UINT16,
  UINT32,
  unionType,
} from '../band.ts'
import type { ImageValue, PixelTypeValue } from '../values.ts'

/** The image with other bands; what is computed has no id. */
export const withBands = (image: ImageValue, bands: readonly Band[]): ImageValue => ({ ...image, id: null, bands })

/** Each value of a band through a function. */
export function through(from: Band, type: PixelTypeValue, apply: (value: number) => number, name = from.name): Band {
  return band(name, type, from.gsd, (grid) => {
    const { values: given, mask } = from.plane(grid)
    const values = new Float32Array(given.length)
    for (let i = 0; i < given.length; i++) values[i] = apply(given[i]!)
    return { values, mask }
  })
}

export function bothMasks(a: Float32Array | null, b: Float32Array | null): Float32Array | null {
  if (a === null || b === null) return a ?? b
  const both = new Float32Array(a.length)
  for (let i = 0; i < a.length; i++) both[i] = a[i]! < b[i]! ? a[i]! : b[i]!
  return both
}

type Operator = (a: number, b: number) => number

/** Pairs bands by name where the names agree, else in order; a single band meets every band of the other image. */
export function pairBands(name: string, a: ImageValue, b: ImageValue): [Band, Band, string][] {
  if (b.bands.length === 1) return a.bands.map((each) => [each, b.bands[0]!, each.name])
  if (a.bands.length === 1) return b.bands.map((each) => [a.bands[0]!, each, each.name])
  if (a.bands.length !== b.bands.length)
    throw badRequest(
      `Image.${name}: Images must have the same number of bands or one band; got ${a.bands.length} and ${b.bands.length}.`,
    )
  const byName = a.bands.every((each) => b.bands.some((other) => other.name === each.name))
  return a.bands.map((each, i) => [
    each,
    byName ? b.bands.find((other) => other.name === each.name)! : b.bands[i]!,
    each.name,
  ])
}

function binary(
  name: string,
  type: (a: PixelTypeValue, b: PixelTypeValue) => PixelTypeValue,
  apply: Operator,
): Algorithm {
  return algorithm(
    `Image.${name}(image1:Image, image2:Image):Image`,
    `Pixel by pixel, image1 ${name} image2.`,
    (args) => {
      const [a, b] = [args.image('image1'), args.image('image2')]
      const bands = pairBands(name, a, b).map(([left, right, bandName]) =>
        band(bandName, type(left.type, right.type), left.gsd, (grid): Plane => {
          const [x, y] = [left.plane(grid), right.plane(grid)]
          const values = new Float32Array(x.values.length)
          for (let i = 0; i < values.length; i++) values[i] = apply(x.values[i]!, y.values[i]!)
          return { values, mask: bothMasks(x.mask, y.mask) }
        }),
      )
      return withBands(a, bands)
    },
  )
}

function unary(name: string, type: (a: PixelTypeValue) => PixelTypeValue, apply: (value: number) => number): Algorithm {
  return algorithm(`Image.${name}(value:Image):Image`, `Pixel by pixel, ${name} of the image.`, (args) => {
    const image = args.image('value')
    return withBands(
      image,
      image.bands.map((each) => through(each, type(each.type), apply)),
    )
  })
}

/** The range of a sum, difference or product of two ranges, so that the result's type holds it. */
function range(apply: Operator) {
  return (a: PixelTypeValue, b: PixelTypeValue): PixelTypeValue => {
    const ends = [apply(a.min, b.min), apply(a.min, b.max), apply(a.max, b.min), apply(a.max, b.max)]
    const known = ends.every((end) => Number.isFinite(end))
    return {
      ...unionType(a, b),
      min: known ? Math.min(...ends) : -Infinity,
      max: known ? Math.max(...ends) : Infinity,
    }
  }
}

function cast(name: string, type: PixelTypeValue): Algorithm {
  const clamp = (value: number) => Math.max(type.min, Math.min(type.max, Math.trunc(value)))
  return unary(name, () => type, type.precision === 'int' ? clamp : (value) => value)
}

const same = (type: PixelTypeValue) => type
const yes = () => BOOLEAN
const bool =
  (holds: (a: number, b: number) => boolean): Operator =>
  (a, b) =>
    holds(a, b) ? 1 : 0

/** Pixel by pixel: one image through a function, or two met by an operator. */
export const PIXELWISE: readonly Algorithm[] = [
  binary(
    'add',
    range((a, b) => a + b),
    (a, b) => a + b,
  ),
  binary(
    'subtract',
    range((a, b) => a - b),
    (a, b) => a - b,
  ),
  binary(
    'multiply',
    range((a, b) => a * b),
    (a, b) => a * b,
  ),
  binary(
    'divide',
    (a, b) => (unionType(a, b).precision === 'double' ? DOUBLE : FLOAT),
    (a, b) => (b === 0 ? 0 : a / b),
  ),
  binary('max', unionType, Math.max),
  binary('min', unionType, Math.min),
  binary(
    'gt',
    yes,
    bool((a, b) => a > b),
  ),
  binary(
    'gte',
    yes,
    bool((a, b) => a >= b),
  ),
  binary(
    'lt',
    yes,
    bool((a, b) => a < b),
  ),
  binary(
    'lte',
    yes,
    bool((a, b) => a <= b),
  ),
  binary(
    'eq',
    yes,
    bool((a, b) => a === b),
  ),
  binary(
    'neq',
    yes,
    bool((a, b) => a !== b),
  ),
  binary(
    'and',
    yes,
    bool((a, b) => a !== 0 && b !== 0),
  ),
  binary(
    'or',
    yes,
    bool((a, b) => a !== 0 || b !== 0),
  ),
  binary('bitwiseAnd', unionType, (a, b) => a & b),
  unary('not', yes, (value) => (value === 0 ? 1 : 0)),
  unary('abs', same, Math.abs),
  unary('round', same, Math.round),
  cast('toByte', UINT8),
  cast('byte', UINT8),
  cast('uint8', UINT8),
  cast('toUint8', UINT8),
  cast('toInt8', INT8),
  cast('uint16', UINT16),
  cast('toUint16', UINT16),
  cast('toShort', INT16),
  cast('toUint32', UINT32),
  cast('toInt', INT32),
  cast('toFloat', FLOAT),
  cast('float', FLOAT),
  cast('toDouble', DOUBLE),
]
