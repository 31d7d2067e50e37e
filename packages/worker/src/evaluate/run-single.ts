import { accuracyText, detectionText, NEAREST, percent, retrievalText } from '@skyscript/benchmark'
import { formatCounted, type Terminal } from '@skyscript/core'
import type { LeastValue } from '../command.ts'
import { writeAll } from '../terminal/json-lines.ts'
import { checkLeast, exitCodeFor, FIGURES, figureIn } from './figures.ts'
import {
  measureClasses,
  measureDetection,
  measureProbe,
  measureRetrieval,
  type OpenModel,
  type Outcome,
  type QueryRow,
} from './measure.ts'
import { promptsNamed } from './prompts.ts'
import { type CsvFile, readBinary, readCaptioned, readClassified } from './sets.ts'
import { refuseOverlap } from './training.ts'
import { checkDistinctOutputs, checkOutput, confusionRows, writeCsv } from './write-csv.ts'

export interface SingleOptions {
  readonly classify: string | undefined
  readonly classes: string | undefined
  readonly labelColumn: string
  readonly binaryColumn: string | undefined
  readonly prompts: string
  readonly retrieve: string | undefined
  /** Fits logistic regression on the embeddings of `trainCsv`, at most `shots` of each class. */
  readonly probe: boolean
  readonly trainCsv: string | undefined
  readonly shots: number
  readonly captionColumn: string
  readonly captionPrefix: string
  readonly root: string | undefined
  readonly skipMissing: boolean
  readonly allowTraining: boolean
  /** Dataset whose training images must not be among those measured on. */
  readonly training: string | undefined
  readonly bootstrap: number | undefined
  readonly confusion: string | undefined
  /** CSV to write with the rank of each query's first right answer. */
  readonly perQuery: string | undefined
  readonly atLeast: readonly LeastValue[]
  readonly json: boolean
  readonly terminal: Terminal
  /** Called once the files have been checked. */
  readonly withModel: <T>(use: (model: OpenModel) => Promise<T>) => Promise<T>
}

/** A result, and how people read it. */
type Shown = Pick<Outcome<object>, 'result' | 'skipped'> & { readonly text: string }

/**
 * Measures a model on one CSV, and prints the result.
 *
 * @returns the exit code
 * @throws InputError that names a file and a line
 */
export async function runSingle(options: SingleOptions): Promise<number> {
  const { classify, retrieve, binaryColumn, root, skipMissing, allowTraining, json, atLeast, terminal } = options
  const kind = options.probe
    ? 'probe'
    : retrieve !== undefined
      ? 'retrieval'
      : binaryColumn !== undefined
        ? 'detection'
        : 'classification'
  checkLeast(atLeast, FIGURES[kind === 'probe' ? 'classification' : kind])
  const { confusion, perQuery, classes, trainCsv, prompts } = options
  const inputs = [classify, retrieve, classes, trainCsv, prompts]
  checkDistinctOutputs({ '--confusion': confusion, '--per-query': perQuery }, inputs)
  const trainingPairs = allowTraining ? 'allow' : 'warn'
  const file: CsvFile = { csv: (classify ?? retrieve)!, root, skipMissing, trainingPairs, terminal }
  const { result, skipped, text } = await MEASURES[kind](file, options)
  const printed = json ? `${JSON.stringify(skipMissing ? { ...result, skipped } : result)}\n` : text
  await writeAll(process.stdout, printed)
  return exitCodeFor(atLeast, (name) => figureIn(result, name), terminal)
}

const MEASURES: Readonly<
  Record<keyof typeof FIGURES | 'probe', (file: CsvFile, options: SingleOptions) => Promise<Shown>>
> = {
  async classification(file, options) {
    const { classes, labelColumn, prompts, bootstrap, confusion, perQuery, training, withModel } = options
    const queries = await openQueries(perQuery)
    if (confusion !== undefined) await checkOutput('--confusion', confusion)
    const templates = await promptsNamed(prompts)
    const set = await readClassified(file, { classList: classes!, labelColumn })
    if (training !== undefined) await refuseOverlap([set], training, file.terminal)
    const outcome = await withModel((model) => measureClasses(set, { prompts: templates, bootstrap, queries }, model))
    if (confusion !== undefined) await writeCsv('--confusion', confusion, confusionRows(set.classes, outcome.confusion))
    await writeQueries(perQuery, queries)
    return { ...outcome, text: accuracyText(outcome.result) }
  },
  async probe(file, { classes, labelColumn, trainCsv, shots, bootstrap, confusion, training, withModel }) {
    if (confusion !== undefined) await checkOutput('--confusion', confusion)
    const columns = { classList: classes!, labelColumn }
    const set = await readClassified(file, columns)
    const examples = await readClassified({ ...file, csv: trainCsv!, trainingPairs: 'allow' }, columns)
    if (training !== undefined) await refuseOverlap([set], training, file.terminal)
    const outcome = await withModel((model) => measureProbe(set, examples, { shots, bootstrap }, model))
    if (confusion !== undefined) await writeCsv('--confusion', confusion, confusionRows(set.classes, outcome.confusion))
    const { images, C, validation } = outcome.result.probe
    const how = `linear probe of ${formatCounted(images, 'training image')}, C = ${C} by ${percent(validation)} of those held out`
    return { ...outcome, text: `${how}\n${accuracyText(outcome.result)}` }
  },
  async detection(file, { classes, binaryColumn, prompts, training, withModel }) {
    const templates = await promptsNamed(prompts)
    const set = await readBinary(file, { classList: classes!, binaryColumn: binaryColumn! })
    if (training !== undefined) await refuseOverlap([set], training, file.terminal)
    const outcome = await withModel((model) => measureDetection(set, { prompts: templates }, model))
    return { ...outcome, text: detectionText(outcome.result) }
  },
  async retrieval(file, { captionColumn, captionPrefix, bootstrap, perQuery, training, withModel }) {
    const queries = await openQueries(perQuery)
    const set = await readCaptioned(file, { captionColumn, captionPrefix })
    if (training !== undefined) await refuseOverlap([set], training, file.terminal)
    const outcome = await withModel((model) => measureRetrieval(set, { bootstrap, queries }, model))
    await writeQueries(perQuery, queries)
    return { ...outcome, text: retrievalText(outcome.result) }
  },
}

/** Where rows of queries are collected, if they are to be written. */
async function openQueries(perQuery: string | undefined): Promise<QueryRow[] | undefined> {
  if (perQuery === undefined) return undefined
  await checkOutput('--per-query', perQuery)
  return []
}

async function writeQueries(perQuery: string | undefined, queries: readonly QueryRow[] | undefined): Promise<void> {
  if (perQuery === undefined || queries === undefined) return
  const best = Array.from({ length: NEAREST }, (_, i) => `best${i + 1}`)
  const header = ['kind', 'query', 'label', 'rank', 'tied', ...best]
  const padded = queries.map((row) => header.map((_, i) => row[i] ?? ''))
  await writeCsv('--per-query', perQuery, [header, ...padded])
}
