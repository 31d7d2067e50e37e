import { count } from '@skyscript/core'
import type { DatasetLock } from '../lock.ts'
import { checkBalance, type MixtureFacts } from './balance.ts'
import type { CsvContent } from './csvs.ts'
import type { FaultList } from './faults.ts'
import type { RowIndex } from './row-index.ts'

type Filter = DatasetLock['config']['filter']

/** Validation and test are drawn from this top percentage. */
const EVALUATION_PERCENT = 30
/** The split of pairs that are in no ranking. */
const EXCLUDED = 'excluded'

/**
 * Checks which rows are in which CSV.
 *
 * - The unfiltered file: exactly the rows of the manifest's split `train`.
 * - Validation and test: rows of their own split among the top 30 percent of all, or, if that split has none there, among
 *   the top 30 percent of the split; no more than the settings ask for, and at least one if the split has any.
 * - A top set: the training rows among the top p percent of all rows by its scorer. Rounding of p percent, and the choice
 *   among ties at the threshold, are not checked.
 * - A set by similarity: the training rows with at least that similarity.
 *
 * With limits, no title, no tag and no kind of pair is in a file more often than allowed, and only rows that the limits explain are
 * missing.
 */
export function checkCuts(
  contents: readonly CsvContent[],
  index: RowIndex,
  filter: Filter,
  facts: MixtureFacts,
  faults: FaultList,
): void {
  for (const content of contents) {
    if (content.part === 'val' || content.part === 'test') checkEvaluation(content, index, filter, faults)
    else checkTraining(content, index, filter, facts, faults)
  }
}

/** Similarities that are certainly in, and certainly not in, the top of all rows. */
interface Edges {
  readonly surelyIn: number
  readonly surelyOut: number
}

/** With limits per tag, rows of any similarity may move up, so nothing is certain. */
function topEdges(percent: number, scorer: string, index: RowIndex, filter: Filter): Edges {
  if (filter.maxPerTag !== null) return { surelyIn: Infinity, surelyOut: -Infinity }
  const ranked: number[] = []
  for (let row = 0; row < index.size; row++) {
    if (index.split(row) !== EXCLUDED) ranked.push(index.similarity(row, scorer))
  }
  const values = Float64Array.from(ranked).sort().reverse()
  const at = (count: number) => (count < 1 ? Infinity : (values[count - 1] ?? -Infinity))
  const exact = (index.size * percent) / 100
  return { surelyIn: at(Math.floor(exact)), surelyOut: at(Math.ceil(exact)) }
}

function checkEvaluation(content: CsvContent, index: RowIndex, filter: Filter, faults: FaultList): void {
  const { part, path, size, rows, members, scorer } = content
  if (rows > size) faults.add('csv-rows', path, `has ${rows} rows, the settings ask for ${size}`)
  const { surelyOut } = evaluationEdge(part, scorer, index, filter)
  if (rows === 0 && size > 0 && filter.split.by === 'block') {
    let ofSplit = 0
    for (let row = 0; row < index.size; row++) if (index.split(row) === part) ofSplit++
    if (ofSplit > 0) faults.add('csv-rows', path, `has no rows, and the manifest puts ${ofSplit} pairs into ${part}`)
  }
  for (let row = 0; row < index.size; row++) {
    if (members[row] !== 1) continue
    const split = index.split(row)
    const similarity = index.similarity(row, scorer)
    if (split !== part) {
      faults.add('csv-split', path, `lists ${index.filepath(row)}, which the manifest puts into ${split ?? 'no split'}`)
    } else if (!(similarity >= surelyOut)) {
      const edge = `below the edge at ${surelyOut}`
      faults.add('top-set', path, `lists ${index.filepath(row)} with ${similarity}, ${edge}`)
    }
  }
}

