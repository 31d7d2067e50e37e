import { fingerprint, InputError } from '@skyscript/core'
import { byText } from '../tag-order.ts'
import { GSD_CLASSES } from '../tag-table.ts'
import { evaluate } from './evaluation.ts'
import { foldsByKey, foldsByTag, type TagLabel } from './folds.ts'
import { fitLogisticRegression, type LogisticModel } from './logistic-regression.ts'
import { chooseStrength, type OutOfFold, outOfFold, type Task } from './out-of-fold.ts'
import {
  type ClassifierModel,
  type GsdClass,
  type TagClassifier,
  VISIBILITY_CLASSES,
  type Visibility,
} from './tag-classifier.ts'
import type { ByFolds, TrainingReport } from './training-report.ts'

export interface Training {
  /** About 2,500 in the paper. A tag may be labelled twice if both say the same. */
  readonly labels: readonly TagLabel[]
  /** The text embedding of each label's tag: unit length, all of one dimension. */
  readonly embeddings: readonly Float32Array[]
  /** What made the embeddings. */
  readonly model: ClassifierModel
  readonly seed: number
  /** Parts that the labels are split into for the report; at least 2. */
  readonly folds: number
}

/** Significant digits of a stored weight: more than a float32 embedding can tell apart, less than rounding reaches. */
const WEIGHT_DIGITS = 9

/** What the two stages together say: a class of maximum GSD in m/pixel, or null for never. */
const OUTCOMES = [null, ...GSD_CLASSES] as const
type Outcome = (typeof OUTCOMES)[number]

/**
 * The paper's two-stage tag classifier (section "Tag classification"): a logistic regression over the tag's CLIP text
 * embedding says whether it can be seen in a remote sensing image at all, a second one up to which GSD.
 *
 * The strength of regularisation of each stage is the one of the lowest log loss out of fold (by tag); the classifier is
 * then fitted to all labels. The report is at the chosen strengths, so it is very slightly optimistic. The same labels,
 * embeddings and seed give the same classifier, in whatever order the labels come.
 *
 * @throws InputError `bad-tag-table` where a tag is labelled twice differently or by no class, `too-few-labels` where
 *   fewer than `folds` tags can be seen, or can't, or where those that can are all of one key
 */
export function trainTagClassifier({ labels: given, embeddings: all, model, seed, folds }: Training): {
  readonly classifier: TagClassifier
  readonly report: TrainingReport
} {
  if (!Number.isInteger(folds) || folds < 2) throw new RangeError(`There must be 2 folds or more, not ${folds}.`)
  if (all.length !== given.length)
    throw new RangeError(`${given.length} labels need as many embeddings, not ${all.length}.`)
  const examples = distinct(given, all)
  const labels = examples.map(({ label }) => label)
  const embeddings = examples.map(({ embedding }) => embedding)
  refuseTooFew(labels, folds)

  const outcomes = labels.map(({ maxGsd }) => maxGsd as Outcome)
  const visible: Task<Visibility> = {
    embeddings,
    targets: outcomes.map((maxGsd) => (maxGsd === null ? 'never' : 'visible')),
    classes: VISIBILITY_CLASSES,
  }
  const maxGsd: Task<GsdClass> = { embeddings, targets: outcomes, classes: GSD_CLASSES }
  const byTag = foldsByTag(labels, folds, seed)
  const byKey = foldsByKey(labels, folds, seed)
  const chosen = { visible: chooseStrength(visible, byTag), maxGsd: chooseStrength(maxGsd, byTag) }
  const ofTag = evaluations(outcomes, chosen.visible.predicted, chosen.maxGsd.predicted)
  const ofKey = evaluations(
    outcomes,
    outOfFold(visible, byKey, chosen.visible.l2),
    outOfFold(maxGsd, byKey, chosen.maxGsd.l2),
  )
  const both = (stage: keyof typeof ofTag): ByFolds => ({ byTag: ofTag[stage], byKey: ofKey[stage] })
  return {
    classifier: {
      format: 'skyscript-tag-classifier',
      version: 1,
      model,
      dimension: embeddings[0]!.length,
      labels: fingerprint('tag-labels', labels),
      visible: fitToAll(visible, chosen.visible.l2),
      maxGsd: fitToAll(maxGsd, chosen.maxGsd.l2),
    },
    report: {
      labels: labels.length,
      visibleLabels: outcomes.filter((each) => each !== null).length,
      keys: new Set(labels.map(({ key }) => key)).size,
      folds,
      l2: { visible: chosen.visible.l2, maxGsd: chosen.maxGsd.l2 },
      visible: both('visible'),
      maxGsd: both('maxGsd'),
      together: both('together'),
    },
  }
}

