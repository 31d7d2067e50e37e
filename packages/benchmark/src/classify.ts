import pMap from 'p-map'
import { ExpectedHits, hitProbability } from './expected-hits.ts'
import { fillPrompts, type Prompts } from './prompts.ts'
import { cosine, meanDirection } from './vectors.ts'

/** What embeds texts: unit vectors. */
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
}

/** Counts how often the class of an image is the most similar one, and among the five most similar. */
export class Classification {
  readonly #names: readonly string[]
  readonly #vectors: readonly Float32Array[]
  readonly #top1 = new ExpectedHits()
  readonly #top5 = new ExpectedHits()
  readonly #classes: { n: number; readonly hits: ExpectedHits }[]

  constructor(names: readonly string[], vectors: readonly Float32Array[]) {
    this.#names = names
    this.#vectors = vectors
    this.#classes = names.map(() => ({ n: 0, hits: new ExpectedHits() }))
  }

  /**
   * @param image unit vector
   * @param label index of its class
   */
  add(image: Float32Array, label: number): void {
    const similarities = this.#vectors.map((vector) => cosine(image, vector))
    const own = similarities[label]!
    let [above, equal] = [0, 0]
    for (const similarity of similarities) {
      if (similarity > own) above++
      else if (similarity === own) equal++
    }
    const first = hitProbability({ above, equal, answers: 1 }, 1)
    this.#top1.add(first)
    this.#top5.add(hitProbability({ above, equal, answers: 1 }, 5))
    const entry = this.#classes[label]!
    entry.n++
    entry.hits.add(first)
  }

  get accuracy(): Accuracy {
    const classes = this.#classes.map(({ n, hits }, i) => ({ name: this.#names[i]!, n, correct1: hits.sum }))
    const n = classes.reduce((sum, each) => sum + each.n, 0)
    const [correct1, correct5] = [this.#top1.sum, this.#top5.sum]
    return { n, top1: correct1 / n, top5: correct5 / n, correct1, correct5, classes }
  }
}
