import { createReadStream } from 'node:fs'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type Accuracy,
  Classification,
  type CsvSource,
  checkEnoughClasses,
  classVectors,
  cosine,
  type Detection,
  detect,
  type ImageRow,
  PROMPTS,
  type Prompts,
  parseClassList,
  parsePrompts,
  type Retrieval,
  RowFaults,
  readBinaryRows,
  readCaptionedRows,
  readLabelledRows,
  retrieve,
  type TextEncoder,
} from '@skyscript/benchmark'
import { formatCounted, InputError, systemReason, type Terminal } from '@skyscript/core'
import type { DualEncoder } from '@skyscript/filter'
import { readTextFile } from '@skyscript/pipeline/files'
import { stringify } from 'csv-stringify/sync'
import pMap from 'p-map'
import { embedRows, rowsWithFiles } from './embed-files.ts'

/** What every evaluation takes. */
export interface Evaluated {
  readonly csv: string
  /** Folder that paths of the CSV are relative to; default: that of the CSV. */
  readonly root: string | undefined
  /** Leaves out rows that can't be used, rather than ending. */
  readonly skipMissing: boolean
  /** Opens the model; called once the files have been checked. */
  readonly openEncoder: () => Promise<DualEncoder>
  readonly terminal: Terminal
}

/** A result, and how many rows were left out by reason. */
export interface Outcome<R> {
  readonly result: R
  readonly skipped: Readonly<Record<string, number>>
}

/** @throws InputError that names a file and a line */
export async function evaluateClasses(
  evaluated: Evaluated,
  options: {
    readonly classList: string
    readonly labelColumn: string
    readonly prompts: string
    readonly bootstrap: number | undefined
    /** CSV to write with the confusion matrix. */
    readonly confusion: string | undefined
  },
): Promise<Outcome<Accuracy>> {
  const { classList, labelColumn, prompts, bootstrap, confusion } = options
  if (confusion !== undefined) await checkOutput(confusion)
  const templates = await promptsNamed(prompts)
  const classes = parseClassList(await readTextFile(classList, '--classes'), classList)
  checkEnoughClasses(classes, classList)
  const { csv, terminal } = evaluated
  const faults = new RowFaults(csv, { skip: evaluated.skipMissing })
  const read = await readLabelledRows(await openCsv(csv), { column: labelColumn, classes, faults })
  if (read.withoutLabel > 0) terminal.note(`${formatCounted(read.withoutLabel, 'row')} without a label left out`)
  return withEncoder(evaluated, read.rows, faults, async (rows, texts, embed) => {
    const counting = new Classification(classes, await classVectors(classes, templates, texts))
    for await (const image of embed(rows)) for (const { label } of image.rows) counting.add(image.embedding, label)
    const accuracy = counting.accuracy(bootstrap)
    if (accuracy.n === 0) return null
    if (confusion !== undefined) await writeConfusion(confusion, classes, counting.confusion)
    return accuracy
  })
}

/** As the original's binary mode: one class, and a column of 0 and 1. */
export async function evaluateDetection(
  evaluated: Evaluated,
  options: { readonly classList: string; readonly binaryColumn: string; readonly prompts: string },
): Promise<Outcome<Detection>> {
  const { classList, binaryColumn, prompts } = options
  const templates = await promptsNamed(prompts)
  const classes = parseClassList(await readTextFile(classList, '--classes'), classList)
  if (classes.length !== 1)
    throw new InputError(
      'bad-classes',
      `${classList} has ${classes.length} classes, but --binary-column measures one; leave only that one in the file.`,
    )
  const faults = new RowFaults(evaluated.csv, { skip: evaluated.skipMissing })
  const read = await readBinaryRows(await openCsv(evaluated.csv), { column: binaryColumn, faults })
  // Without any, the original's formulas give a perfect F1 above the highest cosine.
  const checkShown = (shown: readonly boolean[]) => {
    if (shown.length === 0 || shown.includes(true)) return
    const message = `${evaluated.csv} has no usable row with 1 in the column "${binaryColumn}"; add images that show the class.`
    throw new InputError('no-rows', message)
  }
  checkShown(read.map((row) => row.shown))
  return withEncoder(evaluated, read, faults, async (rows, texts, embed) => {
    const [vector] = await classVectors(classes, templates, texts)
    const [cosines, shown]: [number[], boolean[]] = [[], []]
    for await (const image of embed(rows)) {
      const similarity = cosine(image.embedding, vector!)
      for (const row of image.rows) {
        cosines.push(similarity)
        shown.push(row.shown)
      }
    }
    checkShown(shown)
    return cosines.length === 0 ? null : detect(cosines, shown)
  })
}

