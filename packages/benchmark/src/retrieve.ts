import type { Progress } from '@skyscript/core'
import { openProducts } from './block-products.ts'
import { bootstrapIntervals, type Interval } from './bootstrap.ts'
import { hitProbability, sumOf } from './expected-hits.ts'
import { Nearest } from './nearest.ts'
import { cosine } from './vectors.ts'

/** The ranks of the original's table. */
export const RANKS = [1, 5, 10, 100] as const

/** A figure for each k of `RANKS`. */
export type ByRank<T> = Readonly<Record<`R@${(typeof RANKS)[number]}`, T>>
/** Share of queries with at least one of their answers among the best k. */
export type Recalls = ByRank<number>

export interface Retrieval {
  /** Different images and different texts: all of them are candidates of every query. */
  readonly images: number
  readonly texts: number
  readonly image_to_text: Recalls
  readonly text_to_image: Recalls
  /** 95 % intervals, if requested. */
  readonly intervals?: { readonly image_to_text: ByRank<Interval>; readonly text_to_image: ByRank<Interval> }
}

/** How one query went. */
export interface QueryResult {
  /** Of its best answer, from 1: the candidates that are more similar, and 1. */
  readonly rank: number
  /** Candidates that are as similar as the best answer but no answers. */
  readonly tied: number
  /** Indexes of the most similar candidates, the best first. */
  readonly nearest: readonly number[]
}

/** Results of all queries. */
export interface QueryResults {
  readonly image_to_text: readonly QueryResult[]
  readonly text_to_image: readonly QueryResult[]
}

/** Unit vectors one after the other. */
export interface Vectors {
  readonly data: Float32Array
  /** Numbers in a vector. */
  readonly length: number
}

/** Rows of a block: 16 MB of products. */
const IMAGES = 1024
const TEXTS = 4096

/**
 * Finds texts by images and images by texts. Each image and each text must be in a pair.
 *
 * Only the rank of the best answer counts, and its cosine is computed first, so one pass over all products is enough for both
 * directions. Products of blocks are fast, but their rounding depends on a vector's place in the block. One that is too close
 * to the best answer's cosine is computed again in double precision, so that equal vectors have equal cosines.
 *
 * @param pairs index of an image and of a text that belong together; may repeat
 * @param options.onQueries gets the results of all queries
 * @param options.bootstrap how often queries are resampled for intervals; no intervals if undefined
 */
export async function retrieve(
  images: Vectors,
  texts: Vectors,
  pairs: readonly (readonly [image: number, text: number])[],
  {
    progress,
    bootstrap,
    onQueries,
  }: {
    readonly progress?: Progress
    readonly bootstrap?: number | undefined
    readonly onQueries?: ((results: QueryResults) => void) | undefined
  } = {},
): Promise<Retrieval> {
  const { length } = images
  const [nImages, nTexts] = [images.data.length / length, texts.data.length / length]
  const cosineOf = (image: number, text: number) =>
    cosine(images.data, texts.data, image * length, text * length, length)
  // Bound of the rounding of a product of unit vectors in single precision, twice.
  const blur = (length + 2) * 2 ** -23
  const ofImages = new Queries(nImages, blur)
  const ofTexts = new Queries(nTexts, blur)
  const seen = new Set<number>()
  for (const [image, text] of pairs) {
    const key = image * nTexts + text
    if (seen.has(key)) continue
    seen.add(key)
    const similarity = cosineOf(image, text)
    ofImages.answer(image, similarity)
    ofTexts.answer(text, similarity)
  }
  const nearest = onQueries && { ofImages: new Nearest(nImages), ofTexts: new Nearest(nTexts) }
  const { multiply, close } = await openProducts(length)
  try {
    for (let image = 0; image < nImages; image += IMAGES) {
      const a = images.data.subarray(image * length, (image + IMAGES) * length)
      const rows = a.length / length
      for (let text = 0; text < nTexts; text += TEXTS) {
        const b = texts.data.subarray(text * length, (text + TEXTS) * length)
        const products = await multiply(a, b)
        countBlock(products, { rows, image, text, ofImages, ofTexts, cosineOf })
        if (nearest) offerBlock(products, { rows, image, text }, nearest)
      }
      progress?.update(image + rows, nImages)
    }
  } finally {
    await close()
  }
  if (nearest)
    onQueries({ image_to_text: ofImages.results(nearest.ofImages), text_to_image: ofTexts.results(nearest.ofTexts) })
  const hits = { image_to_text: ofImages.hits, text_to_image: ofTexts.hits }
  const recalls = {
    image_to_text: byRank(hits.image_to_text.map(meanOf)),
    text_to_image: byRank(hits.text_to_image.map(meanOf)),
  }
  const retrieval = { images: nImages, texts: nTexts, ...recalls }
  if (bootstrap === undefined) return retrieval
  const intervals = {
    image_to_text: byRank(await bootstrapIntervals(hits.image_to_text, bootstrap)),
    text_to_image: byRank(await bootstrapIntervals(hits.text_to_image, bootstrap)),
  }
  return { ...retrieval, intervals }
}

