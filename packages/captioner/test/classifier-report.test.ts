import { expect, test } from 'vitest'
import { evaluate } from '../src/classifier/evaluation.ts'
import { trainingReportText } from '../src/classifier/training-report.ts'

// Labelled and predicted: A as A five times, A as B once, B as A twice, B as B three times, C as A once.
const labelled = ['A', 'A', 'A', 'A', 'A', 'A', 'B', 'B', 'B', 'B', 'B', 'C']
const predicted = ['A', 'A', 'A', 'A', 'A', 'B', 'A', 'A', 'B', 'B', 'B', 'A']

test('precision, recall and F1 are those worked out by hand', () => {
  const { confusion, scores, accuracy, macroF1 } = evaluate(['A', 'B', 'C', 'D'], labelled, predicted, String)
  expect(confusion).toEqual([
    [5, 1, 0, 0],
    [2, 3, 0, 0],
    [1, 0, 0, 0],
    [0, 0, 0, 0],
  ])
  expect(scores).toEqual([
    { precision: 5 / 8, recall: 5 / 6, f1: 10 / 14, support: 6 },
    { precision: 3 / 4, recall: 3 / 5, f1: 6 / 9, support: 5 },
    { precision: null, recall: 0, f1: 0, support: 1 },
    { precision: null, recall: null, f1: null, support: 0 },
  ])
  expect(accuracy).toBe(8 / 12)
  expect(macroF1).toBeCloseTo((10 / 14 + 6 / 9 + 0) / 3, 12)
})

test('the report is tables whose columns line up', () => {
  const evaluation = evaluate(['A', 'B', 'C'], labelled, predicted, (each) => `class ${each}`)
  const both = { byTag: evaluation, byKey: evaluation }
  const text = trainingReportText({
    labels: 12,
    visibleLabels: 7,
    keys: 3,
    folds: 5,
    l2: { visible: 100, maxGsd: 1000 },
    visible: both,
    maxGsd: both,
    together: both,
  })
  expect(text.split('\n').slice(0, 7)).toEqual([
    'Tag classifier: 12 labelled tags of 3 keys, 7 can be seen; 5 folds',
    '',
    'Stage 1, can it be seen (L2 100), folds by tag: accuracy 0.67, macro F1 0.46',
    '           class A  class B  class C    precision  recall    F1  support',
    '  class A        5        1        0         0.63    0.83  0.71        6',
    '  class B        2        3        0         0.75    0.60  0.67        5',
    '  class C        1        0        0            -    0.00  0.00        1',
  ])
  expect(text.match(/^(Stage 1|Stage 2|Both stages).* folds by (tag|key): /gm)).toHaveLength(6)
  expect(text).toMatch(/[^\n]\n$/)
})
