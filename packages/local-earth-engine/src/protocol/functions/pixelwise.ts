/** Pixel by pixel: one image through a function, or two met by an operator. */
import type { Run } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { type Band, band, type PixelTypeValue, type Plane, TYPES, unionType } from '../band.ts'
import type { ImageValue } from '../values.ts'

/** The image with other bands; what is computed has no id. */
export const withBands = (image: ImageValue, bands: readonly Band[]): ImageValue => ({ ...image, id: null, bands })

/** The image with each band made into another. */
export const eachBand = (image: ImageValue, make: (each: Band) => Band): ImageValue =>
  withBands(image, image.bands.map(make))

/** The band with other pixels. */
export const remade = (from: Band, type: PixelTypeValue, make: Band['plane'], name = from.name): Band =>
  band(name, type, from.gsd, make)

/** Each value of a band through a function. */
export function through(from: Band, type: PixelTypeValue, apply: (value: number) => number, name = from.name): Band {
  return band(name, type, from.gsd, (grid) => {
    const { values: given, mask } = from.plane(grid)
    const values = new Float32Array(given.length)
    for (let i = 0; i < given.length; i++) values[i] = apply(given[i]!)
    return { values, mask }
  })
}

/** The mask of what both masks let through. */
export function bothMasks(a: Float32Array | null, b: Float32Array | null): Float32Array | null {
  if (a === null || b === null) return a ?? b
  const both = new Float32Array(a.length)
  for (let i = 0; i < a.length; i++) both[i] = a[i]! < b[i]! ? a[i]! : b[i]!
  return both
}

/** Pairs bands by name where the names agree, else in order; a single band meets every band of the other image. */
export function pairBands(name: string, a: ImageValue, b: ImageValue): [Band, Band, string][] {
  if (b.bands.length === 1) return a.bands.map((each) => [each, b.bands[0]!, each.name])
  if (a.bands.length === 1) return b.bands.map((each) => [a.bands[0]!, each, each.name])
  if (a.bands.length !== b.bands.length)
    throw badRequest(
      `Image.${name}: Images must have the same number of bands or one band; got ${a.bands.length} and ${b.bands.length}.`,
    )
  const named = (each: Band) => b.bands.find((other) => other.name === each.name)
  const byName = a.bands.every(named)
  return a.bands.map((each, i) => [each, byName ? named(each)! : b.bands[i]!, each.name])
}

type Operator = (a: number, b: number) => number
type TypeOf = (a: PixelTypeValue, b: PixelTypeValue) => PixelTypeValue

const binary =
  (name: string, [type, apply]: readonly [TypeOf, Operator]): Run =>
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
  }

const unary =
  (type: (a: PixelTypeValue) => PixelTypeValue, apply: (value: number) => number): Run =>
  (args) =>
    eachBand(args.image('value'), (each) => through(each, type(each.type), apply))

function cast(type: PixelTypeValue): Run {
  const clamp = (value: number) => Math.max(type.min, Math.min(type.max, Math.trunc(value)))
  return unary(() => type, type.precision === 'int' ? clamp : (value) => value)
}

/** An operator with the type that holds its results, by the ends of the ranges. */
function ranged(apply: Operator): readonly [TypeOf, Operator] {
  const typeOf: TypeOf = (a, b) => {
    const ends = [apply(a.min, b.min), apply(a.min, b.max), apply(a.max, b.min), apply(a.max, b.max)]
    const isKnown = ends.every((end) => Number.isFinite(end))
    const [min, max] = isKnown ? [Math.min(...ends), Math.max(...ends)] : [-Infinity, Infinity]
    return { ...unionType(a, b), min, max }
  }
  return [typeOf, apply]
}

const yes = () => TYPES.boolean
const test = (holds: (a: number, b: number) => boolean): readonly [TypeOf, Operator] => [
  yes,
  (a, b) => (holds(a, b) ? 1 : 0),
]
const quotientType: TypeOf = (a, b) => (unionType(a, b).precision === 'double' ? TYPES.double : TYPES.float)

const OPERATORS: Readonly<Record<string, readonly [TypeOf, Operator]>> = {
  add: ranged((a, b) => a + b),
  subtract: ranged((a, b) => a - b),
  multiply: ranged((a, b) => a * b),
  divide: [quotientType, (a, b) => (b === 0 ? 0 : a / b)],
  max: [unionType, Math.max],
  min: [unionType, Math.min],
  gt: test((a, b) => a > b),
  gte: test((a, b) => a >= b),
  lt: test((a, b) => a < b),
  lte: test((a, b) => a <= b),
  eq: test((a, b) => a === b),
  neq: test((a, b) => a !== b),
  and: test((a, b) => a !== 0 && b !== 0),
  or: test((a, b) => a !== 0 || b !== 0),
  bitwiseAnd: [unionType, (a, b) => a & b],
}

const { uint8, int8, uint16, int16, uint32, int32, float, double } = TYPES
const CASTS: Readonly<Record<string, PixelTypeValue>> = {
  toByte: uint8,
  byte: uint8,
  uint8,
  toUint8: uint8,
  toInt8: int8,
  uint16,
  toUint16: uint16,
  toShort: int16,
  toUint32: uint32,
  toInt: int32,
  toFloat: float,
  float,
  toDouble: double,
}

const named = <T>(table: Readonly<Record<string, T>>, make: (name: string, entry: T) => Run) =>
  Object.fromEntries(Object.entries(table).map(([name, entry]) => [`Image.${name}`, make(name, entry)]))

/** Operators, casts and other functions of single pixels. */
export const PIXELWISE: Readonly<Record<string, Run>> = {
  ...named(OPERATORS, binary),
  ...named(CASTS, (_name, type) => cast(type)),
  'Image.not': unary(yes, (value) => (value === 0 ? 1 : 0)),
  'Image.abs': unary((type) => type, Math.abs),
  'Image.round': unary((type) => type, Math.round),
  'Image.clamp'(args) {
    const [image, low, high] = [args.image('input'), args.number('low'), args.number('high')]
    return eachBand(image, (each) => through(each, each.type, (value) => Math.max(low, Math.min(high, value))))
  },
  'Image.unitScale'(args) {
    const [image, low, high] = [args.image('input'), args.number('low'), args.number('high')]
    return eachBand(image, (each) => through(each, double, (value) => (value - low) / (high - low)))
  },
}
