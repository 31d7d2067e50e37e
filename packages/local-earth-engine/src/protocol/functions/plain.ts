/** Dates, lists, dictionaries, numbers and texts. */
import type { Args, Run } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { isMap, type Value } from '../values.ts'

function datePart(args: Args): number {
  const date = new Date(args.date('date'))
  const unit = args.text('unit')
  switch (unit) {
    case 'year':
      return date.getUTCFullYear()
    case 'month':
      return date.getUTCMonth() + 1
    case 'day':
      return date.getUTCDate()
    case 'hour':
      return date.getUTCHours()
    case 'minute':
      return date.getUTCMinutes()
    default:
      throw badRequest(`Date.get: Unknown unit '${unit}'.`)
  }
}

function itemOf(args: Args): Value {
  const [list, index] = [args.list('list'), args.number('index')]
  const at = index < 0 ? list.length + index : index
  if (at >= 0 && at < list.length) return list[at]!
  throw badRequest(
    `List.get: List index must be between 0 and ${list.length - 1}, or -1 and -${list.length}. Found ${index}.`,
  )
}

function slice(args: Args): Value {
  const step = args.given('step') ? args.number('step') : 1
  if (!Number.isInteger(step) || step < 1) throw badRequest(`List.slice: Step must be positive; got ${step}.`)
  const part = args.list('list').slice(args.number('start'), args.given('end') ? args.number('end') : undefined)
  return part.filter((_, i) => i % step === 0)
}

/** A dictionary written as a list of keys and values in turn. */
const pairs = (list: readonly Value[]): ReadonlyMap<string, Value> =>
  new Map(list.filter((_, i) => i % 2 === 0).map((key, i) => [String(key), list[2 * i + 1] ?? null]))

const length: Run = (args) => args.list('list').length

const onNumbers =
  (apply: (left: number, right: number) => number): Run =>
  (args) =>
    apply(args.number('left'), args.number('right'))

/** Functions of values that are no objects of Earth Engine. */
export const PLAIN: Readonly<Record<string, Run>> = {
  Date: (args) => ({ kind: 'date', ms: args.date('value') }),
  'Date.millis': (args) => args.date('date'),
  'Date.get': datePart,
  DateRange(args) {
    const start = args.date('start')
    return { kind: 'dateRange', start, end: args.given('end') ? args.date('end') : start + 1 }
  },
  'List.get': itemOf,
  'List.length': length,
  'List.size': length,
  'List.cat': (args) => [...args.list('list'), ...args.list('other')],
  'List.slice': slice,
  'List.map'(args) {
    const apply = args.function('baseAlgorithm')
    const results = args.list('list').map((item) => apply.call([item]))
    return args.truth('dropNulls') ? results.filter((item) => item !== null) : results
  },
  Dictionary(args) {
    const input = args.any('input')
    return input === null ? new Map() : isMap(input) ? input : pairs(args.list('input'))
  },
  'Dictionary.get'(args) {
    const [dictionary, key] = [args.dictionary('dictionary'), args.text('key')]
    const found = dictionary.get(key) ?? args.any('defaultValue')
    if (found !== null || dictionary.has(key)) return found
    throw badRequest(`Dictionary.get: Dictionary does not contain key: '${key}'.`)
  },
  'Dictionary.set': (args) => new Map([...args.dictionary('dictionary'), [args.text('key'), args.any('value')]]),
  'Dictionary.keys': (args) => [...args.dictionary('dictionary').keys()].sort(),
  'Number.parse'(args) {
    const value = Number(args.text('input'))
    if (Number.isNaN(value)) throw badRequest(`Number.parse: Cannot parse '${args.text('input')}'.`)
    return value
  },
  'Number.add': onNumbers((left, right) => left + right),
  'Number.subtract': onNumbers((left, right) => left - right),
  'Number.multiply': onNumbers((left, right) => left * right),
  'Number.divide': onNumbers((left, right) => (right === 0 ? 0 : left / right)),
  String(args) {
    const input = args.any('input')
    return typeof input === 'number' ? String(input) : args.text('input')
  },
  'String.cat': (args) => args.text('string1') + args.text('string2'),
}
