import { checkWith, InputError } from '@skyscript/core'
import { z } from 'zod'
import { GSD_CLASSES } from '../tag-table.ts'
import { type LogisticModel, mostProbable } from './logistic-regression.ts'

/** The text model whose embeddings a classifier was trained on; it works only with that model. */
export interface ClassifierModel {
  readonly id: string
  readonly revision: string | null
  readonly fingerprint: string
}

export const VISIBILITY_CLASSES = ['never', 'visible'] as const
export type Visibility = (typeof VISIBILITY_CLASSES)[number]
export type GsdClass = (typeof GSD_CLASSES)[number]

/** A trained classifier as its file holds it. All weights apply to raw embeddings of `dimension` numbers. */
export interface TagClassifier {
  readonly format: 'skyscript-tag-classifier'
  readonly version: 1
  readonly model: ClassifierModel
  readonly dimension: number
  /** Fingerprint of the labels that it was trained on, in any order. */
  readonly labels: string
  /** Stage 1: can the tag be seen in a remote sensing image at all? */
  readonly visible: LogisticModel<Visibility>
  /** Stage 2: if so, up to which GSD (m/pixel)? Only classes that had a label, from fine to coarse. */
  readonly maxGsd: LogisticModel<GsdClass>
}

const row = z.array(z.number())
const stage = <Class>(classes: z.ZodType<Class[]>) =>
  z
    .strictObject({ classes, weights: z.array(row), bias: row })
    .refine(
      ({ classes, weights, bias }) => weights.length === classes.length && bias.length === classes.length,
      'must have as many rows of weights and as many biases as classes',
    )

const schema: z.ZodType<TagClassifier> = z
  .strictObject({
    format: z.literal('skyscript-tag-classifier'),
    version: z.literal(1),
    model: z.strictObject({ id: z.string(), revision: z.string().nullable(), fingerprint: z.string() }),
    dimension: z.int().positive(),
    labels: z.string(),
    visible: stage(
      z.array(z.literal(VISIBILITY_CLASSES)).refine(isPartOf(VISIBILITY_CLASSES, 2), 'must be never, visible'),
    ),
    maxGsd: stage(
      z
        .array(z.literal(GSD_CLASSES))
        .refine(isPartOf(GSD_CLASSES, 1), `must be of ${GSD_CLASSES.join(', ')} in this order`),
    ),
  })
  .refine(
    ({ dimension, visible, maxGsd }) =>
      [...visible.weights, ...maxGsd.weights].every((each) => each.length === dimension),
    'must have weights for each dimension',
  )

/**
 * @param file named in the error
 * @throws InputError `bad-classifier`
 */
export function parseTagClassifier(text: string, file: string): TagClassifier {
  const refuse = (fault: string): never => {
    throw new InputError('bad-classifier', `${file} is no tag classifier that can be used (${fault}): train it again.`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return refuse('it is not JSON')
  }
  const checked = checkWith(schema, json, 'file')
  return 'value' in checked ? checked.value : refuse(checked.faults[0]!)
}

/** One line of JSON; the same classifier gives the same bytes. */
export const serializeTagClassifier = (classifier: TagClassifier): string => `${JSON.stringify(classifier)}\n`

/**
 * Whether a tag can be seen, and up to which GSD, by its embedding. The probabilities in `why` are those of classes that
 * are equally frequent, since each class counts alike in the fits.
 *
 * @param embedding of the classifier's model and dimension, unit length
 * @returns `maxGsd` in m/pixel, null: never seen
 * @throws InputError `bad-classifier` where the embedding is of another dimension
 */
export function judgeEmbedding(
  { dimension, visible, maxGsd }: TagClassifier,
  embedding: Float32Array,
): { readonly maxGsd: GsdClass | null; readonly why: string } {
  if (embedding.length !== dimension) {
    throw new InputError(
      'bad-classifier',
      `The classifier was trained on embeddings of ${dimension} numbers, not ${embedding.length}: train it again with the model in use.`,
    )
  }
  const seen = mostProbable(visible, embedding)
  if (seen.choice === 'never') {
    return { maxGsd: null, why: `visible ${(1 - seen.probability).toFixed(2)}` }
  }
  const { choice, probability } = mostProbable(maxGsd, embedding)
  return {
    maxGsd: choice,
    why: `visible ${seen.probability.toFixed(2)}, ${choice} m ${probability.toFixed(2)}`,
  }
}

/** Whether a list has at least `atLeast` members, all of them in `whole`, in its order and each once. */
function isPartOf<Each>(whole: readonly Each[], atLeast: number): (part: readonly Each[]) => boolean {
  return (part) => {
    const places = part.map((each) => whole.indexOf(each))
    return part.length >= atLeast && places.every((place, i) => i === 0 || place > places[i - 1]!)
  }
}
