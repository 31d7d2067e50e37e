import pMap from 'p-map'
import { bootstrapIntervals, type Interval } from './bootstrap.ts'
import { ExpectedHits, hitProbability, sumOf } from './expected-hits.ts'
import { NEAREST } from './nearest.ts'
import { fillPrompts, type Prompts } from './prompts.ts'
import type { QueryResult } from './retrieve.ts'
import { cosinesWith, meanDirection } from './vectors.ts'

/** Embeds texts as unit vectors. */
export interface TextEncoder {
  /** Best number of concurrent calls. */
  readonly textsAtOnce: number
  embedText(text: string): Promise<Float32Array>
}

/** A unit vector for each class: the mean direction of its prompts' embeddings. */
export async function classVectors(
  classes: readonly string[],
  prompts: Prompts,
  { embedText, textsAtOnce }: TextEncoder,
): Promise<Float32Array[]> {
  const embedPrompts = async (name: string) => {
    const vectors: Float32Array[] = []
    for (const text of fillPrompts(prompts, name)) vectors.push(await embedText(text))
    return meanDirection(vectors)
  }
  return pMap(classes, embedPrompts, { concurrency: textsAtOnce })
}

/** Zero-shot accuracy. Hits are expected numbers, so they have fractions where similarities are equal. */
export interface Accuracy {
  readonly n: number
  /** Shares in [0, 1]. */
  readonly top1: number
  readonly top5: number
  readonly correct1: number
  readonly correct5: number
  /** In the order of the class list. */
  readonly classes: readonly { readonly name: string; readonly n: number; readonly correct1: number }[]
  /** 95 % intervals, if requested. */
  readonly intervals?: { readonly top1: Interval; readonly top5: Interval }
}

/** Counts how often the class of an image is the most similar one, and among the five most similar. */
export class Classification {
  readonly #names: readonly string[]
  readonly #cosines: (image: Float32Array) => Float64Array
  /** By image. */
  readonly #top1: number[] = []
  readonly #top5: number[] = []
  /** By class: its images, and how many of them were taken for each class. */
  readonly #classes: { n: number; readonly takenFor: readonly ExpectedHits[] }[]

  constructor(names: readonly string[], vectors: readonly Float32Array[]) {
    this.#names = names
    this.#cosines = cosinesWith(vectors)
    this.#classes = names.map(() => ({ n: 0, takenFor: names.map(() => new ExpectedHits()) }))
  }

  /**
   * @param image unit vector
   * @param label index of its class
   * @returns where its class stands among all
   */
  add(image: Float32Array, label: number): Omit<QueryResult, 'nearest'> {
    const similarities = this.#cosines(image)
    const own = similarities[label]!
    let [above, equal] = [0, 0]
    for (const similarity of similarities) {
      if (similarity > own) above++
      else if (similarity === own) equal++
    }
    this.#top1.push(hitProbability({ above, equal, answers: 1 }, 1))
    this.#top5.push(hitProbability({ above, equal, answers: 1 }, 5))
    const best = Math.max(...similarities)
    const nearest: number[] = []
    for (const [i, similarity] of similarities.entries()) if (similarity === best) nearest.push(i)
    const entry = this.#classes[label]!
    entry.n++
    for (const i of nearest) entry.takenFor[i]!.add(1 / nearest.length)
    return { rank: above + 1, tied: equal - 1 }
  }

  /** Indexes of the classes most similar to an image, the best first. */
  nearest(image: Float32Array): number[] {
    const similarities = this.#cosines(image)
    const order = this.#names.map((_, i) => i).sort((a, b) => similarities[b]! - similarities[a]! || a - b)
    return order.slice(0, NEAREST)
  }

  /** Images by their class, and by the class that they are most similar to: rows and columns in the order of the list. */
  get confusion(): number[][] {
    return this.#classes.map(({ takenFor }) => takenFor.map(({ sum }) => sum))
  }

  accuracy(): Accuracy {
    const classes = this.#classes.map(({ n, takenFor }, i) => ({
      name: this.#names[i]!,
      n,
      correct1: takenFor[i]!.sum,
    }))
    const n = this.#top1.length
    const [correct1, correct5] = [sumOf(this.#top1), sumOf(this.#top5)]
    return { n, top1: correct1 / n, top5: correct5 / n, correct1, correct5, classes }
  }

  /** @param samples how often images are resampled */
  async intervals(samples: number): Promise<NonNullable<Accuracy['intervals']>> {
    const [top1, top5] = await bootstrapIntervals([this.#top1, this.#top5], samples)
    return { top1: top1!, top5: top5! }
  }
}
