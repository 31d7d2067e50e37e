// @module-tag slow
import { InputError, seededFraction } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { foldsByKey, foldsByTag, type TagLabel } from '../src/classifier/folds.ts'
import { fitLogisticRegression, mostProbable } from '../src/classifier/logistic-regression.ts'
import {
  judgeEmbedding,
  parseTagClassifier,
  serializeTagClassifier,
  type TagClassifier,
} from '../src/classifier/tag-classifier.ts'
import { trainTagClassifier } from '../src/classifier/train-tag-classifier.ts'
import { GSD_CLASSES } from '../src/tag-table.ts'

const MODEL = { id: 'some/clip', revision: null, fingerprint: 'f00d' }
const OUTCOMES = [null, ...GSD_CLASSES]

/** Numbers in [-1, 1), the same for the same name. */
const vectorOf = (name: string, dimension: number) =>
  Float32Array.from({ length: dimension }, (_, j) => 2 * seededFraction(1, `dimension-${j}`, name) - 1)

/** A unit vector: the sum of named ones by their shares. */
function embeddingOf(shares: Readonly<Record<string, number>>, dimension: number): Float32Array {
  const sum = new Float32Array(dimension)
  for (const [name, share] of Object.entries(shares)) {
    for (const [j, x] of vectorOf(name, dimension).entries()) sum[j]! += share * x
  }
  return sum.map((x) => x / Math.hypot(...sum))
}

/** `count` tags of 12 keys, every key with all 6 outcomes. */
const tags = (count: number): TagLabel[] =>
  Array.from({ length: count }, (_, i) => ({
    key: `key${Math.floor(i / 6) % 12}`,
    value: `value${i}`,
    maxGsd: OUTCOMES[i % 6]!,
  }))

const train = (labels: readonly TagLabel[], embeddings: readonly Float32Array[], seed = 51) =>
  trainTagClassifier({ labels, embeddings, model: MODEL, seed, folds: 5 })

/** Embeddings that the outcome decides, with some noise. */
const separable = (labels: readonly TagLabel[]) =>
  labels.map(({ value, maxGsd }) => embeddingOf({ [`outcome ${maxGsd}`]: 1, [value]: 0.3 }, 32))
const LABELS = tags(240)
const EMBEDDINGS = separable(LABELS)

test('embeddings that tell classes apart are judged right by fits that have not seen them', () => {
  const { classifier, report } = train(LABELS, EMBEDDINGS)
  expect(report).toMatchObject({ labels: 240, visibleLabels: 200, keys: 12, folds: 5 })
  for (const stage of [report.visible, report.maxGsd, report.together]) {
    for (const { accuracy, macroF1 } of [stage.byTag, stage.byKey]) {
      expect(accuracy).toBeGreaterThan(0.97)
      expect(macroF1).toBeGreaterThan(0.97)
    }
  }
  expect(report.visible.byTag.scores.map(({ support }) => support)).toEqual([40, 200])
  expect(report.maxGsd.byKey.scores.map(({ support }) => support)).toEqual([40, 40, 40, 40, 40])
  expect(report.together.byTag.classes).toEqual(['never', '0.1', '0.2', '0.6', '1', '10'])
  for (const maxGsd of OUTCOMES) {
    const unseen = embeddingOf({ [`outcome ${maxGsd}`]: 1, 'another value': 0.3 }, 32)
    expect(judgeEmbedding(classifier, unseen).maxGsd).toBe(maxGsd)
  }
})

