import type { Args, Run } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { shapeBox, shapesIntersect } from '../shapes.ts'
import {
  type ElementValue,
  EVERYTHING,
  type FilterValue,
  geometryOf,
  isKind,
  propertyOf,
  type Search,
  type Value,
} from '../values.ts'

/** The names of an element's own geometry. */
const ALL_GEOMETRY = ['.all', '.geo']

const filter = (passes: (element: ElementValue) => boolean, search: Search = EVERYTHING): FilterValue => ({
  kind: 'filter',
  passes,
  search,
})

/** Order of two numbers, texts or booleans; null for anything else and for different types, which never match. */
export function compare(a: Value, b: Value): number | null {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  return null
}

type Holds = (left: Value, right: Value) => boolean

const ordered =
  (holds: (order: number) => boolean): Holds =>
  (left, right) => {
    const order = compare(left, right)
    return order !== null && holds(order)
  }

const onTexts =
  (holds: (left: string, right: string) => boolean): Holds =>
  (left, right) =>
    typeof left === 'string' && typeof right === 'string' && holds(left, right)

/** Comparisons of two sides, each a field of the element or a value of the expression. */
const COMPARISONS: Readonly<Record<string, Holds>> = {
  equals: ordered((order) => order === 0),
  notEquals: ordered((order) => order !== 0),
  lessThan: ordered((order) => order < 0),
  lessThanOrEquals: ordered((order) => order <= 0),
  greaterThan: ordered((order) => order > 0),
  greaterThanOrEquals: ordered((order) => order >= 0),
  stringContains: onTexts((left, right) => left.includes(right)),
  stringStartsWith: onTexts((left, right) => left.startsWith(right)),
  stringEndsWith: onTexts((left, right) => left.endsWith(right)),
  listContains: (left, right) => Array.isArray(left) && left.some((item: Value) => compare(item, right) === 0),
}

const comparison =
  (holds: Holds): Run =>
  (args) => {
    const [left, right] = [side(args, 'left'), side(args, 'right')]
    return filter((element) => holds(left(element), right(element)))
  }

function side(args: Args, which: 'left' | 'right'): (element: ElementValue) => Value {
  if (args.given(`${which}Field`)) {
    const field = args.text(`${which}Field`)
    return (element) => propertyOf(element, field)
  }
  const value = args.any(`${which}Value`)
  return () => value
}

function filtersOf(args: Args): FilterValue[] {
  return args.list('filters').map((each) => {
    if (isKind(each, 'filter')) return each
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

const timeOf = (value: Value): number | null =>
  typeof value === 'number' ? value : isKind(value, 'date') ? value.ms : null
const rangeOf = (value: Value) => (isKind(value, 'dateRange') ? value : null)

function dateRangeContains(args: Args): FilterValue {
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
}

function intersects(args: Args): FilterValue {
  if (!args.given('leftField') || !ALL_GEOMETRY.includes(args.text('leftField')) || !args.given('rightValue'))
    throw badRequest("Filter.intersects: 'leftField' must be '.all' and 'rightValue' must be given.")
  const other = args.geometry('rightValue').shape
  return filter(
    (element) => {
      const own = geometryOf(element)
      return own !== null && shapesIntersect(own.shape, other)
    },
    { ...EVERYTHING, boxes: [shapeBox(other)] },
  )
}

/** What decides which elements of a collection stay. */
export const FILTERS: Readonly<Record<string, Run>> = {
  ...Object.fromEntries(Object.entries(COMPARISONS).map(([name, holds]) => [`Filter.${name}`, comparison(holds)])),
  'Filter.and'(args) {
    const filters = filtersOf(args)
    return filter((element) => filters.every((each) => each.passes(element)), joined(filters))
  },
  'Filter.or'(args) {
    const filters = filtersOf(args)
    return filter((element) => filters.some((each) => each.passes(element)))
  },
  'Filter.not'(args) {
    const inner = args.filter('filter')
    return filter((element) => !inner.passes(element))
  },
  'Filter.notNull'(args) {
    const properties = args.texts('properties')
    return filter((element) => properties.every((name) => propertyOf(element, name) !== null))
  },
  'Filter.rangeContains'(args) {
    const [field, min, max] = [args.text('field'), args.any('minValue'), args.any('maxValue')]
    return filter((element) => {
      const value = propertyOf(element, field)
      return (compare(value, min) ?? -1) >= 0 && (compare(value, max) ?? 1) <= 0
    })
  },
  'Filter.dateRangeContains': dateRangeContains,
  'Filter.intersects': intersects,
}