/** @throws InputError that names a file and a line */
export async function evaluateRetrieval(
  evaluated: Evaluated,
  options: {
    readonly captionColumn: string
    readonly captionPrefix: string
    readonly bootstrap: number | undefined
  },
): Promise<Outcome<Retrieval>> {
  const faults = new RowFaults(evaluated.csv, { skip: evaluated.skipMissing })
  const { captionColumn: column, captionPrefix: prefix, bootstrap } = options
  const read = await readCaptionedRows(await openCsv(evaluated.csv), { column, prefix, faults })
  return withEncoder(evaluated, read, faults, async (rows, texts, embed) => {
    const imageCount = new Set(rows.map(({ path }) => path)).size
    const indexes = new Map<string, number>()
    const pairs: [image: number, text: number][] = []
    let imageData = new Float32Array()
    let [n, length] = [0, 0]
    for await (const image of embed(rows)) {
      length = image.embedding.length
      if (n === 0) imageData = new Float32Array(imageCount * length)
      imageData.set(image.embedding, n * length)
      for (const { caption } of image.rows) {
        if (!indexes.has(caption)) indexes.set(caption, indexes.size)
        pairs.push([n, indexes.get(caption)!])
      }
      n++
    }
    if (n === 0) return null
    const textData = await embedTexts([...indexes.keys()], texts, length, evaluated.terminal)
    const progress = evaluated.terminal.stage('rank', 'images')
    const vectors = { data: imageData.subarray(0, n * length), length }
    const result = await retrieve(vectors, { data: textData, length }, pairs, { progress, bootstrap })
    progress.end(null)
    return result
  })
}

/** Finds out before the work whether a file can be written. */
async function checkOutput(file: string): Promise<void> {
  const [folder, found] = await Promise.all([dirname(file), file].map((path) => stat(path).catch(() => null)))
  if (!folder?.isDirectory())
    throw new InputError('bad-output', `--confusion ${file}: there is no such folder; create it or name another file.`)
  if (found?.isDirectory()) throw new InputError('bad-output', `--confusion ${file} is a folder; name a file.`)
}

/** A row for each class with the images that were taken for each class. */
async function writeConfusion(file: string, classes: readonly string[], confusion: readonly (readonly number[])[]) {
  const rows = [['class', ...classes], ...confusion.map((row, i) => [classes[i]!, ...row])]
  const partial = `${file}.partial`
  try {
    await writeFile(partial, stringify(rows, { record_delimiter: '\n' }))
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {})
    const message = `--confusion ${file} can't be written (${systemReason(error)}); name another file.`
    throw new InputError('bad-output', message)
  }
}

async function embedTexts(texts: readonly string[], encoder: TextEncoder, length: number, terminal: Terminal) {
  const data = new Float32Array(texts.length * length)
  const progress = terminal.stage('texts', 'texts')
  let done = 0
  const embed = async (text: string, i: number) => {
    data.set(await encoder.embedText(text), i * length)
    progress.update(++done, texts.length)
  }
  try {
    await pMap(texts, embed, { concurrency: encoder.textsAtOnce })
  } finally {
    progress.end(formatCounted(done, 'text'))
  }
  return data
}

type Embed = <R extends ImageRow>(rows: readonly R[]) => ReturnType<typeof embedRows<R>>

/**
 * Finds the images of rows, opens the model, and closes it after `measure`. Says how many texts are longer than the model
 * reads.
 *
 * @param measure returns null if no image could be read
 */
async function withEncoder<T extends ImageRow, R>(
  { csv, root = dirname(csv), openEncoder, terminal }: Evaluated,
  given: readonly T[],
  faults: RowFaults,
  measure: (rows: readonly T[], texts: TextEncoder, embed: Embed) => Promise<R | null>,
): Promise<Outcome<R>> {
  const rows = await rowsWithFiles(given, root, faults)
  const nothing = () => {
    const reasons = Object.entries(faults.skipped).map(([code, count]) => `${count} ${code}`)
    const left = reasons.length === 0 ? '' : ` (left out: ${reasons.join(', ')})`
    return new InputError('no-rows', `${csv} has no row that can be evaluated${left}.`)
  }
  if (rows.length === 0) throw nothing()
  const encoder = await openEncoder()
  let cut = 0
  const texts: TextEncoder = {
    textsAtOnce: encoder.textsAtOnce,
    async embedText(text) {
      if (await encoder.isCut(text)) cut++
      return encoder.embedText(text)
    },
  }
  try {
    const result = await measure(rows, texts, (some) => embedRows(some, { encoder, root, faults, terminal }))
    if (result === null) throw nothing()
    if (cut > 0) terminal.note(`${formatCounted(cut, 'text')} longer than the model reads: only the beginning counts`)
    const { skipped } = faults
    for (const [code, count] of Object.entries(skipped))
      terminal.warn(`${formatCounted(count, 'row')} of ${csv} left out (${code})`)
    return { result, skipped }
  } finally {
    await encoder.close()
  }
}

async function promptsNamed(name: string): Promise<Prompts> {
  const known = Object.hasOwn(PROMPTS, name) ? PROMPTS[name] : undefined
  if (known !== undefined) return known
  const found = await stat(name).catch(() => null)
  if (found?.isFile()) return parsePrompts(await readTextFile(name, '--prompts'), name)
  const names = Object.keys(PROMPTS).join(', ')
  throw new InputError('usage', `--prompts ${name}: use ${names}, or a file with a prompt on each line.`)
}

async function openCsv(csv: string): Promise<CsvSource> {
  const found = await stat(csv).catch(() => null)
  if (!found?.isFile()) throw new InputError('missing-file', `${csv}: there is no such file.`)
  return { name: csv, chunks: createReadStream(csv) }
}