test('labels without a reason are judged no better than by chance: the report has not seen what it is measured on', () => {
  const labels = tags(400).map((label, i) => ({
    ...label,
    maxGsd: seededFraction(7, 'label', String(i)) < 0.5 ? null : GSD_CLASSES[i % 5]!,
  }))
  const embeddings = labels.map(({ value }) => embeddingOf({ [value]: 1 }, 200))
  const { report } = train(labels, embeddings)
  for (const { macroF1 } of [report.visible.byTag, report.visible.byKey]) {
    expect(macroF1).toBeGreaterThan(0.42)
    expect(macroF1).toBeLessThan(0.58)
  }
  for (const { macroF1 } of [report.maxGsd.byTag, report.maxGsd.byKey]) expect(macroF1).toBeLessThan(0.3)
  // A fit that has seen them does better, so a leak would show.
  const targets = labels.map(({ maxGsd }) => maxGsd !== null)
  const known = fitLogisticRegression({ embeddings, targets, classes: [false, true], l2: report.l2.visible })
  const right = embeddings.filter((each, i) => mostProbable(known, each).choice === targets[i]).length
  expect(right / 400).toBeGreaterThan(0.65)
})

test('what holds only within a key is found by tag and not by key', () => {
  const labels = Array.from({ length: 400 }, (_, i) => {
    const key = `key${i % 40}`
    return { key, value: `value${i}`, maxGsd: seededFraction(3, 'of key', key) < 0.5 ? null : 1 }
  })
  const embeddings = labels.map(({ key, value }) => embeddingOf({ [key]: 1, [value]: 0.5 }, 64))
  const { report } = train(labels, embeddings)
  expect(report.visible.byTag.macroF1).toBeGreaterThan(0.9)
  expect(report.visible.byKey.macroF1).toBeLessThan(0.65)
})

const labelSets = fc.uniqueArray(
  fc.record({
    key: fc.constantFrom('building', 'highway', 'note', 'power', 'surface', 'x', 'y', 'z'),
    value: fc.string({ maxLength: 4 }),
    maxGsd: fc.constantFrom(...OUTCOMES),
  }),
  { selector: ({ key, value }) => `${key}=${value}`, minLength: 1, maxLength: 60 },
)
const foldCounts = fc.integer({ min: 2, max: 6 })

test('folds by key never split a key, spread the visible tags, and leave some to learn from', () => {
  fc.assert(
    fc.property(labelSets, foldCounts, fc.nat(), (labels, folds, seed) => {
      const of = foldsByKey(labels, folds, seed)
      expect(of).toHaveLength(labels.length)
      const byKey = new Map(labels.map(({ key }, i) => [key, of[i]]))
      const visible = labels.filter(({ maxGsd }) => maxGsd !== null)
      for (const [i, { key }] of labels.entries()) {
        expect(of[i]).toBe(byKey.get(key))
        expect(of[i]! >= 0 && of[i]! < folds).toBe(true)
      }
      const ofKeys = [...byKey].map(([key, fold]) => ({
        fold,
        count: visible.filter((each) => each.key === key).length,
      }))
      const ofFolds = Array.from({ length: folds }, (_, fold) =>
        ofKeys.reduce((sum, each) => sum + (each.fold === fold ? each.count : 0), 0),
      )
      expect(Math.max(...ofFolds) - Math.min(...ofFolds)).toBeLessThanOrEqual(
        Math.max(...ofKeys.map(({ count }) => count)),
      )
      if (new Set(visible.map(({ key }) => key)).size < 2) return
      for (let fold = 0; fold < folds; fold++) {
        expect(visible.some(({ key }) => byKey.get(key) !== fold)).toBe(true)
      }
    }),
  )
})

test('visible tags are spread over the folds by key, however many others their keys have', () => {
  const of = (key: string, visible: number, never: number): TagLabel[] =>
    Array.from({ length: visible + never }, (_, i) => ({ key, value: `${i}`, maxGsd: i < visible ? 1 : null }))
  const inFirst = (labels: readonly TagLabel[]) => {
    const folds = foldsByKey(labels, 2, 1)
    const first = folds[labels.findIndex(({ key }) => key === 'large')]
    return labels.filter(({ maxGsd }, i) => maxGsd !== null && folds[i] === first).length
  }
  const small = (visible: number, never: number) => ['a', 'b', 'c', 'd'].flatMap((key) => of(key, visible, never))
  expect(inFirst([...of('large', 3, 10), ...small(2, 0)])).toBe(5)
  expect(inFirst([...small(1, 9), ...of('large', 4, 0)])).toBe(4)
})

