import type { Box } from '@skyscript/core'
import { type Algorithm, type Args, algorithm } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { shapeBox, shapesIntersect } from '../shapes.ts'
import {
  type ElementValue,
  EVERYTHING,
  type FilterValue,
  geometryOf,
  propertyOf,
  type Search,
  type Value,
} from '../values.ts'

const ALL_GEOMETRY = ['.all', '.geo']

function filter(passes: (element: ElementValue) => boolean, search: Search = EVERYTHING): FilterValue {
  return { kind: 'filter', passes, search }
}

/** Numbers and texts compare; anything else, and different types, never match. */
export function compare(a: Value, b: Value): number | null {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  return null
}

/** A comparison of two sides, each a field of the element or a value of the expression. */
function comparison(name: string, description: string, holds: (left: Value, right: Value) => boolean): Algorithm {
  const signature = `Filter.${name}(leftField?:String, rightValue?:Object, rightField?:String, leftValue?:Object):Filter`
  return algorithm(signature, description, (args) => {
    const left = side(args, 'left')
    const right = side(args, 'right')
    return filter((element) => holds(left(element), right(element)))
  })
}

function side(args: Args, which: 'left' | 'right'): (element: ElementValue) => Value {
  if (args.given(`${which}Field`)) {
    const field = args.text(`${which}Field`)
    return (element) => propertyOf(element, field)
  }
  const value = args.any(`${which}Value`)
  return () => value
}

const ordered = (holds: (order: number) => boolean) => (left: Value, right: Value) => {
  const order = compare(left, right)
  return order !== null && holds(order)
}

const onTexts = (holds: (left: string, right: string) => boolean) => (left: Value, right: Value) =>
  typeof left === 'string' && typeof right === 'string' && holds(left, right)

function timeOf(value: Value): number | null {
  if (typeof value === 'number') return value
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'date' ? value.ms : null
}

function filtersOf(args: Args): FilterValue[] {
  return args.list('filters').map((each) => {
    if (typeof each === 'object' && each !== null && 'kind' in each && each.kind === 'filter') return each
    throw badRequest("Filter, argument 'filters': Invalid type.\nExpected type: List<Filter>.")
  })
}

/** What passes all filters matches all their searches. */
function joined(filters: readonly FilterValue[]): Search {
  return {
    boxes: filters.flatMap(({ search }) => search.boxes),
    from: Math.max(-Infinity, ...filters.map(({ search }) => search.from)),
    to: Math.min(Infinity, ...filters.map(({ search }) => search.to)),
  }
}

export const FILTERS: readonly Algorithm[] = [
  comparison(
    'equals',
    'Filter to metadata equal to the given value.',
    ordered((order) => order === 0),
  ),
  comparison(
    'notEquals',
    'Filter to metadata not equal to the given value.',
    ordered((order) => order !== 0),
  ),
  comparison(
    'lessThan',
    'Filter to metadata less than the given value.',
    ordered((order) => order < 0),
  ),
  comparison(
    'lessThanOrEquals',
    'Filter to metadata at most the given value.',
    ordered((order) => order <= 0),
  ),
  comparison(
    'greaterThan',
    'Filter to metadata greater than the given value.',
    ordered((order) => order > 0),
  ),
  comparison(
    'greaterThanOrEquals',
    'Filter to metadata at least the given value.',
    ordered((order) => order >= 0),
  ),
  comparison(
    'stringContains',
    'Filter to text that holds the given text.',
    onTexts((left, right) => left.includes(right)),
  ),
  comparison(
    'stringStartsWith',
    'Filter to text that starts so.',
    onTexts((left, right) => left.startsWith(right)),
  ),
  comparison(
    'stringEndsWith',
    'Filter to text that ends so.',
    onTexts((left, right) => left.endsWith(right)),
  ),
  comparison(
    'listContains',
    'Filter to a list that holds the given value.',
    (left, right) => Array.isArray(left) && left.some((item: Value) => compare(item, right) === 0),
  ),
  algorithm('Filter.and(filters:List<Filter>):Filter', 'Passes what passes all filters.', (args) => {
    const filters = filtersOf(args)
    return filter((element) => filters.every((each) => each.passes(element)), joined(filters))
  }),
  algorithm('Filter.or(filters:List<Filter>):Filter', 'Passes what passes any filter.', (args) => {
    const filters = filtersOf(args)
    return filter((element) => filters.some((each) => each.passes(element)))
  }),
  algorithm('Filter.not(filter:Filter):Filter', 'Passes what does not pass the filter.', (args) => {
    const inner = args.filter('filter')
    return filter((element) => !inner.passes(element))
  }),
  algorithm(
    'Filter.notNull(properties:List<String>):Filter',
    'Filter to elements that have all the properties.',
    (args) => {
      const properties = args.texts('properties')
      return filter((element) => properties.every((name) => propertyOf(element, name) !== null))
    },
  ),
  algorithm(
    'Filter.rangeContains(field:String, minValue:Object, maxValue:Object):Filter',
    'Filter to values within a range, both ends included.',
    (args) => {
      const [field, min, max] = [args.text('field'), args.any('minValue'), args.any('maxValue')]
      return filter((element) => {
        const value = propertyOf(element, field)
        return (compare(value, min) ?? -1) >= 0 && (compare(value, max) ?? 1) <= 0
      })
    },
  ),
  algorithm(
    'Filter.dateRangeContains(leftField?:String, rightValue?:Object, rightField?:String, leftValue?:Object):Filter',
    'Filter to times within a date range, its end excluded.',
    (args) => {
      const [left, right] = [side(args, 'left'), side(args, 'right')]
      const range = args.given('leftField') ? null : rangeOf(args.any('leftValue'))
      const onTime = args.given('rightField') && args.text('rightField') === 'system:time_start'
      return filter(
        (element) => {
          const within = rangeOf(left(element))
          const time = timeOf(right(element))
          return within !== null && time !== null && time >= within.start && time < within.end
        },
        range && onTime ? { boxes: [], from: range.start, to: range.end } : EVERYTHING,
      )
    },
  ),
  algorithm(
    'Filter.intersects(leftField?:String, rightValue?:Object, rightField?:String, leftValue?:Object, maxError?:ErrorMargin={"type":"ErrorMargin","unit":"meters","value":0.1}):Filter',
    'Filter to elements whose geometry meets another.',
    (args) => {
      if (!args.given('leftField') || !ALL_GEOMETRY.includes(args.text('leftField')) || !args.given('rightValue'))
        throw badRequest("Filter.intersects: 'leftField' must be '.all' and 'rightValue' must be given.")
      const other = args.geometry('rightValue').shape
      const box: Box = shapeBox(other)
      return filter(
        (element) => {
          const own = geometryOf(element)
          return own !== null && shapesIntersect(own.shape, other)
        },
        { boxes: [box], from: -Infinity, to: Infinity },
      )
    },
  ),
]

function rangeOf(value: Value): { start: number; end: number } | null {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'dateRange' ? value : null
}
