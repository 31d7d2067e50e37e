import { RANKS } from '@skyscript/benchmark'
import { formatCount } from '@skyscript/core'
import { stringify } from 'csv-stringify/sync'
import type { Evaluation } from './evaluations.ts'
import { HEADLINE_SETS } from './original-sets.ts'
import { PUBLISHED_AVERAGES } from './published-averages.ts'

/** A model with its results, in the order of the sets. */
export interface ComparedModel {
  /** As the user named it. */
  readonly model: string
  /** Mean top-1 over the original's seven sets of scenes; null if one of them is missing. */
  readonly average: number | null
  readonly evaluations: readonly (readonly [name: string, Evaluation])[]
}

/** How a comparison is printed, by the value of --format; each text ends with a line end. */
export const COMPARE_FORMATS: Readonly<
  Record<'markdown' | 'json' | 'csv', (models: readonly ComparedModel[]) => string>
> = {
  markdown: markdownOf,
  csv: csvOf,
  json: (models) =>
    `${JSON.stringify({
      models: models.map((each) => ({ ...each, evaluations: each.evaluations.map(([, evaluation]) => evaluation) })),
      published: PUBLISHED_AVERAGES,
    })}\n`,
}

/** As in the original's table. */
const percent = (share: number) => (100 * share).toFixed(2)

function markdownOf(models: readonly ComparedModel[]): string {
  const tables: string[] = []
  const classes = models[0]!.evaluations.filter(([, { task }]) => task === 'classification').map(([name]) => name)
  if (classes.length > 0) {
    const rows = models.map(({ model, average, evaluations }) => [
      model,
      average === null ? '' : percent(average),
      ...evaluations.flatMap(([, { result }]) => ('top1' in result ? [percent(result.top1)] : [])),
    ])
    const published = PUBLISHED_AVERAGES.map(({ model, architecture, average }) => [
      `${model}, ${architecture} (published)`,
      percent(average),
      ...classes.map(() => ''),
    ])
    const note = `Top-1 accuracy in %. Average: of ${HEADLINE_SETS.join(', ')}.\n\n`
    tables.push(note + markdownTable([['model', 'average', ...classes], ...rows, ...published]))
  }
  const captions = models[0]!.evaluations.flatMap(([name, { result }], at) => ('texts' in result ? [{ name, at }] : []))
  if (captions.length > 0) {
    const rows = captions.flatMap(({ name, at }) =>
      (['image_to_text', 'text_to_image'] as const).flatMap((direction) =>
        models.map(({ model, evaluations }) => {
          const result = evaluations[at]![1].result
          if (!('texts' in result)) throw new TypeError(`${name} has other results for ${model}.`)
          const sizes = [formatCount(result.images), formatCount(result.texts)]
          const recalls = RANKS.map((k) => percent(result[direction][`R@${k}`]))
          return [`${name}, ${direction.replaceAll('_', ' ')}`, model, ...sizes, ...recalls]
        }),
      ),
    )
    const header = ['set', 'model', 'images', 'texts', ...RANKS.map((k) => `R@${k}`)]
    tables.push(
      `Share of queries with at least one answer among the best k, in %.\n\n${markdownTable([header, ...rows])}`,
    )
  }
  return tables.join('\n')
}

function markdownTable([header, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return [line(header!), line(header!.map(() => '---')), ...rows.map(line)].join('')
}

/** A row for each figure, as a share. */
function csvOf(models: readonly ComparedModel[]): string {
  const rows: (string | number)[][] = [['model', 'source', 'set', 'column', 'figure', 'value']]
  for (const { model, average, evaluations } of models) {
    for (const [, { set, column, result }] of evaluations)
      for (const [figure, value] of figuresOf(result)) rows.push([model, 'measured', set, column, figure, value])
    if (average !== null) rows.push([model, 'measured', 'average', 'label', 'top1', average])
  }
  for (const { model, architecture, average } of PUBLISHED_AVERAGES)
    rows.push([`${model}, ${architecture}`, 'published', 'average', 'label', 'top1', average])
  return stringify(rows, { record_delimiter: '\n' })
}

function figuresOf(result: Evaluation['result']): [figure: string, value: number][] {
  if ('top1' in result)
    return [
      ['top1', result.top1],
      ['top5', result.top5],
    ]
  return (['image_to_text', 'text_to_image'] as const).flatMap((direction) =>
    RANKS.map((k): [string, number] => [`${direction}.R@${k}`, result[direction][`R@${k}`]]),
  )
}