test('folds by tag are equally large, in all and in each class', () => {
  fc.assert(
    fc.property(labelSets, foldCounts, fc.nat(), (labels, folds, seed) => {
      const of = foldsByTag(labels, folds, seed)
      const spread = (wanted: (label: TagLabel) => boolean) => {
        const counts = new Array<number>(folds).fill(0)
        for (const [i, label] of labels.entries()) if (wanted(label)) counts[of[i]!]! += 1
        return Math.max(...counts) - Math.min(...counts)
      }
      expect(spread(() => true)).toBeLessThanOrEqual(1)
      for (const outcome of OUTCOMES) expect(spread(({ maxGsd }) => maxGsd === outcome)).toBeLessThanOrEqual(1)
    }),
  )
  expect(foldsByTag(LABELS, 5, 1)).not.toEqual(foldsByTag(LABELS, 5, 2))
  expect(foldsByKey(LABELS, 5, 1)).not.toEqual(foldsByKey(LABELS, 5, 2))
})

test('the same labels give the same bytes in whatever order they come, and others do not', () => {
  const { classifier, report } = train(LABELS, EMBEDDINGS)
  const text = serializeTagClassifier(classifier)
  const digits = text.match(/-?\d+\.\d+(?=[,\]e])/g)!.map((each) => each.replace(/^-?0*\.?0*|\./g, '').length)
  expect(Math.max(...digits)).toBe(9)
  const turned = train(LABELS.toReversed(), EMBEDDINGS.toReversed())
  expect(serializeTagClassifier(turned.classifier)).toBe(text)
  expect(turned.report).toEqual(report)
  const doubled = train([...LABELS, LABELS[0]!], [...EMBEDDINGS, EMBEDDINGS[0]!])
  expect(serializeTagClassifier(doubled.classifier)).toBe(text)
  const fewer = train(LABELS.slice(1), EMBEDDINGS.slice(1))
  expect(fewer.classifier.labels).not.toBe(classifier.labels)
})

test('a class of maximum GSD that has no label is never said', () => {
  const labels = LABELS.filter(({ maxGsd }) => maxGsd !== 0.1)
  const { classifier, report } = train(labels, separable(labels))
  expect(classifier.maxGsd.classes).toEqual([0.2, 0.6, 1, 10])
  expect(report.maxGsd.byTag.scores[0]).toEqual({ precision: null, recall: null, f1: null, support: 0 })
})

test('a class of a single label takes part, though nothing out of fold can know it', () => {
  const at = LABELS.findIndex(({ maxGsd }) => maxGsd === 10)
  const labels = LABELS.filter(({ maxGsd }, i) => maxGsd !== 10 || i === at)
  const { classifier, report } = train(labels, separable(labels))
  expect(classifier.maxGsd.classes).toContain(10)
  expect(report.maxGsd.byTag.scores[4]).toMatchObject({ recall: 0, support: 1 })
})

test('labels that cannot be trained on are refused in one sentence', () => {
  const refusal = (labels: readonly TagLabel[]) => {
    try {
      train(labels, separable(labels))
    } catch (error) {
      if (error instanceof InputError) return [error.code, error.message]
      throw error
    }
    return undefined
  }
  expect(refusal([])).toEqual([
    'too-few-labels',
    "5 folds need 5 tags that can be seen and 5 that can't, but 0 and 0 are labelled: label more tags.",
  ])
  expect(refusal(LABELS.slice(0, 24))?.[1]).toMatch(/but 20 and 4 are labelled/)
  expect(refusal(LABELS.filter(({ key, maxGsd }) => key === 'key3' || maxGsd === null))).toEqual([
    'too-few-labels',
    'All tags that can be seen have the key key3, so there is none to test on keys never seen: label tags of other keys.',
  ])
  expect(refusal([...LABELS, { ...LABELS[1]!, maxGsd: null }])).toEqual([
    'bad-tag-table',
    'key0=value1 is labelled both 0.1 m and never: keep one of the two.',
  ])
  expect(refusal([...LABELS, { key: 'a', value: 'b', maxGsd: 3 }])).toEqual([
    'bad-tag-table',
    'a=b has the maximum GSD 3: give one of 0.1, 0.2, 0.6, 1, 10 or none for never.',
  ])
})

