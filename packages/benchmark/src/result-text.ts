import { formatCount, formatCounted } from '@skyscript/core'
import type { Interval } from './bootstrap.ts'
import type { Accuracy } from './classify.ts'
import type { Detection } from './detect.ts'
import { type ByRank, RANKS, type Recalls, type Retrieval } from './retrieve.ts'
import { percent, textTable } from './text-table.ts'

/** Results as people read them; each ends with a line end. */

/** Without decimals unless equal similarities made a fraction. */
const hits = (count: number): string => (Number.isInteger(count) ? formatCount(count) : count.toFixed(1))

/** `95 %: 42.8 to 50.8 %`; nothing where it was not asked for. */
const intervalText = (interval: Interval | undefined): string =>
  interval === undefined ? '' : `95 %: ${(100 * interval[0]).toFixed(1)} to ${percent(interval[1])}`

export function accuracyText({ n, top1, top5, correct1, correct5, classes, intervals }: Accuracy): string {
  const present = classes.filter((each) => each.n > 0)
  const mean = present.reduce((sum, each) => sum + each.correct1 / each.n, 0) / present.length
  const of = (correct: number) => `${hits(correct)} of ${formatCount(n)}`
  const totals = [
    ['top-1', percent(top1), of(correct1), intervalText(intervals?.top1)],
    ['top-5', percent(top5), of(correct5), intervalText(intervals?.top5)],
    ['mean per class', percent(mean), '', ''],
  ]
  const rows = classes.map((each) => [
    each.name,
    formatCount(each.n),
    hits(each.correct1),
    each.n === 0 ? '-' : percent(each.correct1 / each.n),
  ])
  const head = `${formatCounted(n, 'image')}, ${formatCounted(classes.length, 'class', 'classes')}\n\n`
  return `${head}${textTable(totals)}\n${textTable([['class', 'images', 'correct', 'top-1'], ...rows])}`
}

export function detectionText({ n, positives, ...result }: Detection): string {
  const rows = [
    ['F1', percent(result.f1)],
    ['precision', percent(result.precision)],
    ['recall', percent(result.recall)],
    ['average precision', percent(result.average_precision)],
    ['threshold', result.threshold.toFixed(2)],
  ]
  return `${formatCounted(n, 'image')}, ${formatCount(positives)} of them show the class\n\n${textTable(rows)}`
}

export function retrievalText({ images, texts, image_to_text, text_to_image, intervals }: Retrieval): string {
  const keys = RANKS.map((k) => `R@${k}` as const)
  const range = ([low, high]: Interval) => `${(100 * low).toFixed(1)} - ${(100 * high).toFixed(1)}`
  const rowsOf = (name: string, recalls: Recalls, ranges: ByRank<Interval> | undefined) => [
    [name, ...keys.map((key) => percent(recalls[key]))],
    ...(ranges === undefined ? [] : [['  95 %', ...keys.map((key) => range(ranges[key]))]]),
  ]
  const rows = [
    ['', ...keys],
    ...rowsOf('image to text', image_to_text, intervals?.image_to_text),
    ...rowsOf('text to image', text_to_image, intervals?.text_to_image),
  ]
  const pool = `${formatCounted(images, 'different image')}, ${formatCounted(texts, 'different text')}`
  return `${pool}; R@k: queries with at least one answer among the best k\n\n${textTable(rows)}`
}
