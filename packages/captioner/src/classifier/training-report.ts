import { tableLines } from '@skyscript/core'
import type { ClassScores, Evaluation } from './evaluation.ts'

/** By both ways to leave tags out. */
export interface ByFolds {
  /** Each tag is predicted by a fit that hasn't seen the tag: how the classifier does on new values of known keys. */
  readonly byTag: Evaluation
  /** Each tag is predicted by a fit that has seen no tag of its key: how it does on new keys. */
  readonly byKey: Evaluation
}

/**
 * How a classifier does on tags that it was not trained on. The strengths of regularisation are those that did best on
 * the folds by tag, so the figures are very slightly optimistic.
 */
export interface TrainingReport {
  /** Labelled tags, how many of them can be seen, and how many keys they have. */
  readonly labels: number
  readonly visibleLabels: number
  readonly keys: number
  readonly folds: number
  /** The strength chosen for each stage: 1 / C of scikit-learn. */
  readonly l2: { readonly visible: number; readonly maxGsd: number }
  /** Stage 1, over all labels. */
  readonly visible: ByFolds
  /** Stage 2, over the tags that can be seen. */
  readonly maxGsd: ByFolds
  /** Both in turn, over all labels: a tag whose first stage says no is `never`. */
  readonly together: ByFolds
}

/** Tables for a terminal: of each stage and kind of folds the confusion matrix, with the scores of each class beside it. */
export function trainingReportText(report: TrainingReport): string {
  const { labels, visibleLabels, keys, folds, l2 } = report
  const stages: [string, ByFolds][] = [
    [`Stage 1, can it be seen (L2 ${l2.visible})`, report.visible],
    [`Stage 2, maximum GSD in m of what can be seen (L2 ${l2.maxGsd})`, report.maxGsd],
    ['Both stages', report.together],
  ]
  return [
    `Tag classifier: ${labels} labelled tags of ${keys} keys, ${visibleLabels} can be seen; ${folds} folds`,
    '',
    ...stages.flatMap(([title, { byTag, byKey }]) => [
      ...section(`${title}, folds by tag`, byTag),
      ...section(`${title}, folds by key`, byKey),
    ]),
    'Rows are labels, columns predictions, each by a fit without the tag (by tag) or without any tag of its key (by key).',
    'L2 was chosen on the folds by tag, so these figures are very slightly optimistic.',
    '',
  ].join('\n')
}

function section(title: string, { classes, confusion, scores, accuracy, macroF1 }: Evaluation): string[] {
  const rows = [
    ['', ...classes, '', 'precision', 'recall', 'F1', 'support'],
    ...classes.map((name, k) => [name, ...confusion[k]!.map(String), '', ...scoreCells(scores[k]!)]),
  ]
  return [
    `${title}: accuracy ${accuracy.toFixed(2)}, macro F1 ${macroF1.toFixed(2)}`,
    ...tableLines(rows).map((line) => `  ${line}`),
    '',
  ]
}

const scoreCells = ({ precision, recall, f1, support }: ClassScores): string[] => [
  ...[precision, recall, f1].map((score) => score?.toFixed(2) ?? '-'),
  String(support),
]
