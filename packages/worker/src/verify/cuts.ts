import type { CsvContent } from './csvs.ts'
import type { FaultList } from './faults.ts'
import type { RowIndex } from './row-index.ts'

/**
 * Checks which rows stand in which CSV.
 *
 * - The unfiltered file: every row of the manifest's split `train`, and no other.
 * - Validation and test: rows of their own split only, no more than were asked for.
 * - A top set: the training rows among the best p percent of all rows by its scorer. Whether p percent is rounded up or
 *   down, and which of equal rows at the edge is in, is left open.
 */
export function checkCuts(contents: readonly CsvContent[], index: RowIndex, faults: FaultList): void {
  for (const content of contents) {
    if (content.part === 'top') checkTop(content, index, faults)
    else checkSplit(content, index, faults)
  }
}

function checkSplit({ part, path, size, rows, members }: CsvContent, index: RowIndex, faults: FaultList): void {
  if (part !== 'train' && rows > size) faults.add('csv-rows', path, `has ${rows} rows, ${size} were asked for`)
  for (let row = 0; row < index.size; row++) {
    const split = index.split(row)
    if (members[row] === 1 && split !== part) {
      faults.add('csv-split', path, `lists ${index.filepath(row)}, which the manifest puts into ${split ?? 'no split'}`)
    } else if (part === 'train' && members[row] !== 1 && split === 'train') {
      faults.add('csv-split', path, `lacks ${index.filepath(row)}, which the manifest puts into train`)
    }
  }
}

function checkTop({ path, scorer, size, members }: CsvContent, index: RowIndex, faults: FaultList): void {
  const ranked = new Float64Array(index.size)
  for (let row = 0; row < index.size; row++) ranked[row] = -index.similarity(row, scorer)
  ranked.sort()
  /** Similarity of the pair at a place of the ranking, from 1. */
  const at = (place: number) => (place < 1 ? Infinity : -(ranked[place - 1] ?? Infinity))
  const surelyIn = at(Math.floor((index.size * size) / 100))
  const surelyOut = at(Math.ceil((index.size * size) / 100))
  for (let row = 0; row < index.size; row++) {
    const listed = members[row] === 1
    const train = index.split(row) === 'train'
    const similarity = index.similarity(row, scorer)
    if (listed && !train) {
      faults.add('csv-split', path, `lists ${index.filepath(row)}, which the manifest does not put into train`)
    } else if (listed && !(similarity >= surelyOut)) {
      faults.add('top-set', path, `lists ${index.filepath(row)} with ${similarity}, below the edge at ${surelyOut}`)
    } else if (!listed && train && similarity > surelyIn) {
      faults.add('top-set', path, `lacks ${index.filepath(row)} with ${similarity}, above the edge at ${surelyIn}`)
    }
  }
}
