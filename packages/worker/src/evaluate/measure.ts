import {
  type Accuracy,
  Classification,
  classVectors,
  cosine,
  type Detection,
  detect,
  fitProbe,
  type ImageRow,
  type LabelledRow,
  type Probe,
  type Prompts,
  type QueryResult,
  type QueryResults,
  type Retrieval,
  retrieve,
  type Shot,
  type TextEncoder,
  withOne,
} from '@skyscript/benchmark'
import { formatCounted, InputError, type Terminal } from '@skyscript/core'
import { type ContentRow, contentHash } from '@skyscript/dataset/benchmarks'
import type { DualEncoder } from '@skyscript/filter'
import pMap from 'p-map'
import { type EmbeddedRows, embedRows } from './embed-images.ts'
import type { EmbeddingStore } from './embedding-cache.ts'
import {
  type BinarySet,
  type CaptionedSet,
  type ClassifiedSet,
  checkShown,
  type MeasuredSet,
  nothingToMeasure,
} from './sets.ts'

/** An opened model, with what is known of its embeddings. */
export interface OpenModel {
  readonly encoder: DualEncoder
  readonly store: EmbeddingStore
  readonly terminal: Terminal
}

/** Accuracy of a probe, and how it was fitted. */
export interface ProbeAccuracy extends Accuracy {
  readonly probe: Omit<Probe, 'vectors'> & { readonly shots: number }
}

/** A result, and what it was measured on. */
export interface Outcome<R> {
  readonly result: R
  /** Rows that were left out by reason. */
  readonly skipped: Readonly<Record<string, number>>
  /** A hash of the images and their labels or captions, whatever the layout and order of the files. */
  readonly content: string
  /** Texts that are longer than the model reads. */
  readonly textsCut: number
}

/** A query of --per-query: its kind, the query, its label, the rank of the first right answer, ties, and the best answers. */
export type QueryRow = readonly (string | number)[]

/**
 * @param options.bootstrap how often images are resampled for intervals
 * @param options.queries gets a row for each image
 */
export function measureClasses(
  set: ClassifiedSet,
  {
    prompts,
    bootstrap,
    queries,
  }: { readonly prompts: Prompts; readonly bootstrap: number | undefined; readonly queries?: QueryRow[] | undefined },
  model: OpenModel,
): Promise<Outcome<Accuracy> & { readonly confusion: readonly (readonly number[])[] }> {
  const { classes } = set
  return measured(
    set,
    model,
    ({ label }) => classes[label]!,
    async (texts, embed) => {
      const counting = new Classification(classes, await classVectors(classes, prompts, texts))
      for await (const { rows, embedding } of embed())
        for (const { path, label } of rows) {
          const { rank, tied } = counting.add(embedding, label)
          const best = () => counting.nearest(embedding).map((i) => classes[i]!)
          queries?.push(['image', path, classes[label]!, rank, tied, ...best()])
        }
      const accuracy = counting.accuracy()
      if (accuracy.n === 0) return null
      const intervals = bootstrap === undefined ? {} : { intervals: await counting.intervals(bootstrap) }
      return { result: { ...accuracy, ...intervals }, confusion: counting.confusion }
    },
  )
}

/**
 * Accuracy of logistic regression on embeddings: a linear probe.
 *
 * @param training images to learn from, with the same classes
 * @param options.shots most images of each class
 * @throws InputError `overlap` if an image is in both, `too-few-shots`
 */
export async function measureProbe(
  set: ClassifiedSet,
  training: ClassifiedSet,
  { shots, bootstrap }: { readonly shots: number; readonly bootstrap: number | undefined },
  model: OpenModel,
): Promise<Outcome<ProbeAccuracy> & { readonly confusion: readonly (readonly number[])[] }> {
  const { classes } = set
  const labelOf = ({ label }: LabelledRow) => classes[label]!
  const { images } = await measured(training, model, labelOf, async (_, embed) => {
    const read = new Map<string, Shot>()
    // Once, so that no image is both learnt from and held out.
    for await (const { rows, embedding, sha256 } of embed())
      if (!read.has(sha256)) read.set(sha256, { id: sha256, vector: embedding, label: rows[0]!.label })
    return read.size === 0 ? null : { images: [...read.values()] }
  })
  const learnt = new Set(images.map(({ id }) => id))
  const { vectors, ...facts } = await fitProbe(images, classes, shots)
  return measured(set, model, labelOf, async (_, embed) => {
    const counting = new Classification(classes, vectors)
    for await (const { rows, embedding, sha256 } of embed()) {
      if (learnt.has(sha256))
        throw new InputError(
          'overlap',
          `${rows[0]!.path} of ${set.name} is also in ${training.name}; leave it out of one.`,
        )
      for (const { label } of rows) counting.add(withOne(embedding), label)
    }
    const accuracy = counting.accuracy()
    if (accuracy.n === 0) return null
    const intervals = bootstrap === undefined ? {} : { intervals: await counting.intervals(bootstrap) }
    return { result: { ...accuracy, ...intervals, probe: { shots, ...facts } }, confusion: counting.confusion }
  })
}

