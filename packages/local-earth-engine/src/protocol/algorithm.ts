import { readFileSync } from 'node:fs'
import { METRES_PER_DEGREE_LONGITUDE } from '@skyscript/core'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Painter } from '../draw/scene.ts'
import { badRequest } from './api-error.ts'
import { band, TYPES } from './band.ts'
import {
  type CollectionValue,
  type ElementValue,
  type FilterValue,
  type FunctionValue,
  type GeometryValue,
  geometryOf,
  type ImageValue,
  isElement,
  isKind,
  isMap,
  type ReducerValue,
  typeName,
  type Value,
} from './values.ts'

/** What functions use besides their arguments. */
export interface Context {
  readonly catalogue: Catalogue
  readonly painter: Painter
}

/** What a function of the API does. */
export type Run = (args: Args, context: Context) => Value

interface Parameter {
  readonly name: string
  readonly type: string
  readonly optional: boolean
  /** As the list of algorithms gives it. */
  readonly default: unknown
  readonly fallback: Value
}

/** A function of the API: its signature as `GET algorithms` answers it, and what it does. */
export interface Algorithm {
  readonly name: string
  readonly description: string
  readonly parameters: readonly Parameter[]
  readonly returns: string
  readonly run: Run
}

/**
 * Joins functions with their lines in functions/signatures.txt, such as
 * `Collection.toList(collection:FeatureCollection, count:Integer, offset?:Integer=0):List<Object>  # Elements as a list.`
 * `?` marks optional parameters, `=` gives their default as JSON (null without it). Signatures are those of Earth Engine's
 * own list (a copy of which its Python client is tested with), with `Image` for `Image<unknown bands>` and `Dictionary`
 * for `Dictionary<Object>`.
 *
 * @throws TypeError where a function has no signature or a signature no function
 */
export function readAlgorithms(functions: Readonly<Record<string, Run>>): ReadonlyMap<string, Algorithm> {
  const text = readFileSync(new URL('./functions/signatures.txt', import.meta.url), 'utf8')
  const algorithms = text
    .trimEnd()
    .split('\n')
    .map((line) => algorithmOf(line, functions))
  if (algorithms.length !== Object.keys(functions).length)
    throw new TypeError('A function has no line in signatures.txt.')
  return new Map(algorithms.map((each) => [each.name, each]))
}

function algorithmOf(line: string, functions: Readonly<Record<string, Run>>): Algorithm {
  const [, name, list, returns, description] = /^([\w.]+)\((.*)\):([\w<>]+) {2}# (.*)$/.exec(line) ?? []
  const run = functions[name ?? '']
  if (run === undefined) throw new TypeError(`No function does what signatures.txt says: ${line}`)
  const parameters = list!
    .split(/, (?=\w+\??:)/)
    .filter(Boolean)
    .map(parameterOf)
  return { name: name!, description: description!, parameters, returns: returns!, run }
}

