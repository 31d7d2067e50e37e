import type { Terminal } from '@skyscript/core'
import type { LeastValue } from '../command.ts'
import { writeAll } from '../terminal/json-lines.ts'
import { COMPARE_FORMATS, type ComparedModel } from './compare-output.ts'
import {
  chooseFound,
  type Evaluation,
  evaluateSet,
  headlineOf,
  nameOf,
  type ReadyColumn,
  readAll,
} from './evaluations.ts'
import { checkLeast, exitCodeFor, FIGURES, figureIn } from './figures.ts'
import { findSets } from './find-sets.ts'
import type { FoundSet } from './found-set.ts'
import type { OpenModel } from './measure.ts'
import type { ComparedOpener } from './open-model.ts'
import { HEADLINE_SETS } from './original-sets.ts'
import { openSaving } from './save-evaluations.ts'
import { summaryText } from './summary-text.ts'
import { refuseOverlap } from './training.ts'

/** Runs something with an opened model, which is closed afterwards. */
export type WithModel = <T>(use: (model: OpenModel) => Promise<T>) => Promise<T>

interface BenchmarksInput {
  /** Folder below which sets are found. */
  readonly benchmarks: string
  /** Names of sets; empty for all. */
  readonly set: readonly string[]
  readonly skipMissing: boolean
  readonly bootstrap: number | undefined
  readonly atLeast: readonly LeastValue[]
  /** Dataset whose training images must not be among those measured on. */
  readonly training: string | undefined
  /** Dataset beside which results are saved. */
  readonly save: string | undefined
  readonly terminal: Terminal
}

export interface BenchmarksOptions extends BenchmarksInput {
  readonly json: boolean
  readonly withModel: WithModel
}

export interface CompareOptions extends BenchmarksInput {
  /** In order, with the names that the user gave them. */
  readonly models: ReadonlyMap<string, ComparedOpener>
  readonly format: keyof typeof COMPARE_FORMATS
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
  const { atLeast, json, terminal, withModel } = options
  const { columns, save } = await readBenchmarks(options)
  const named = await withModel((model) => evaluateAll(columns, options, model))
  const evaluations = named.map(([, evaluation]) => evaluation)
  const headline = headlineOf(evaluations)
  const average = { set: HEADLINE, sets: HEADLINE_SETS, task: 'classification', result: { top1: headline } }
  const list = headline === null ? evaluations : [...evaluations, average]
  await writeAll(process.stdout, json ? `${JSON.stringify(list)}\n` : summaryText(named, headline))
  await save?.(evaluations)
  return exitCodeFor(atLeast, (name) => figureNamed(named, headline, name), terminal)
}

/**
 * Measures several models on the same sets, and prints their figures side by side with the original's.
 *
 * @returns the exit code
 * @throws InputError that names a file and a line
 */
export async function runCompare(options: CompareOptions): Promise<number> {
  const { atLeast, format, terminal, models } = options
  const { columns, save } = await readBenchmarks(options)
  const compared: ComparedModel[] = []
  let code = 0
  // A wrong name shows before the first model is measured, which may take hours.
  for (const { check } of [...models.values()].slice(1)) await check()
  for (const [label, { withModel }] of models) {
    terminal.note(label)
    const evaluations = await withModel((model) => evaluateAll(columns, options, model))
    const average = headlineOf(evaluations.map(([, evaluation]) => evaluation))
    compared.push({ model: label, average, evaluations })
  }
  await writeAll(process.stdout, COMPARE_FORMATS[format](compared))
  await save?.(compared.flatMap(({ evaluations }) => evaluations.map(([, evaluation]) => evaluation)))
  for (const { model, average, evaluations } of compared) {
    const figure = (name: string) => figureNamed(evaluations, average, name)
    code = Math.max(code, exitCodeFor(atLeast, figure, terminal, `${model}: `))
  }
  return code
}

/** All that can be checked before a model is opened. */
async function readBenchmarks(options: BenchmarksInput) {
  const sets = chooseFound(await findSets(options.benchmarks), options.set)
  checkLeast(options.atLeast, figuresOf(sets))
  const save = options.save === undefined ? null : await openSaving(options.save, options.terminal)
  const columns = await readAll(sets, options)
  // Columns of a set share its images.
  const firsts = columns.filter(({ found }, i) => found !== columns[i - 1]?.found).map(({ ready }) => ready.set)
  if (options.training !== undefined) await refuseOverlap(firsts, options.training, options.terminal)
  return { columns, save }
}

type Named = readonly [name: string, Evaluation]

async function evaluateAll(
  columns: readonly ReadyColumn[],
  { bootstrap }: BenchmarksInput,
  model: OpenModel,
): Promise<Named[]> {
  const done: Named[] = []
  for (const [i, each] of columns.entries()) {
    done.push([nameOf(each.found, each.column.column), await evaluateSet(each, bootstrap, model)])
    // Columns of a set share its images.
    if (each.found !== columns[i + 1]?.found) await model.store.flush()
  }
  return done
}

/** `SkyScript_cls.top1`, `roof_shape.label_v1.top1`, `RSICD.image_to_text.R@1`, `average.top1`. */
function figuresOf(sets: readonly FoundSet[]): string[] {
  const figures = sets.flatMap((set) =>
    set.columns.flatMap(({ column, task }) => FIGURES[task].map((figure) => `${nameOf(set, column)}.${figure}`)),
  )
  const isWhole = HEADLINE_SETS.every((name) => sets.some((set) => set.name === name))
  return isWhole ? [...figures, `${HEADLINE}.top1`] : figures
}

function figureNamed(named: readonly Named[], headline: number | null, name: string): number {
  if (name === `${HEADLINE}.top1` && headline !== null) return headline
  // Names of folders may have dots.
  const isOf = ([set, { task }]: Named) => FIGURES[task].some((figure) => name === `${set}.${figure}`)
  const [set, { result }] = named.find(isOf)!
  return figureIn(result, name.slice(set.length + 1))
}