/** As the original's binary mode. */
export function measureDetection(
  set: BinarySet,
  { prompts }: { readonly prompts: Prompts },
  model: OpenModel,
): Promise<Outcome<Detection>> {
  return measured(
    set,
    model,
    ({ shown }) => (shown ? '1' : '0'),
    async (texts, embed) => {
      const [vector] = await classVectors([set.className], prompts, texts)
      const [cosines, labels]: [number[], { shown: boolean }[]] = [[], []]
      for await (const { rows, embedding } of embed()) {
        const similarity = cosine(embedding, vector!)
        for (const row of rows) {
          cosines.push(similarity)
          labels.push(row)
        }
      }
      checkShown(labels, set)
      const shown = labels.map((row) => row.shown)
      return cosines.length === 0 ? null : { result: detect(cosines, shown) }
    },
  )
}

/**
 * @param options.bootstrap how often queries are resampled for intervals
 * @param options.queries gets a row for each image and each text
 */
export function measureRetrieval(
  set: CaptionedSet,
  { bootstrap, queries }: { readonly bootstrap: number | undefined; readonly queries?: QueryRow[] | undefined },
  model: OpenModel,
): Promise<Outcome<Retrieval>> {
  const { terminal } = model
  return measured(
    set,
    model,
    ({ caption }) => caption,
    async (texts, embed) => {
      const imageCount = new Set(set.rows.map(({ path }) => path)).size
      const indexes = new Map<string, number>()
      const pairs: [image: number, text: number][] = []
      const paths: string[] = []
      let imageData = new Float32Array()
      let [n, length] = [0, 0]
      for await (const { rows, embedding } of embed()) {
        length = embedding.length
        if (n === 0) imageData = new Float32Array(imageCount * length)
        imageData.set(embedding, n * length)
        for (const { caption } of rows) {
          if (!indexes.has(caption)) indexes.set(caption, indexes.size)
          pairs.push([n, indexes.get(caption)!])
        }
        paths.push(rows[0]!.path)
        n++
      }
      if (n === 0) return null
      const textData = await embedTexts([...indexes.keys()], texts, length, terminal)
      const progress = terminal.stage('rank', 'images')
      const vectors = { data: imageData.subarray(0, n * length), length }
      const result = await retrieve(vectors, { data: textData, length }, pairs, {
        ...{ progress, bootstrap },
        onQueries:
          queries &&
          ((results) => {
            // One by one: hundreds of thousands are too many arguments for one call.
            for (const row of queryRows(results, paths, [...indexes.keys()])) queries.push(row)
          }),
      })
      progress.end(null)
      return { result }
    },
  )
}

function queryRows(results: QueryResults, paths: readonly string[], texts: readonly string[]): QueryRow[] {
  const rowOf =
    (kind: string, queries: readonly string[], candidates: readonly string[]) =>
    ({ rank, tied, nearest }: QueryResult, i: number) => [
      ...[kind, queries[i]!, '', rank, tied],
      ...nearest.map((candidate) => candidates[candidate]!),
    ]
  return [
    ...results.image_to_text.map(rowOf('image', paths, texts)),
    ...results.text_to_image.map(rowOf('text', texts, paths)),
  ]
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

/**
 * Says how many texts are longer than the model reads, and which rows were left out.
 *
 * @param contentOf what a row says of its image
 * @param measure returns null if no image could be read
 */
async function measured<R extends ImageRow, M>(
  set: MeasuredSet<R>,
  { encoder, store, terminal }: OpenModel,
  contentOf: (row: R) => string,
  measure: (texts: TextEncoder, embed: () => AsyncGenerator<EmbeddedRows<R>>) => Promise<M | null>,
): Promise<M & Omit<Outcome<unknown>, 'result'>> {
  // Another model may read other images of the same set.
  const faults = set.faults.copy()
  let cut = 0
  const texts: TextEncoder = {
    textsAtOnce: encoder.textsAtOnce,
    async embedText(text) {
      if (await encoder.isCut(text)) cut++
      return encoder.embedText(text)
    },
  }
  const seen: ContentRow[] = []
  async function* embed() {
    for await (const image of embedRows(set.rows, { encoder, images: set.images, store, faults, terminal })) {
      for (const row of image.rows) seen.push({ sha256: image.sha256, value: contentOf(row) })
      yield image
    }
  }
  const found = await measure(texts, embed)
  if (found === null) throw nothingToMeasure({ ...set, faults })
  if (cut > 0) terminal.note(`${formatCounted(cut, 'text')} longer than the model reads: only the beginning counts`)
  const { skipped } = faults
  for (const [code, count] of Object.entries(skipped))
    terminal.warn(`${formatCounted(count, 'row')} of ${set.name} left out (${code})`)
  return { ...found, skipped, content: contentHash(seen), textsCut: cut }
}