function parameterOf(text: string): Parameter {
  const [, name, optional, type, otherwise] = /^(\w+)(\?)?:([\w<>]+)(?:=(.*))?$/.exec(text)!
  const given: unknown = otherwise === undefined ? null : JSON.parse(otherwise)
  // Dictionaries are empty where they are a default, and nothing here depends on margins of error.
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  const fallback = isObject ? (Object.keys(given).length === 0 ? new Map() : null) : (given as Value)
  return { name: name!, type: type!, optional: optional !== undefined, default: given, fallback }
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

/** The arguments of one call. Each is read by name as the type that the function needs; any other type is refused. */
export class Args {
  readonly #called: Algorithm
  readonly #given: ReadonlyMap<string, Value>

  /** @throws ApiError where the function has no parameter of an argument's name */
  constructor(called: Algorithm, given: ReadonlyMap<string, Value>) {
    for (const name of given.keys()) {
      if (!called.parameters.some((parameter) => parameter.name === name))
        throw badRequest(`${called.name}: Unrecognized argument '${name}'.`)
    }
    this.#called = called
    this.#given = given
  }

  /** The value as it came, or the parameter's default. */
  any(name: string): Value {
    const parameter = this.#called.parameters.find((each) => each.name === name)
    if (!parameter) throw new TypeError(`${this.#called.name} has no parameter ${name}.`)
    return this.#given.get(name) ?? parameter.fallback
  }

  given(name: string): boolean {
    return this.any(name) !== null
  }

  number(name: string): number {
    const value = this.#need(name)
    return typeof value === 'number' ? value : this.#refuse(name, 'Number', value)
  }

  text(name: string): string {
    const value = this.#need(name)
    return typeof value === 'string' ? value : this.#refuse(name, 'String', value)
  }

  truth(name: string): boolean {
    const value = this.#need(name)
    const isTruth = typeof value === 'boolean' || typeof value === 'number'
    return isTruth ? Boolean(value) : this.#refuse(name, 'Boolean', value)
  }

  list(name: string): readonly Value[] {
    const value = this.#need(name)
    return Array.isArray(value) ? (value as readonly Value[]) : this.#refuse(name, 'List', value)
  }

  /** One text counts as a list of one. */
  texts(name: string): string[] {
    const value = this.#need(name)
    const list = Array.isArray(value) ? (value as readonly Value[]) : [value]
    return list.map((item) => (typeof item === 'string' ? item : this.#refuse(name, 'List<String>', value)))
  }

  dictionary(name: string): ReadonlyMap<string, Value> {
    const value = this.#need(name)
    return isMap(value) ? value : this.#refuse(name, 'Dictionary', value)
  }

  /** A number counts as a constant image. */
  image(name: string): ImageValue {
    const value = this.#need(name)
    return typeof value === 'number' ? constantImage([value]) : this.#object(name, 'image', 'Image')
  }

  element(name: string): ElementValue {
    const value = this.#need(name)
    return isElement(value) ? value : this.#refuse(name, 'Element', value)
  }

  collection(name: string): CollectionValue {
    return this.#object(name, 'collection', 'FeatureCollection')
  }

  /** An element counts as its geometry. */
  geometry(name: string): GeometryValue {
    const value = this.#need(name)
    const found = isElement(value) ? geometryOf(value) : null
    return found ?? this.#object(name, 'geometry', 'Geometry')
  }

  filter(name: string): FilterValue {
    return this.#object(name, 'filter', 'Filter')
  }

  reducer(name: string): ReducerValue {
    return this.#object(name, 'reducer', 'Reducer')
  }

  function(name: string): FunctionValue {
    return this.#object(name, 'function', 'Algorithm')
  }

  /** Milliseconds since 1970 UTC from a Date, a number or an ISO 8601 text. */
  date(name: string): number {
    const value = this.#need(name)
    if (typeof value === 'number') return value
    return typeof value === 'string' ? parseDate(value) : this.#object(name, 'date', 'Date').ms
  }

  #need(name: string): Exclude<Value, null> {
    const value = this.any(name)
    if (value === null) throw badRequest(`${this.#called.name}: Parameter '${name}' is required and may not be null.`)
    return value
  }

  #refuse(name: string, expected: string, value: Value): never {
    throw badRequest(
      `${this.#called.name}, argument '${name}': Invalid type.\nExpected type: ${expected}.\nActual type: ${typeName(value)}.`,
    )
  }

  #object<K extends Parameters<typeof isKind>[1]>(name: string, kind: K, expected: string) {
    const value = this.#need(name)
    return isKind(value, kind) ? value : this.#refuse(name, expected, value)
  }
}

/** ISO 8601, as Joda-Time reads it there: a text without a zone is UTC. */
export function parseDate(text: string): number {
  const zoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`
  const ms = /^\d{4}(-\d\d){0,2}(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/.test(text) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(ms)) throw badRequest(`Date: Bad date/time '${text}'.`)
  return ms
}

/** An image with the same values at every pixel, a band each. */
export function constantImage(values: readonly number[]): ImageValue {
  const bands = values.map((value, index) => {
    const type = { ...(Number.isInteger(value) ? TYPES.uint8 : TYPES.double), min: value, max: value }
    return band(
      values.length === 1 ? 'constant' : `constant_${index}`,
      type,
      METRES_PER_DEGREE_LONGITUDE,
      ({ width, height }) => ({
        values: new Float32Array(width * height).fill(value),
        mask: null,
      }),
    )
  })
  return { kind: 'image', id: null, bands, properties: new Map() }
}
