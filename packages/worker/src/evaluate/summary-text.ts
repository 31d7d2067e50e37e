import { type Accuracy, percent, RANKS, type Retrieval, textTable } from '@skyscript/benchmark'
import { formatCount } from '@skyscript/core'
import type { Evaluation } from './evaluations.ts'
import { HEADLINE_SETS } from './original-sets.ts'

/** A line for each set, as people read it. */
export function summaryText(named: readonly (readonly [name: string, Evaluation])[], headline: number | null): string {
  const classes = named.flatMap(([name, { result }]) => ('top1' in result ? [accuracyRow(name, result)] : []))
  const captions = named.flatMap(([name, { result }]) => ('texts' in result ? recallRows(name, result) : []))
  const tables: string[] = []
  if (classes.length > 0)
    tables.push(textTable([['classification', 'images', 'classes', 'top-1', 'top-5', 'mean per class'], ...classes]))
  if (headline !== null) tables.push(`mean top-1 of ${HEADLINE_SETS.join(', ')}: ${percent(headline)}\n`)
  if (captions.length > 0)
    tables.push(textTable([['retrieval', 'images', 'texts', ...RANKS.map((k) => `R@${k}`)], ...captions]))
  return tables.join('\n')
}

function accuracyRow(name: string, { n, top1, top5, classes }: Accuracy): string[] {
  const shown = classes.filter((each) => each.n > 0)
  const mean = shown.reduce((sum, each) => sum + each.correct1 / each.n, 0) / shown.length
  return [name, formatCount(n), formatCount(classes.length), percent(top1), percent(top5), percent(mean)]
}

function recallRows(name: string, { images, texts, image_to_text, text_to_image }: Retrieval): string[][] {
  const sizes = [formatCount(images), formatCount(texts)]
  return [
    [`${name}, image to text`, ...sizes, ...RANKS.map((k) => percent(image_to_text[`R@${k}`]))],
    [`${name}, text to image`, ...sizes, ...RANKS.map((k) => percent(text_to_image[`R@${k}`]))],
  ]
}
