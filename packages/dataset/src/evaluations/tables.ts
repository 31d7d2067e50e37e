import { formatCount } from '@skyscript/core'
import type { ShownEvaluation } from './read-evaluations.ts'

/** Results on one set and column, for a page or a card. */
export interface ResultTable {
  readonly set: string
  readonly column: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const STALE = 'the set has changed since: measure again'
const DIRECTIONS = [
  ['image_to_text', 'image to text'],
  ['text_to_image', 'text to image'],
] as const

/** A table for each set and column. */
export function resultTables(evaluations: readonly ShownEvaluation[]): ResultTable[] {
  return [...Map.groupBy(evaluations, ({ set, column, task }) => JSON.stringify([set, column, task])).values()].map(
    (group) => {
      const { set, column, result } = group[0]!
      return {
        ...{ set, column },
        head: ['model', ...headOf(result), 'map', 'note'],
        rows: group.map(({ model, result: each, map, isStale }) => [
          model,
          ...cellsOf(each),
          map?.slice(0, 10) ?? '-',
          isStale ? STALE : '',
        ]),
      }
    },
  )
}

type Result = ShownEvaluation['result']

/** The ranks that a result has. */
const ranksOf = (result: Extract<Result, { texts: number }>) => Object.keys(result.image_to_text)
const isRetrieval = (result: Result): result is Extract<Result, { texts: number }> => 'image_to_text' in result

function headOf(result: Result): string[] {
  if (!isRetrieval(result)) return ['images', 'top-1', 'top-5']
  return ['images', 'texts', ...DIRECTIONS.flatMap(([, name]) => ranksOf(result).map((rank) => `${name} ${rank}`))]
}

const percent = (share: number | undefined) => (share === undefined ? '-' : `${(100 * share).toFixed(1)} %`)

function cellsOf(result: Result): string[] {
  if (!isRetrieval(result)) return [formatCount(result.n), percent(result.top1), percent(result.top5)]
  const recalls = DIRECTIONS.flatMap(([key]) => ranksOf(result).map((rank) => percent(result[key][rank])))
  return [formatCount(result.images), formatCount(result.texts), ...recalls]
}
