import type { Terminal } from '@skyscript/core'
import type { LeastValue } from '../command.ts'
import { writeAll } from '../terminal/json-lines.ts'
import { chooseFound, type Evaluation, evaluateSet, headlineOf, nameOf, readAll } from './evaluations.ts'
import { checkLeast, exitCodeFor, FIGURES, figureIn } from './figures.ts'
import { findSets } from './find-sets.ts'
import type { FoundSet } from './found-set.ts'
import type { OpenModel } from './measure.ts'
import { HEADLINE_SETS } from './original-sets.ts'
import { summaryText } from './summary-text.ts'

export interface BenchmarksOptions {
  /** Folder below which sets are found. */
  readonly benchmarks: string
  /** Names of sets; empty for all. */
  readonly set: readonly string[]
  readonly skipMissing: boolean
  readonly bootstrap: number | undefined
  readonly atLeast: readonly LeastValue[]
  readonly json: boolean
  readonly terminal: Terminal
  /** Called once the files have been checked. */
  readonly withModel: <T>(use: (model: OpenModel) => Promise<T>) => Promise<T>
}

/** What --at-least and the list of results call the mean over the original's sets. */
const HEADLINE = 'average'

/**
 * Measures a model on every set below a folder, and prints a table.
 *
 * @returns the exit code
 * @throws InputError that names a file and a line
 */
export async function runBenchmarks(options: BenchmarksOptions): Promise<number> {
  const { benchmarks, bootstrap, atLeast, json, terminal } = options
  const sets = chooseFound(await findSets(benchmarks), options.set)
  checkLeast(atLeast, figuresOf(sets))
  const columns = await readAll(sets, options)
  const named = await options.withModel(async (model) => {
    const done: (readonly [string, Evaluation])[] = []
    for (const [i, each] of columns.entries()) {
      done.push([nameOf(each.found, each.column.column), await evaluateSet(each, bootstrap, model)])
      if (each.found !== columns[i + 1]?.found) await model.store.flush()
    }
    return done
  })
  const evaluations = named.map(([, evaluation]) => evaluation)
  const headline = headlineOf(evaluations)
  const average = { set: HEADLINE, sets: HEADLINE_SETS, task: 'classification', result: { top1: headline } }
  const list = headline === null ? evaluations : [...evaluations, average]
  await writeAll(process.stdout, json ? `${JSON.stringify(list)}\n` : summaryText(named, headline))
  return exitCodeFor(atLeast, (name) => figureNamed(named, headline, name), terminal)
}

/** `SkyScript_cls.top1`, `roof_shape.label_v1.top1`, `RSICD.image_to_text.R@1`, `average.top1`. */
function figuresOf(sets: readonly FoundSet[]): string[] {
  const figures = sets.flatMap((set) =>
    set.columns.flatMap(({ column, task }) => FIGURES[task].map((figure) => `${nameOf(set, column)}.${figure}`)),
  )
  const isWhole = HEADLINE_SETS.every((name) => sets.some((set) => set.name === name))
  return isWhole ? [...figures, `${HEADLINE}.top1`] : figures
}

function figureNamed(named: readonly (readonly [string, Evaluation])[], headline: number | null, name: string): number {
  if (name === `${HEADLINE}.top1`) return headline!
  const [set, { result }] = named.find(([each]) => name.startsWith(`${each}.`))!
  return figureIn(result, name.slice(set.length + 1))
}