/** Each tag once, in an order of its own: sums of numbers depend on their order. */
function distinct(
  given: readonly TagLabel[],
  embeddings: readonly Float32Array[],
): { readonly label: TagLabel; readonly embedding: Float32Array }[] {
  const byTag = new Map<string, { label: TagLabel; embedding: Float32Array }>()
  for (const [i, { key, value, maxGsd }] of given.entries()) {
    if (!(OUTCOMES as readonly unknown[]).includes(maxGsd)) {
      throw new InputError(
        'bad-tag-table',
        `${key}=${value} has the maximum GSD ${maxGsd}: give one of ${GSD_CLASSES.join(', ')} or none for never.`,
      )
    }
    const name = JSON.stringify([key, value])
    const known = byTag.get(name)
    if (known && known.label.maxGsd !== maxGsd) {
      const [one, other] = [known.label.maxGsd, maxGsd].map((gsd) => (gsd === null ? 'never' : `${gsd} m`))
      throw new InputError(
        'bad-tag-table',
        `${key}=${value} is labelled both ${one} and ${other}: keep one of the two.`,
      )
    }
    if (!known) byTag.set(name, { label: { key, value, maxGsd }, embedding: embeddings[i]! })
  }
  return [...byTag.values()].sort(({ label: a }, { label: b }) => byText(a.key, b.key) || byText(a.value, b.value))
}

function refuseTooFew(labels: readonly TagLabel[], folds: number): void {
  const seen = labels.filter(({ maxGsd }) => maxGsd !== null)
  const never = labels.length - seen.length
  if (seen.length < folds || never < folds) {
    throw new InputError(
      'too-few-labels',
      `${folds} folds need ${folds} tags that can be seen and ${folds} that can't, but ${seen.length} and ${never} are labelled: label more tags.`,
    )
  }
  if (new Set(seen.map(({ key }) => key)).size < 2) {
    throw new InputError(
      'too-few-labels',
      `All tags that can be seen have the key ${seen[0]!.key}, so there is none to test on keys never seen: label tags of other keys.`,
    )
  }
}

function evaluations(outcomes: readonly Outcome[], visible: OutOfFold<Visibility>, maxGsd: OutOfFold<GsdClass>) {
  const seen = outcomes.flatMap((outcome, i) => (outcome === null ? [] : [{ outcome, choice: maxGsd.choices[i]! }]))
  return {
    visible: evaluate<Visibility>(
      VISIBILITY_CLASSES,
      outcomes.map((outcome) => (outcome === null ? 'never' : 'visible')),
      visible.choices,
      String,
    ),
    maxGsd: evaluate<GsdClass>(
      GSD_CLASSES,
      seen.map(({ outcome }) => outcome),
      seen.map(({ choice }) => choice),
      String,
    ),
    together: evaluate<Outcome>(
      OUTCOMES,
      outcomes,
      visible.choices.map((choice, i) => (choice === 'never' ? null : maxGsd.choices[i]!)),
      (outcome) => (outcome === null ? 'never' : String(outcome)),
    ),
  }
}

function fitToAll<Class>({ embeddings, targets, classes }: Task<Class>, l2: number): LogisticModel<Class> {
  const learnt = [...targets.keys()].filter((i) => targets[i] !== null)
  const model = fitLogisticRegression({
    embeddings: learnt.map((i) => embeddings[i]!),
    targets: learnt.map((i) => targets[i] as Class),
    classes,
    l2,
  })
  const rounded = (x: number) => Number(x.toPrecision(WEIGHT_DIGITS))
  return {
    classes: model.classes,
    weights: model.weights.map((row) => row.map(rounded)),
    bias: model.bias.map(rounded),
  }
}