/** Looks only at the first of two numbers; at 0, visible 0.93 and 1 m 0.71. */
const SMALL: TagClassifier = {
  format: 'skyscript-tag-classifier',
  version: 1,
  model: MODEL,
  dimension: 2,
  labels: 'abcd',
  visible: {
    classes: ['never', 'visible'],
    weights: [
      [5, 0],
      [0, 0],
    ],
    bias: [Math.log(0.07), Math.log(0.93)],
  },
  maxGsd: {
    classes: [0.2, 1],
    weights: [
      [0, 0],
      [0, 0],
    ],
    bias: [Math.log(0.29), Math.log(0.71)],
  },
}

test('a judgement says how probable it is', () => {
  expect(judgeEmbedding(SMALL, Float32Array.of(0, 1))).toEqual({
    maxGsd: 1,
    why: 'visible 0.93, 1 m 0.71',
  })
  expect(judgeEmbedding(SMALL, Float32Array.of(1, 0))).toEqual({ maxGsd: null, why: 'visible 0.08' })
  expect(() => judgeEmbedding(SMALL, new Float32Array(3))).toThrow(/of 2 numbers, not 3: train it again/)
})

test('a classifier that was stored and read judges the same', () => {
  const { classifier } = train(LABELS, EMBEDDINGS)
  const text = serializeTagClassifier(classifier)
  const read = parseTagClassifier(text, 'tags.json')
  expect(read).toEqual(classifier)
  expect(serializeTagClassifier(read)).toBe(text)
  for (const each of EMBEDDINGS) expect(judgeEmbedding(read, each)).toEqual(judgeEmbedding(classifier, each))
})

test.each<[string, string]>([
  ['it is not JSON', '{'],
  ['file: ', '[]'],
  ['format: ', JSON.stringify({ ...SMALL, format: 'x' })],
  ['version: ', JSON.stringify({ ...SMALL, version: 2 })],
  ['more: ', JSON.stringify({ ...SMALL, more: 1 })],
  ['model.revision: ', JSON.stringify({ ...SMALL, model: { id: 'x' } })],
  ['file: must have weights for each dimension', JSON.stringify({ ...SMALL, dimension: 3 })],
  ['maxGsd.classes: must be of 0.1, ', JSON.stringify({ ...SMALL, maxGsd: { ...SMALL.maxGsd, classes: [1, 0.2] } })],
  ['maxGsd.classes: must be of 0.1, ', JSON.stringify({ ...SMALL, maxGsd: { ...SMALL.maxGsd, classes: [1, 1] } })],
  ['maxGsd.classes[1]: ', JSON.stringify({ ...SMALL, maxGsd: { ...SMALL.maxGsd, classes: [0.2, 3] } })],
  ['maxGsd.classes: must be of 0.1, ', JSON.stringify({ ...SMALL, maxGsd: { classes: [], weights: [], bias: [] } })],
  [
    'visible.classes: must be never, visible',
    JSON.stringify({ ...SMALL, visible: { ...SMALL.visible, classes: ['never'] } }),
  ],
  ['visible: must have as many rows', JSON.stringify({ ...SMALL, visible: { ...SMALL.visible, bias: [0] } })],
  ['visible.bias[1]: ', JSON.stringify({ ...SMALL, visible: { ...SMALL.visible, bias: [0, null] } })],
  ['visible.bias[0]: ', serializeTagClassifier(SMALL).replace(/"bias":\[[^,]*/, '"bias":[-1e999')],
])('a damaged file is refused in one sentence: %s', (fault, text) => {
  let thrown: unknown
  try {
    parseTagClassifier(text, 'tags.json')
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(InputError)
  const { code, message } = thrown as InputError
  expect(code).toBe('bad-classifier')
  expect(message).toContain(`(${fault}`)
  expect(message).toMatch(/^tags\.json is no tag classifier that can be used \([^\n]*\): train it again\.$/)
})
