import { formatCount } from '@skyscript/core'
import { type BenchmarkSheet, readSheets, recordPaths } from '../benchmarks/index.ts'
import { readEvaluations, resultTables, type ShownEvaluation } from '../evaluations/index.ts'
import { plain, table } from '../markdown.ts'
import type { FinishedDataset } from './dataset.ts'

/** What a card shows of benchmarks; either may be missing. */
export interface CardBenchmarks {
  readonly sheets?: readonly BenchmarkSheet[]
  readonly evaluations?: readonly ShownEvaluation[]
}

/** Reads what a dataset has of both. */
export async function readCardBenchmarks({ storage, lock }: FinishedDataset): Promise<CardBenchmarks> {
  const { seed, filter } = lock.config
  const scorers = filter.scorers.map(({ name }) => name)
  const folders = recordPaths(lock.files).map(({ folder }) => folder)
  const sheets = folders.length === 0 ? [] : await readSheets(storage, folders, { scorers, seed })
  return { sheets, evaluations: await readEvaluations(storage, lock) }
}

/** Images of each set. */
const SAMPLES = 5

/** Sizes, classes and samples of the sets, and the results of models on them; nothing without sets and results. */
export function benchmarkSections({ sheets = [], evaluations = [] }: CardBenchmarks): string[] {
  if (sheets.length === 0 && evaluations.length === 0) return []
  return [
    '## Benchmark sets',
    ...(sheets.length === 0 ? [] : setSections(sheets)),
    ...resultTables(evaluations).flatMap(({ set, column, head, rows }) => [
      `Results on ${plain(set)} (\`${column}\`):`,
      table(
        head,
        rows.map((cells) => cells.map(plain)),
      ),
    ]),
  ]
}

function setSections(sheets: readonly BenchmarkSheet[]): string[] {
  return [
    'Zero-shot classification and retrieval on images that are in no training file; contact sheets of all classes are in `report/benchmarks.html`. `skyscript evaluate --benchmarks . --model <model>` measures a model.',
    table(
      ['set', 'images', 'classes'],
      sheets.map(({ folder, record: { images, labels } }) => [
        `\`${folder}\``,
        formatCount(images),
        labels
          .map(({ classes }) => `${classes.length}: ${classes.map(({ name }) => plain(name)).join(', ')}`)
          .join('<br>') || 'captions',
      ]),
    ),
    'Some of their images:',
    table(
      ['set', 'image', 'class', 'title'],
      sheets.flatMap(({ folder, samples }) =>
        samples
          .flatMap(({ name, rows }) => (name === null ? rows : rows.slice(0, 1)).map((row) => ({ ...row, name })))
          .slice(0, SAMPLES)
          .map(({ filepath, title, name }) => [`\`${folder}\``, `\`${filepath}\``, plain(name ?? '-'), plain(title)]),
      ),
    ),
  ]
}
