import { createReadStream } from 'node:fs'
import { rename, stat, writeFile } from 'node:fs/promises'
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
} from '@skyscript/benchmark'
import { formatCounted, InputError, type Terminal } from '@skyscript/core'
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
  /** Opens the model, after everything that can be wrong with the files was looked at. */
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
  if (confusion !== undefined) await checkFolderOf(confusion)
  const templates = await promptsNamed(prompts)
  const classes = parseClassList(await readTextFile(classList, '--classes'), classList)
  checkEnoughClasses(classes, classList)
  const { csv, terminal } = evaluated
  const faults = new RowFaults(csv, { skip: evaluated.skipMissing })
  const read = await readLabelledRows(await openCsv(csv), { column: labelColumn, classes, faults })
  if (read.withoutLabel > 0) terminal.note(`${formatCounted(read.withoutLabel, 'row')} without a label left out`)
  return withEncoder(evaluated, read.rows, faults, async (rows, encoder, embed) => {
    const counting = new Classification(classes, await classVectors(classes, templates, encoder))
    for await (const { row, embedding } of embed(rows)) counting.add(embedding, row.label)
    const accuracy = counting.accuracy(bootstrap)
    if (confusion !== undefined && accuracy.n > 0) await writeConfusion(confusion, classes, counting.confusion)
    return { n: accuracy.n, result: () => accuracy }
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
    throw new InputError('bad-classes', `${classList} has ${classes.length} classes, but --binary-column needs one.`)
  const faults = new RowFaults(evaluated.csv, { skip: evaluated.skipMissing })
  const read = await readBinaryRows(await openCsv(evaluated.csv), { column: binaryColumn, faults })
  return withEncoder(evaluated, read, faults, async (rows, encoder, embed) => {
    const [vector] = await classVectors(classes, templates, encoder)
    const [cosines, shown]: [number[], boolean[]] = [[], []]
    for await (const { row, embedding } of embed(rows)) {
      cosines.push(cosine(embedding, vector!))
      shown.push(row.shown)
    }
    return { n: cosines.length, result: () => detect(cosines, shown) }
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
  return withEncoder(evaluated, read, faults, async (rows, encoder, embed) => {
    const firstRows = [...new Map(rows.toReversed().map((row) => [row.path, row])).values()].reverse()
    const images = new Map<string, number>()
    let imageData = new Float32Array()
    let length = 0
    for await (const { row, embedding } of embed(firstRows)) {
      length = embedding.length
      if (images.size === 0) imageData = new Float32Array(firstRows.length * length)
      imageData.set(embedding, images.size * length)
      images.set(row.path, images.size)
    }
    const found = rows.filter(({ path }) => images.has(path))
    const texts = [...new Set(found.map(({ caption }) => caption))]
    const textData = await embedTexts(texts, encoder, length, evaluated.terminal)
    const indexes = new Map(texts.map((text, i) => [text, i]))
    const pairs = found.map(({ path, caption }) => [images.get(path)!, indexes.get(caption)!] as const)
    const progress = evaluated.terminal.stage('rank', 'images')
    const vectors = { data: imageData.subarray(0, images.size * length), length }
    const result =
      images.size === 0 ? null : await retrieve(vectors, { data: textData, length }, pairs, { progress, bootstrap })
    progress.end(null)
    return { n: images.size, result: () => result! }
  })
}

async function checkFolderOf(file: string): Promise<void> {
  const found = await stat(dirname(file)).catch(() => null)
  if (!found?.isDirectory()) throw new InputError('missing-file', `--confusion ${file}: there is no such folder.`)
}

/** A row for each class with the images that were taken for each class. */
async function writeConfusion(file: string, classes: readonly string[], confusion: readonly (readonly number[])[]) {
  const rows = [['class', ...classes], ...confusion.map((row, i) => [classes[i]!, ...row])]
  const partial = `${file}.partial`
  await writeFile(partial, stringify(rows, { record_delimiter: '\n' }))
  await rename(partial, file)
}

async function embedTexts(texts: readonly string[], encoder: DualEncoder, length: number, terminal: Terminal) {
  const data = new Float32Array(texts.length * length)
  const progress = terminal.stage('texts', 'texts')
  let [done, cut] = [0, 0]
  const embed = async (text: string, i: number) => {
    if (await encoder.isCut(text)) cut++
    const embedding = await encoder.embedText(text)
    if (!embedding.every(Number.isFinite))
      throw new InputError('bad-model', `The model gives no embedding for the text "${text}"; use another model.`)
    data.set(embedding, i * length)
    progress.update(++done, texts.length)
  }
  try {
    await pMap(texts, embed, { concurrency: encoder.textsAtOnce })
  } finally {
    progress.end(formatCounted(done, 'text'))
  }
  if (cut > 0) terminal.note(`${formatCounted(cut, 'text')} longer than the model reads: only the beginning counts`)
  return data
}

type Embed = <R extends ImageRow>(rows: readonly R[]) => ReturnType<typeof embedRows<R>>

/** Finds the images of rows, opens the model, and closes it after `measure`. */
async function withEncoder<T extends ImageRow, R>(
  { csv, root = dirname(csv), openEncoder, terminal }: Evaluated,
  given: readonly T[],
  faults: RowFaults,
  measure: (
    rows: readonly T[],
    encoder: DualEncoder,
    embed: Embed,
  ) => Promise<{ readonly n: number; readonly result: () => R }>,
): Promise<Outcome<R>> {
  const rows = await rowsWithFiles(given, root, faults)
  const nothing = () => new InputError('no-rows', `${csv} has no row that can be evaluated.`)
  if (rows.length === 0) throw nothing()
  const encoder = await openEncoder()
  try {
    const { n, result } = await measure(rows, encoder, (some) => embedRows(some, { encoder, root, faults, terminal }))
    if (n === 0) throw nothing()
    const { skipped } = faults
    for (const [code, count] of Object.entries(skipped))
      terminal.warn(`${formatCounted(count, 'row')} of ${csv} left out (${code})`)
    return { result: result(), skipped }
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
