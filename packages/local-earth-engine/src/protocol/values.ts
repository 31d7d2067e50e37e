import type { Box, Geometry, Position } from '@skyscript/core'
import type { Band, PixelTypeValue } from './band.ts'

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

/** An image: bands that are computed when their pixels are asked for. */
export interface ImageValue {
  readonly kind: 'image'
  /** Asset id, or null where the image is computed. */
  readonly id: string | null
  readonly bands: readonly Band[]
  readonly properties: ReadonlyMap<string, Value>
}

/** A geometry with properties. */
export interface FeatureValue {
  readonly kind: 'feature'
  readonly id: string | null
  readonly geometry: GeometryValue | null
  readonly properties: ReadonlyMap<string, Value>
}

/** What collections hold. */
export type ElementValue = ImageValue | FeatureValue

/** What is known of the elements asked for before any is made: the catalogue has more images than memory. */
export interface Search {
  /** Only elements whose geometry meets all of these. */
  readonly boxes: readonly Box[]
  /** Milliseconds since 1970 UTC, start inclusive, end exclusive. */
  readonly from: number
  readonly to: number
}

/** A search that leaves out nothing. */
export const EVERYTHING: Search = { boxes: [], from: -Infinity, to: Infinity }

/** Images or features, made one by one as they are read. */
export interface CollectionValue {
  readonly kind: 'collection'
  readonly of: 'ImageCollection' | 'FeatureCollection'
  readonly id: string | null
  readonly properties: ReadonlyMap<string, Value>
  /** Elements in order. `search` may leave out elements that don't match it, and need not leave out any. */
  elements(search: Search): Iterable<ElementValue>
}

/** A GeoJSON geometry. */
export type Shape = Geometry | { readonly type: 'MultiPoint'; readonly coordinates: readonly Position[] }

/** A geometry in longitude and latitude. */
export interface GeometryValue {
  readonly kind: 'geometry'
  readonly shape: Shape
}

/** What decides which elements of a collection stay. */
export interface FilterValue {
  readonly kind: 'filter'
  /** What every element that passes also meets. */
  readonly search: Search
  passes(element: ElementValue): boolean
}

/** What makes one value, or several named ones, of many. */
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

/** A time in milliseconds since 1970 UTC. */
export interface DateValue {
  readonly kind: 'date'
  readonly ms: number
}

/** From a time to before another. */
export interface DateRangeValue {
  readonly kind: 'dateRange'
  readonly start: number
  readonly end: number
}

/** A function defined in the expression. */
export interface FunctionValue {
  readonly kind: 'function'
  readonly parameters: readonly string[]
  call(values: readonly Value[]): Value
}

/** A coordinate reference system by its code. */
export interface ProjectionValue {
  readonly kind: 'projection'
  readonly crs: string
}

/** A margin of error, which nothing here depends on. */
export interface ErrorMarginValue {
  readonly kind: 'errorMargin'
  readonly value: number
  readonly unit: string
}

type Tagged = Extract<Value, { readonly kind: string }>

/** Whether a value is one of Earth Engine's objects of a kind. */
export function isKind<K extends Tagged['kind']>(
  value: Value | undefined,
  ...kinds: K[]
): value is Extract<Tagged, { kind: K }> {
  return typeof value === 'object' && value !== null && 'kind' in value && (kinds as string[]).includes(value.kind)
}

/** Whether a value is a dictionary. */
export const isMap = (value: Value): value is ReadonlyMap<string, Value> => value instanceof Map

/** Whether a value is an image or a feature. */
export const isElement = (value: Value | undefined): value is ElementValue => isKind(value, 'image', 'feature')

/** The name by which error messages call a value. */
export function typeName(value: Value): string {
  if (value === null) return 'Null'
  if (typeof value === 'boolean') return 'Boolean'
  if (typeof value === 'number') return Number.isInteger(value) ? 'Integer' : 'Float'
  if (typeof value === 'string') return 'String'
  if (Array.isArray(value)) return 'List'
  if (isMap(value)) return 'Dictionary'
  const { kind } = value as Tagged
  if (kind === 'function') return 'Algorithm'
  if (isKind(value, 'collection')) return value.of
  return kind[0]!.toUpperCase() + kind.slice(1)
}

/** The property of an element; null where it has none. */
export function propertyOf(element: ElementValue | CollectionValue, name: string): Value {
  if (name === 'system:id') return element.id
  return element.properties.get(name) ?? null
}

/** The geometry of an element: of an image its footprint. */
export function geometryOf(element: ElementValue): GeometryValue | null {
  if (element.kind === 'feature') return element.geometry
  const footprint = element.properties.get('system:footprint')
  return isKind(footprint, 'geometry') ? footprint : null
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
