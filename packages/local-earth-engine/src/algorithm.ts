import { badRequest } from './api-error.ts'
import { band, DOUBLE, UINT8 } from './band.ts'
import type { Catalogue } from './catalogue/catalogue.ts'
import {
  type CollectionValue,
  type ElementValue,
  type FilterValue,
  type FunctionValue,
  type GeometryValue,
  geometryOf,
  type ImageValue,
  isMap,
  type ReducerValue,
  typeName,
  type Value,
} from './values.ts'

/** What algorithms reach besides their arguments. */
export interface Context {
  readonly catalogue: Catalogue
}

interface Parameter {
  readonly name: string
  readonly type: string
  readonly optional: boolean
  /** As the list of algorithms gives it. */
  readonly default: unknown
  readonly fallback: Value
}

/** A function of the API: its signature as `GET algorithms` tells it, and what it does. */
export interface Algorithm {
  readonly name: string
  readonly description: string
  readonly parameters: readonly Parameter[]
  readonly returns: string
  run(args: Args, context: Context): Value
}

/**
 * An algorithm from one line of text, `Collection.limit(collection:FeatureCollection, key?:String, ascending?:Boolean=true):FeatureCollection`.
 * `?` marks optional parameters, `=` gives a default as JSON (null without it). Signatures are those of Earth Engine's
 * own list (a copy of which its Python client is tested with), with `Image` for `Image<unknown bands>` and `Dictionary`
 * for `Dictionary<Object>`.
 */
export function algorithm(
  signature: string,
  description: string,
  run: (args: Args, context: Context) => Value,
): Algorithm {
  const match = /^([\w.]+)\((.*)\):([\w<>]+)$/.exec(signature)
  if (!match) throw new TypeError(`"${signature}" is not a signature.`)
  const parameters = match[2]!
    .split(/, (?=\w+\??:)/)
    .filter(Boolean)
    .map((text): Parameter => {
      const part = /^(\w+)(\?)?:([\w<>]+)(?:=(.*))?$/.exec(text)
      if (!part) throw new TypeError(`"${text}" in "${signature}" is not a parameter.`)
      const given: unknown = part[4] === undefined ? null : JSON.parse(part[4])
      // Dictionaries are empty where they are a default, and margins of error matter to nothing here.
      const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
      const fallback = isObject ? (Object.keys(given).length === 0 ? new Map() : null) : (given as Value)
      return { name: part[1]!, type: part[3]!, optional: part[2] !== undefined, default: given, fallback }
    })
  return { name: match[1]!, description, parameters, returns: match[3]!, run }
}

/** The entry of `GET algorithms`. */
export function describe({ name, description, parameters, returns }: Algorithm): Record<string, unknown> {
  return {
    name: `algorithms/${name}`,
    description,
    arguments: parameters.map((parameter) => ({
      argumentName: parameter.name,
      type: typeInFull(parameter.type),
      description: '',
      ...(parameter.optional && { optional: true, defaultValue: parameter.default }),
    })),
    returnType: typeInFull(returns),
  }
}

const typeInFull = (type: string): string =>
  type.replace(/\bImage\b/, 'Image<unknown bands>').replace(/\bDictionary\b/, 'Dictionary<Object>')

/** The arguments of one call, each asked for by name as the type that is needed. */
export interface Args {
  /** The value as it came, or the parameter's default. */
  any(name: string): Value
  given(name: string): boolean
  number(name: string): number
  text(name: string): string
  truth(name: string): boolean
  list(name: string): readonly Value[]
  texts(name: string): string[]
  dictionary(name: string): ReadonlyMap<string, Value>
  image(name: string): ImageValue
  element(name: string): ElementValue
  collection(name: string): CollectionValue
  geometry(name: string): GeometryValue
  filter(name: string): FilterValue
  reducer(name: string): ReducerValue
  function(name: string): FunctionValue
  /** Milliseconds since 1970 UTC from a Date, a number or an ISO 8601 text. */
  date(name: string): number
}

