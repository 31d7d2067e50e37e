import { count, gsdBand, type Tags } from '@skyscript/core'
import type { DatasetLock, LockedQuota } from '../lock.ts'
import { SIMILAR_CSV } from '../names.ts'
import type { CsvContent } from './csvs.ts'
import type { FaultList } from './faults.ts'
import type { RowIndex } from './row-index.ts'

type Filter = DatasetLock['config']['filter']

/** Gives the class of an object's tags; null for none. */
export type ClassOf = (tags: Tags) => string | null

/** What is known beside the manifest. */
export interface MixtureFacts {
  /** 1 for each row that `filter.semanticDuplicates` leaves out. */
  readonly similar: Uint8Array
  /** Null if it is not known; then limits by class are not checked. */
  readonly classOf: ClassOf | null
}

/** A product such as 0.29 x 100 may be a little below a whole number. */
const ROUNDING = 1e-6

/**
 * Checks a balanced training file: no kind of pair has more rows than `filter.balance` allows, and a training row that is more
 * similar than the last one listed is left out only if a limit that it falls under is used up by rows at least as similar.
 * Without shares, a file with fewer rows than the unbalanced one lacks no row that the limits allow.
 *
 * @param due the range in which the number of rows of the unbalanced file is
 */
export function checkBalance(
  content: CsvContent,
  index: RowIndex,
  filter: Filter,
  due: { readonly least: number; readonly most: number },
  { similar, classOf }: MixtureFacts,
  faults: FaultList,
): void {
  const { path, rows, members } = content
  const quotas = filter.balance ?? []
  const limits = quotas.map((quota) => ({
    quota,
    kindOf: kindsOf(quota, index, classOf),
    counts: new Map<string, number>(),
  }))
  for (const { quota, kindOf, counts } of limits) {
    for (let row = 0; row < index.size; row++) {
      const kind = members[row] === 1 ? kindOf(row) : null
      if (kind !== null) count(counts, kind)
    }
    for (const [kind, n] of counts) {
      const limit = limitOf(quota, kind, rows)
      if (n > limit) faults.add('balance', path, `has ${n} rows of ${quota.by} ${kind}, filter.balance allows ${limit}`)
    }
    counts.clear()
  }
  for (let row = 0; row < index.size; row++)
    if (members[row] === 1 && similar[row] === 1)
      faults.add('semantic-duplicates', path, `lists ${index.filepath(row)}, which ${SIMILAR_CSV} leaves out`)
  if (rows > due.most) faults.add('balance', path, `has ${rows} rows; without filter.balance it would have ${due.most}`)
  // With limits per tag, rows of any similarity may be missing.
  if (filter.maxPerTag !== null || (classOf === null && quotas.some(({ by }) => by === 'class'))) return

  const isWhole = rows >= due.least || filter.maxSameCaption !== null || quotas.some(({ share }) => share !== undefined)
  const titles = new Map<string, number>()
  const mayBeMissing = (row: number) =>
    limits.some(({ quota, kindOf, counts }) => {
      const kind = kindOf(row)
      return kind !== null && (counts.get(kind) ?? 0) >= limitOf(quota, kind, rows)
    }) || (titles.get(String(index.title(row))) ?? 0) >= (filter.maxSameCaption ?? Number.POSITIVE_INFINITY)
  let listed = 0
  for (const tied of byDescendingSimilarity(content, index)) {
    for (const row of tied) {
      if (members[row] !== 1) continue
      listed++
      count(titles, String(index.title(row)))
      for (const { kindOf, counts } of limits) {
        const kind = kindOf(row)
        if (kind !== null) count(counts, kind)
      }
    }
    // The last row listed may be among these.
    if (isWhole && listed === rows) return
    for (const row of tied) {
      if (members[row] === 1 || similar[row] === 1 || mayBeMissing(row)) continue
      const similarity = index.similarity(row, content.scorer)
      faults.add('balance', path, `lacks ${index.filepath(row)} with ${similarity}, which the settings allow`)
    }
  }
}

/** The training rows that the file may have, best first, those of one similarity together. */
function byDescendingSimilarity({ part, size, scorer }: CsvContent, index: RowIndex): number[][] {
  const rows: number[] = []
  for (let row = 0; row < index.size; row++) {
    if (index.split(row) === 'train' && (part !== 'above' || index.similarity(row, scorer) >= size)) rows.push(row)
  }
  rows.sort((a, b) => index.similarity(b, scorer) - index.similarity(a, scorer))
  const tied: number[][] = []
  for (const row of rows) {
    const last = tied.at(-1)
    if (last !== undefined && index.similarity(last[0]!, scorer) === index.similarity(row, scorer)) last.push(row)
    else tied.push([row])
  }
  return tied
}

/** What a row counts for; null for nothing. */
function kindsOf(
  { by, degrees = 1 }: LockedQuota,
  index: RowIndex,
  classOf: ClassOf | null,
): (row: number) => string | null {
  switch (by) {
    case 'source':
      return (row) => index.source(row)
    case 'gsd':
      return (row) => String(gsdBand(index.gsd(row)))
    case 'tag':
      return (row) => index.rarestTag(row)
    case 'class':
      return (row) => classOf?.(index.tags(row)) ?? null
    case 'place':
      return (row) => {
        const [west, south, east, north] = index.box(row)
        return `${Math.floor((west + east) / 2 / degrees)},${Math.floor((south + north) / 2 / degrees)}`
      }
  }
}

/** The largest number of rows of a kind in a file of this many rows. */
function limitOf({ most, share }: LockedQuota, kind: string, rows: number): number {
  const of = (limit: LockedQuota['most']) =>
    (typeof limit === 'object' ? (Object.hasOwn(limit, kind) ? limit[kind] : undefined) : limit) ??
    Number.POSITIVE_INFINITY
  return Math.min(of(most), Math.floor(Math.min(1, of(share)) * rows + ROUNDING))
}
