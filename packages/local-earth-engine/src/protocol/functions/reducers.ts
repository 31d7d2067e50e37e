import type { Args, Run } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import type { ReducerValue, Value } from '../values.ts'

type Fold = (a: number, b: number) => number

/** A reducer of one input; nulls are left out, as there. */
const single =
  (name: string, reduce: (values: readonly number[]) => Value, output = name): Run =>
  () => ({
    kind: 'reducer',
    name,
    inputs: 1,
    optional: 0,
    over: (rows) =>
      new Map([[output, reduce(rows.map(([value]) => value).filter((value) => typeof value === 'number'))]]),
  })

/** The least or greatest first input, with the other inputs of the same row. */
const extreme =
  (name: 'min' | 'max', better: Fold): Run =>
  (args) => {
    const inputs = args.number('numInputs')
    if (!Number.isInteger(inputs) || inputs < 1)
      throw badRequest(`Reducer.${name}: Argument 'numInputs' must be positive; got ${inputs}.`)
    return {
      kind: 'reducer',
      name,
      inputs,
      optional: 0,
      over(rows) {
        let best: readonly Value[] | null = null
        for (const row of rows) {
          const [value] = row
          if (typeof value !== 'number') continue
          const known = best?.[0]
          if (typeof known !== 'number' || (value !== known && better(known, value) === value)) best = row
        }
        return new Map(Array.from({ length: inputs }, (_, i) => [i === 0 ? name : `${name}${i}`, best?.[i] ?? null]))
      },
      ...(inputs === 1 && { fold: better }),
    }
  }

function toList(args: Args): ReducerValue {
  const size = args.given('tupleSize') ? args.number('tupleSize') : 0
  const optional = args.number('numOptional')
  return {
    kind: 'reducer',
    name: 'toList',
    inputs: Math.max(1, size),
    optional,
    over(rows) {
      const whole = rows.filter((row) => row.every((value, i) => value !== null || i >= row.length - optional))
      return new Map([['list', size === 0 ? whole.map(([value]) => value ?? null) : whole]])
    },
  }
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

/** What makes one value of many. */
export const REDUCERS: Readonly<Record<string, Run>> = {
  'Reducer.toList': toList,
  'Reducer.min': extreme('min', (a, b) => (a < b ? a : b)),
  'Reducer.max': extreme('max', (a, b) => (a > b ? a : b)),
  'Reducer.sum': single('sum', sum),
  'Reducer.mean': single('mean', (values) => (values.length === 0 ? null : sum(values) / values.length)),
  'Reducer.count': single('count', (values) => values.length),
  'Reducer.first': single('first', (values) => values[0] ?? null),
  'Reducer.allNonZero': single('allNonZero', (values) => Number(values.every((value) => value !== 0)), 'all'),
  'Reducer.anyNonZero': single('anyNonZero', (values) => Number(values.some((value) => value !== 0)), 'any'),
}