export function bindArguments(called: Algorithm, given: ReadonlyMap<string, Value>): Args {
  for (const name of given.keys()) {
    if (!called.parameters.some((parameter) => parameter.name === name))
      throw badRequest(`${called.name}: Unrecognized argument '${name}'.`)
  }
  const any = (name: string): Value => {
    const parameter = called.parameters.find((each) => each.name === name)
    if (!parameter) throw new TypeError(`${called.name} has no parameter ${name}.`)
    return given.get(name) ?? parameter.fallback
  }
  const need = (name: string): Exclude<Value, null> => {
    const value = any(name)
    if (value === null) throw badRequest(`${called.name}: Parameter '${name}' is required and may not be null.`)
    return value
  }
  const wrong = (name: string, expected: string, value: Value) =>
    badRequest(
      `${called.name}, argument '${name}': Invalid type.\nExpected type: ${expected}.\nActual type: ${typeName(value)}.`,
    )
  const tagged = <K extends string>(name: string, kind: K, expected: string) => {
    const value = need(name)
    if (typeof value === 'object' && 'kind' in value && value.kind === kind) return value as Extract<Value, { kind: K }>
    throw wrong(name, expected, value)
  }
  const args: Args = {
    any,
    given: (name) => any(name) !== null,
    number(name) {
      const value = need(name)
      if (typeof value !== 'number') throw wrong(name, 'Number', value)
      return value
    },
    text(name) {
      const value = need(name)
      if (typeof value !== 'string') throw wrong(name, 'String', value)
      return value
    },
    truth(name) {
      const value = need(name)
      if (typeof value !== 'boolean' && typeof value !== 'number') throw wrong(name, 'Boolean', value)
      return Boolean(value)
    },
    list(name) {
      const value = need(name)
      if (!Array.isArray(value)) throw wrong(name, 'List', value)
      return value as readonly Value[]
    },
    texts(name) {
      const value = need(name)
      const list = Array.isArray(value) ? (value as readonly Value[]) : [value]
      return list.map((item) => {
        if (typeof item !== 'string') throw wrong(name, 'List<String>', value)
        return item
      })
    },
    dictionary(name) {
      const value = need(name)
      if (!isMap(value)) throw wrong(name, 'Dictionary', value)
      return value
    },
    image(name) {
      const value = need(name)
      if (typeof value === 'number') return constantImage([value])
      return tagged(name, 'image', 'Image')
    },
    element(name) {
      const value = need(name)
      if (typeof value === 'object' && 'kind' in value && (value.kind === 'image' || value.kind === 'feature'))
        return value
      throw wrong(name, 'Element', value)
    },
    collection: (name) => tagged(name, 'collection', 'FeatureCollection'),
    geometry(name) {
      const value = need(name)
      if (typeof value === 'object' && 'kind' in value && (value.kind === 'image' || value.kind === 'feature')) {
        const found = geometryOf(value)
        if (found) return found
      }
      return tagged(name, 'geometry', 'Geometry')
    },
    filter: (name) => tagged(name, 'filter', 'Filter'),
    reducer: (name) => tagged(name, 'reducer', 'Reducer'),
    function: (name) => tagged(name, 'function', 'Algorithm'),
    date(name) {
      const value = need(name)
      if (typeof value === 'number') return value
      if (typeof value === 'string') return parseDate(value)
      return tagged(name, 'date', 'Date').ms
    },
  }
  return args
}

/** ISO 8601, as Joda-Time reads it there: a text without a zone is UTC. */
export function parseDate(text: string): number {
  const zoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`
  const ms = /^\d{4}(-\d\d){0,2}(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/.test(text) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(ms)) throw badRequest(`Date: Bad date/time '${text}'.`)
  return ms
}

export function constantImage(values: readonly number[], names: readonly string[] = []): ImageValue {
  const bands = values.map((value, index) => {
    const type = Number.isInteger(value) ? { ...UINT8, min: value, max: value } : { ...DOUBLE, min: value, max: value }
    const name = names[index] ?? (values.length === 1 ? 'constant' : `constant_${index}`)
    return band(name, type, 111_320, ({ width, height }) => ({
      values: new Float32Array(width * height).fill(value),
      mask: null,
    }))
  })
  return { kind: 'image', id: null, bands, properties: new Map() }
}