/** The threshold that rows of validation and test must not be below. */
function evaluationEdge(part: string, scorer: string, index: RowIndex, filter: Filter): Pick<Edges, 'surelyOut'> {
  const edges = topEdges(EVALUATION_PERCENT, scorer, index, filter)
  const own: number[] = []
  for (let row = 0; row < index.size; row++) if (index.split(row) === part) own.push(index.similarity(row, scorer))
  const isOnTop = own.some((similarity) => similarity > edges.surelyOut)
  if (isOnTop || own.length === 0 || filter.split.by === 'image') return edges
  own.sort((a, b) => b - a)
  return { surelyOut: Math.min(edges.surelyOut, own[Math.ceil((own.length * EVALUATION_PERCENT) / 100) - 1]!) }
}

function checkTraining(
  content: CsvContent,
  index: RowIndex,
  filter: Filter,
  facts: MixtureFacts,
  faults: FaultList,
): void {
  const { part, path, size, members, scorer } = content
  const edges =
    part === 'train'
      ? { surelyIn: -Infinity, surelyOut: -Infinity }
      : part === 'top'
        ? topEdges(size, scorer, index, filter)
        : { surelyIn: filter.maxPerTag === null ? size : Infinity, surelyOut: size }
  const isMixed = filter.balance !== undefined || filter.semanticDuplicates !== undefined
  const isBalanced = part !== 'train' && isMixed
  if (isBalanced) checkBalance(content, index, filter, unbalancedRows(content, index, edges), facts, faults)
  const { surelyIn, surelyOut } = isBalanced
    ? { surelyIn: Infinity, surelyOut: part === 'above' ? size : -Infinity }
    : edges
  const titles = countTitles(content, index)
  const most = filter.maxSameCaption ?? Infinity
  for (const count of titles.values()) {
    if (count > most) faults.add('caption-limit', path, `has one title ${count} times, the limit is ${most}`)
  }
  if (part !== 'train') checkTags(content, index, filter, faults)
  for (let row = 0; row < index.size; row++) {
    const listed = members[row] === 1
    const split = index.split(row)
    const similarity = index.similarity(row, scorer)
    if (listed && split !== 'train') {
      faults.add('csv-split', path, `lists ${index.filepath(row)}, which the manifest puts into ${split ?? 'no split'}`)
    } else if (listed && !(similarity >= surelyOut)) {
      faults.add('top-set', path, `lists ${index.filepath(row)} with ${similarity}, below the edge at ${surelyOut}`)
    } else if (!listed && split === 'train' && (titles.get(index.title(row)) ?? 0) < most) {
      if (part === 'train') {
        faults.add('csv-split', path, `lacks ${index.filepath(row)}, which the manifest puts into train`)
      } else if (part === 'above' ? similarity >= surelyIn : similarity > surelyIn) {
        faults.add('top-set', path, `lacks ${index.filepath(row)} with ${similarity}, above the edge at ${surelyIn}`)
      }
    }
  }
}

/** The range in which the number of rows of the file without `filter.balance` is, but for the limits per title. */
function unbalancedRows({ part, scorer }: CsvContent, index: RowIndex, { surelyIn, surelyOut }: Edges) {
  let [least, most] = [0, 0]
  for (let row = 0; row < index.size; row++) {
    if (index.split(row) !== 'train') continue
    const similarity = index.similarity(row, scorer)
    if (part === 'above' ? similarity >= surelyIn : similarity > surelyIn) least++
    if (similarity >= surelyOut) most++
  }
  return { least, most }
}

function countTitles({ members }: CsvContent, index: RowIndex): Map<number, number> {
  const counts = new Map<number, number>()
  for (let row = 0; row < index.size; row++) {
    if (members[row] === 1) counts.set(index.title(row), (counts.get(index.title(row)) ?? 0) + 1)
  }
  return counts
}

/** No tag has more rows than the limit; each row counts for the rarest of its tags. */
function checkTags({ path, members }: CsvContent, index: RowIndex, { maxPerTag }: Filter, faults: FaultList): void {
  if (maxPerTag === null) return
  const counts = new Map<string, number>()
  for (let row = 0; row < index.size; row++) {
    const tag = members[row] === 1 ? index.rarestTag(row) : null
    if (tag !== null) count(counts, tag)
  }
  for (const [tag, n] of counts) {
    if (n > maxPerTag) faults.add('tag-limit', path, `has ${n} rows of ${tag}, the limit is ${maxPerTag}`)
  }
}
