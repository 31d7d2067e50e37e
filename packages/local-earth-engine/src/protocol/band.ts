import type { BandType } from '../catalogue/scene.ts'
import type { PixelGrid } from '../draw/scene.ts'

/** The type of the pixels of a band. */
export interface PixelTypeValue {
  readonly kind: 'pixelType'
  readonly precision: 'int' | 'float' | 'double'
  readonly min: number
  readonly max: number
}

/** Row-major values of one band on a grid. Where `mask` is 0 there is no data; without `mask` all is valid. */
export interface Plane {
  readonly values: Float32Array
  readonly mask: Float32Array | null
}

/** A band of an image. */
export interface Band {
  readonly name: string
  readonly type: PixelTypeValue
  /** Ground sampling distance in metres of the native pixels; computed constants have that of a degree. */
  readonly gsd: number
  plane(grid: PixelGrid): Plane
}

/** A function of a grid that remembers what it made of a grid for as long as the grid is in use. */
export function oncePerGrid<T>(make: (grid: PixelGrid) => T): (grid: PixelGrid) => T {
  const made = new WeakMap<PixelGrid, { readonly value: T }>()
  return (grid) => {
    const known = made.get(grid) ?? { value: make(grid) }
    made.set(grid, known)
    return known.value
  }
}

/** A band whose plane is made once per grid, however many operations ask for it. */
export const band = (name: string, type: PixelTypeValue, gsd: number, make: (grid: PixelGrid) => Plane): Band => ({
  name,
  type,
  gsd,
  plane: oncePerGrid(make),
})

/** The band under another name. */
export const renamed = (from: Band, name: string): Band => ({ ...from, name })

const pixelType = (precision: PixelTypeValue['precision'], min = -Infinity, max = Infinity): PixelTypeValue => ({
  kind: 'pixelType',
  precision,
  min,
  max,
})

/** The pixel types of Earth Engine, by the names of its casts; `boolean` and `unit` are what comparisons and masks have. */
export const TYPES = {
  uint8: pixelType('int', 0, 255),
  int8: pixelType('int', -128, 127),
  uint16: pixelType('int', 0, 65_535),
  int16: pixelType('int', -32_768, 32_767),
  uint32: pixelType('int', 0, 4_294_967_295),
  int32: pixelType('int', -2_147_483_648, 2_147_483_647),
  float: pixelType('float'),
  double: pixelType('double'),
  boolean: pixelType('int', 0, 1),
  unit: pixelType('float', 0, 1),
} as const satisfies Record<BandType | string, PixelTypeValue>

/** The type whose range holds two types' values, as arithmetic between bands gives it. */
export function unionType(a: PixelTypeValue, b: PixelTypeValue): PixelTypeValue {
  const order = ['int', 'float', 'double'] as const
  const precision = order[Math.max(order.indexOf(a.precision), order.indexOf(b.precision))]!
  return { kind: 'pixelType', precision, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}

/** How a band's values lie in an NPY file: little-endian numpy type, its size in bytes, and how one is written. */
export interface NumpyType {
  readonly descr: string
  readonly bytes: number
  write(target: Buffer, value: number, offset: number): void
}

const NUMPY: readonly (NumpyType & { readonly min: number; readonly max: number })[] = [
  { descr: '|u1', bytes: 1, ...range(TYPES.uint8), write: (to, value, at) => void (to[at] = value) },
  {
    descr: '<u2',
    bytes: 2,
    ...range(TYPES.uint16),
    write(to, value, at) {
      to[at] = value
      to[at + 1] = value >> 8
    },
  },
  { descr: '<u4', bytes: 4, ...range(TYPES.uint32), write: (to, value, at) => to.writeUInt32LE(value, at) },
  { descr: '|i1', bytes: 1, ...range(TYPES.int8), write: (to, value, at) => to.writeInt8(value, at) },
  { descr: '<i2', bytes: 2, ...range(TYPES.int16), write: (to, value, at) => to.writeInt16LE(value, at) },
  { descr: '<i4', bytes: 4, ...range(TYPES.int32), write: (to, value, at) => to.writeInt32LE(value, at) },
]
const FLOAT: NumpyType = { descr: '<f4', bytes: 4, write: (to, value, at) => to.writeFloatLE(value, at) }
const DOUBLE: NumpyType = { descr: '<f8', bytes: 8, write: (to, value, at) => to.writeDoubleLE(value, at) }

function range({ min, max }: PixelTypeValue): { min: number; max: number } {
  return { min, max }
}

/** The smallest numpy type that holds a pixel type. */
export function numpyType({ precision, min, max }: PixelTypeValue): NumpyType {
  if (precision === 'float') return FLOAT
  const whole = precision === 'int' ? NUMPY.find((type) => min >= type.min && max <= type.max) : undefined
  return whole ?? DOUBLE
}