interface Block {
  readonly rows: number
  /** The first image and text of the block. */
  readonly image: number
  readonly text: number
  readonly ofImages: Queries
  readonly ofTexts: Queries
  readonly cosineOf: (image: number, text: number) => number
}

function countBlock(products: Float32Array, { rows, image, text, ofImages, ofTexts, cosineOf }: Block): void {
  const columns = products.length / rows
  const { low: textLow } = ofTexts
  for (let row = 0; row < rows; row++) {
    const query = image + row
    const imageLow = ofImages.low[query]!
    const from = row * columns
    for (let column = 0; column < columns; column++) {
      const product = products[from + column]!
      const other = text + column
      if (product < imageLow && product < textLow[other]!) continue
      let exact: number | undefined
      if (product >= imageLow) {
        if (product > ofImages.high[query]!) ofImages.above[query]!++
        else ofImages.count(query, (exact ??= cosineOf(query, other)))
      }
      if (product >= textLow[other]!) {
        if (product > ofTexts.high[other]!) ofTexts.above[other]!++
        else ofTexts.count(other, exact ?? cosineOf(query, other))
      }
    }
  }
}

function offerBlock(
  products: Float32Array,
  { rows, image, text }: Pick<Block, 'rows' | 'image' | 'text'>,
  { ofImages, ofTexts }: { readonly ofImages: Nearest; readonly ofTexts: Nearest },
): void {
  const columns = products.length / rows
  for (let i = 0; i < products.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns]
    ofImages.offer(image + row, text + column, products[i]!)
    ofTexts.offer(text + column, image + row, products[i]!)
  }
}

/** The queries of one direction, and what is counted for each. */
class Queries {
  readonly #best: Float64Array
  readonly #answers: Uint32Array
  readonly #equal: Uint32Array
  readonly #blur: number
  /** Products below `low` are below the best answer, those above `high` are above it. */
  readonly low: Float64Array
  readonly high: Float64Array
  /** Candidates that are more similar than the best answer. */
  readonly above: Uint32Array

  constructor(count: number, blur: number) {
    this.#best = new Float64Array(count).fill(Number.NEGATIVE_INFINITY)
    this.#answers = new Uint32Array(count)
    this.#equal = new Uint32Array(count)
    this.#blur = blur
    this.low = new Float64Array(count)
    this.high = new Float64Array(count)
    this.above = new Uint32Array(count)
  }

  answer(query: number, similarity: number): void {
    const best = this.#best[query]!
    if (similarity > best) {
      this.#best[query] = similarity
      this.#answers[query] = 1
      this.low[query] = similarity - this.#blur
      this.high[query] = similarity + this.#blur
    } else if (similarity === best) this.#answers[query]!++
  }

  count(query: number, similarity: number): void {
    const best = this.#best[query]!
    if (similarity > best) this.above[query]!++
    else if (similarity === best) this.#equal[query]!++
  }

  results(nearest: Nearest): QueryResult[] {
    return Array.from(this.above, (above, query) => ({
      rank: above + 1,
      tied: this.#equal[query]! - this.#answers[query]!,
      nearest: nearest.of(query),
    }))
  }

  /** By rank of `RANKS`, the hits of every query. */
  get hits(): number[][] {
    return RANKS.map((k) =>
      Array.from(this.above, (above, query) =>
        hitProbability({ above, equal: this.#equal[query]!, answers: this.#answers[query]! }, k),
      ),
    )
  }
}

const meanOf = (hits: readonly number[]) => sumOf(hits) / hits.length

const byRank = <T>(figures: readonly T[]) =>
  Object.fromEntries(RANKS.map((k, i) => [`R@${k}`, figures[i]])) as unknown as ByRank<T>
