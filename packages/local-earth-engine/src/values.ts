import type { Box, Position } from '@skyscript/core'
import type { Band } from './band.ts'

/** What a node of an expression graph can evaluate to. Lists are arrays, dictionaries are maps. */
export type Value =
  | null
  | boolean
  | number
  | string
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | ImageValue
  | FeatureValue
  | CollectionValue
  | GeometryValue
  | FilterValue
  | ReducerValue
  | DateValue
  | DateRangeValue
  | FunctionValue
  | PixelTypeValue
  | ProjectionValue
  | ErrorMarginValue

export interface ImageValue {
  readonly kind: 'image'
  /** Asset id, or null where the image is computed. */
  readonly id: string | null
  readonly bands: readonly Band[]
  readonly properties: ReadonlyMap<string, Value>
}

export interface FeatureValue {
  readonly kind: 'feature'
  readonly id: string | null
  readonly geometry: GeometryValue | null
  readonly properties: ReadonlyMap<string, Value>
}

export type ElementValue = ImageValue | FeatureValue

/** What is known of the elements asked for before any is made: the catalogue has more images than memory. */
export interface Search {
  /** Only elements whose geometry meets all of these. */
  readonly boxes: readonly Box[]
  /** Milliseconds since 1970 UTC, start inclusive, end exclusive. */
  readonly from: number
  readonly to: number
}

export const EVERYTHING: Search = { boxes: [], from: -Infinity, to: Infinity }

export interface CollectionValue {
  readonly kind: 'collection'
  readonly of: 'ImageCollection' | 'FeatureCollection'
  readonly id: string | null
  readonly properties: ReadonlyMap<string, Value>
  /** Elements in order. `search` may leave out elements that don't match it, and need not leave out any. */
  elements(search: Search): Iterable<ElementValue>
}

export type Shape =
  | { readonly type: 'Point'; readonly coordinates: Position }
  | { readonly type: 'MultiPoint' | 'LineString'; readonly coordinates: readonly Position[] }
  | { readonly type: 'MultiLineString' | 'Polygon'; readonly coordinates: readonly (readonly Position[])[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly (readonly Position[])[])[] }

export interface GeometryValue {
  readonly kind: 'geometry'
  readonly shape: Shape
}

export interface FilterValue {
  readonly kind: 'filter'
  /** What every element that passes also meets. */
  readonly search: Search
  passes(element: ElementValue): boolean
}

export interface ReducerValue {
  readonly kind: 'reducer'
  readonly name: string
  /** Values of one row or of one pixel over bands. */
  readonly inputs: number
  /** Of the inputs, how many at the end may be null. */
  readonly optional: number
  /** Output name -> value, of all rows. */
  over(rows: readonly (readonly Value[])[]): ReadonlyMap<string, Value>
  /** The same value number by number, where it can be had so: quicker over whole images. */
  readonly fold?: (a: number, b: number) => number
}

export interface DateValue {
  readonly kind: 'date'
  readonly ms: number
}

export interface DateRangeValue {
  readonly kind: 'dateRange'
  readonly start: number
  readonly end: number
}

export interface FunctionValue {
  readonly kind: 'function'
  readonly parameters: readonly string[]
  call(values: readonly Value[]): Value
}

export interface PixelTypeValue {
  readonly kind: 'pixelType'
  readonly precision: 'int' | 'float' | 'double'
  readonly min: number
  readonly max: number
}

export interface ProjectionValue {
  readonly kind: 'projection'
  readonly crs: string
}

export interface ErrorMarginValue {
  readonly kind: 'errorMargin'
  readonly value: number
  readonly unit: string
}

export const isMap = (value: Value): value is ReadonlyMap<string, Value> => value instanceof Map

/** The name by which error messages call a value. */
export function typeName(value: Value): string {
  if (value === null) return 'Null'
  if (typeof value === 'boolean') return 'Boolean'
  if (typeof value === 'number') return Number.isInteger(value) ? 'Integer' : 'Float'
  if (typeof value === 'string') return 'String'
  if (Array.isArray(value)) return 'List'
  if (isMap(value)) return 'Dictionary'
  const tagged = value as Exclude<typeof value, readonly Value[]>
  switch (tagged.kind) {
    case 'image':
      return 'Image'
    case 'feature':
      return 'Feature'
    case 'collection':
      return tagged.of
    case 'geometry':
      return 'Geometry'
    case 'filter':
      return 'Filter'
    case 'reducer':
      return 'Reducer'
    case 'date':
      return 'Date'
    case 'dateRange':
      return 'DateRange'
    case 'function':
      return 'Algorithm'
    case 'pixelType':
      return 'PixelType'
    case 'projection':
      return 'Projection'
    case 'errorMargin':
      return 'ErrorMargin'
  }
}

/** The property of an element; null where it has none. */
export function propertyOf(element: ElementValue | CollectionValue, name: string): Value {
  if (name === 'system:id') return element.id
  return element.properties.get(name) ?? null
}

export function geometryOf(element: ElementValue): GeometryValue | null {
  if (element.kind === 'feature') return element.geometry
  const footprint = element.properties.get('system:footprint')
  return isGeometry(footprint) ? footprint : null
}

function isGeometry(value: Value | undefined): value is GeometryValue {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'geometry'
}

/** The element with properties set; null takes a property away, as setting one to null does there. */
export function withProperties<T extends ElementValue>(element: T, changes: Iterable<readonly [string, Value]>): T {
  const properties = new Map(element.properties)
  for (const [name, value] of changes) {
    if (value === null) properties.delete(name)
    else properties.set(name, value)
  }
  return { ...element, properties }
}
