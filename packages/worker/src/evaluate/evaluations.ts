import type { Accuracy, Retrieval } from '@skyscript/benchmark'
import { formatCounted, InputError } from '@skyscript/core'
import type { FoundColumn, FoundSet, ReadySet, SourceDataset } from './found-set.ts'
import { measureClasses, measureRetrieval, type OpenModel } from './measure.ts'
import { HEADLINE_SETS } from './original-sets.ts'

/** A result with what it was measured on, as `evaluations.json` has it. */
export interface Evaluation {
  readonly set: string
  /** Hub id, or name of the model's folder. */
  readonly model: string
  /** Of all that decides an embedding: the model's files, the preprocessing, the engine. */
  readonly fingerprint: string
  readonly column: string
  readonly task: 'classification' | 'retrieval'
  /** See `FoundSet`. */
  readonly split: string
  readonly result: Accuracy | Retrieval
  /** Rows that were left out by reason. */
  readonly skipped: Readonly<Record<string, number>>
  /** A hash of the images and their labels or captions. */
  readonly content: string
  /** Texts that are longer than the model reads: only their beginning counts. */
  readonly textsCut: number
  /** Fingerprint of the dataset that the set belongs to, and the time of its map. */
  readonly dataset: string | null
  readonly map: string | null
}

/** A set's column, ready to be measured. */
export interface ReadyColumn {
  readonly found: FoundSet
  readonly column: FoundColumn
  readonly ready: ReadySet
}

/**
 * The sets of these names, or all.
 *
 * @throws InputError `unknown-set` that lists the sets there are
 */
export function chooseFound(sets: readonly FoundSet[], names: readonly string[]): readonly FoundSet[] {
  for (const name of names)
    if (!sets.some((set) => set.name === name)) {
      const all = sets.map((set) => set.name).join(', ')
      throw new InputError('unknown-set', `--set ${name}: there is no such set; found: ${all}.`)
    }
  return names.length === 0 ? sets : sets.filter(({ name }) => names.includes(name))
}

/** Reads and checks all columns of sets, before a model is opened. */
export async function readAll(
  sets: readonly FoundSet[],
  options: Parameters<FoundColumn['read']>[0],
): Promise<ReadyColumn[]> {
  const ready: ReadyColumn[] = []
  for (const found of sets)
    for (const column of found.columns) ready.push({ found, column, ready: await column.read(options) })
  return ready
}

export async function evaluateSet(
  { found, column, ready }: ReadyColumn,
  bootstrap: number | undefined,
  model: OpenModel,
): Promise<Evaluation> {
  const { name, split, dataset } = found
  model.terminal.note(`${nameOf(found, column.column)}: ${formatCounted(ready.set.rows.length, 'row')}`)
  const outcome =
    ready.task === 'classification'
      ? await measureClasses(ready.set, { prompts: ready.prompts, bootstrap }, model)
      : await measureRetrieval(ready.set, { bootstrap }, model)
  const { result, skipped, content, textsCut } = outcome
  return {
    ...{ set: name, model: model.encoder.model.id, fingerprint: model.encoder.fingerprint },
    ...{ column: column.column, task: ready.task, split, result, skipped, content, textsCut, ...originOf(dataset) },
  }
}

const originOf = (dataset: SourceDataset | null) => ({
  dataset: dataset?.fingerprint ?? null,
  map: dataset?.map ?? null,
})

/** `roof_shape.label_v1`; without the column where a set has only one. */
export const nameOf = ({ name, columns }: FoundSet, column: string): string =>
  columns.length > 1 ? `${name}.${column}` : name

/** The original's headline figure: the mean top-1 accuracy over seven sets; null if one of them is missing. */
export function headlineOf(evaluations: readonly Evaluation[]): number | null {
  const figures = HEADLINE_SETS.map((name) => evaluations.find(({ set }) => set === name)?.result)
  let sum = 0
  for (const figure of figures) {
    if (figure === undefined || !('top1' in figure)) return null
    sum += figure.top1
  }
  return sum / figures.length
}
