import type { PixelTypeValue } from './values.ts'

/**
 * The pixels asked for: rows `top` .. `top + height` of a grid whose row 0 starts at `north`. Pixel (column, row) is
 * centred on (west + (column + 0.5) stepX, north + (row + 0.5) stepY), in degrees; stepY is usually negative. Large
 * grids are worked on in strips of rows, each a grid of its own.
 */
export interface PixelGrid {
  readonly width: number
  readonly height: number
  readonly top: number
  readonly west: number
  readonly north: number
  readonly stepX: number
  readonly stepY: number
}

/** Row-major values of one band on a grid. Where `mask` is 0 there is no data; without `mask` all is valid. */
export interface Plane {
  readonly values: Float32Array
  readonly mask: Float32Array | null
}

export interface Band {
  readonly name: string
  readonly type: PixelTypeValue
  /** Ground sampling distance in metres of the native pixels; computed constants have that of a degree. */
  readonly gsd: number
  plane(grid: PixelGrid): Plane
}

/** A band whose plane is made once per grid, however many operations ask for it. */
export function band(name: string, type: PixelTypeValue, gsd: number, make: (grid: PixelGrid) => Plane): Band {
  const made = new WeakMap<PixelGrid, Plane>()
  return {
    name,
    type,
    gsd,
    plane(grid) {
      const known = made.get(grid)
      if (known) return known
      const plane = make(grid)
      made.set(grid, plane)
      return plane
    },
  }
}

export const renamed = (from: Band, name: string): Band => ({ ...from, name })

const integer = (min: number, max: number): PixelTypeValue => ({ kind: 'pixelType', precision: 'int', min, max })
export const UINT8 = integer(0, 255)
export const INT8 = integer(-128, 127)
export const UINT16 = integer(0, 65_535)
export const INT16 = integer(-32_768, 32_767)
export const UINT32 = integer(0, 4_294_967_295)
export const INT32 = integer(-2_147_483_648, 2_147_483_647)
export const BOOLEAN = integer(0, 1)
export const FLOAT: PixelTypeValue = { kind: 'pixelType', precision: 'float', min: -Infinity, max: Infinity }
export const DOUBLE: PixelTypeValue = { kind: 'pixelType', precision: 'double', min: -Infinity, max: Infinity }
export const UNIT_FLOAT: PixelTypeValue = { kind: 'pixelType', precision: 'float', min: 0, max: 1 }

/** The type whose range holds two types' values, as arithmetic between bands gives it. */
export function unionType(a: PixelTypeValue, b: PixelTypeValue): PixelTypeValue {
  const order = ['int', 'float', 'double'] as const
  const precision = order[Math.max(order.indexOf(a.precision), order.indexOf(b.precision))]!
  return { kind: 'pixelType', precision, min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}

/** How a band's values lie in an NPY file: little-endian numpy type and its size in bytes. */
export interface NumpyType {
  readonly descr: string
  readonly bytes: 1 | 2 | 4 | 8
}

export function numpyType({ precision, min, max }: PixelTypeValue): NumpyType {
  if (precision === 'float') return { descr: '<f4', bytes: 4 }
  if (precision === 'double') return { descr: '<f8', bytes: 8 }
  if (min >= 0) {
    if (max <= 255) return { descr: '|u1', bytes: 1 }
    if (max <= 65_535) return { descr: '<u2', bytes: 2 }
    if (max <= 4_294_967_295) return { descr: '<u4', bytes: 4 }
  } else {
    if (min >= -128 && max <= 127) return { descr: '|i1', bytes: 1 }
    if (min >= -32_768 && max <= 32_767) return { descr: '<i2', bytes: 2 }
    if (min >= -2_147_483_648 && max <= 2_147_483_647) return { descr: '<i4', bytes: 4 }
  }
  return { descr: '<f8', bytes: 8 }
}
