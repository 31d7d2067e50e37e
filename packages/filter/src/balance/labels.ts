import type { GroupColumns } from '@skyscript/dataset'
import type { GroupCollector } from './grouping.ts'

/**
 * Groups pairs by labels. Memory: 4 bytes per pair, plus the distinct labels.
 *
 * @param labelsOf the labels of a row group's pairs; null for pairs in no group
 */
export function collectLabels(
  rows: number,
  labelsOf: (columns: GroupColumns) => readonly (string | null)[],
): GroupCollector {
  const codes = new Map<string, number>()
  const of = new Int32Array(rows)
  let row = 0
  return {
    add(columns) {
      for (const label of labelsOf(columns)) {
        let code = label === null ? -1 : codes.get(label)
        if (code === undefined) {
          code = codes.size
          codes.set(label!, code)
        }
        of[row++] = code
      }
    },
    end: () => ({ of: of.subarray(0, row), count: codes.size, names: [...codes.keys()] }),
  }
}
