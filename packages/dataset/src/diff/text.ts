import { formatCount, formatCounted, printableLine, type Tags, tableLines } from '@skyscript/core'
import type { DatasetLock } from '../lock.ts'
import { type Changes, type Described, differs } from './changes.ts'
import { type PairChanges, REASONS } from './compare.ts'
import type { Details } from './details.ts'
import type { Example } from './examples.ts'

/** Maximum entries of a list of tags or counts. */
const LISTED = 10
/** Maximum characters of a setting's value or a tag, and of a caption. */
const VALUE = 60
const CAPTION = 100

/** `12 pairs added, 3 removed, 40 changed (31 tags, 8 geometry)`, without what is zero. */
export function pairsLine({ counts, reasons }: Pick<PairChanges, 'counts' | 'reasons'>): string {
  const { added, removed, changed } = counts
  const because = REASONS.filter((reason) => reasons[reason] > 0).map(
    (reason) => `${formatCount(reasons[reason])} ${reason}`,
  )
  const parts = [
    ...(added > 0 ? [`${formatCount(added)} added`] : []),
    ...(removed > 0 ? [`${formatCount(removed)} removed`] : []),
    ...(changed > 0 ? [`${formatCount(changed)} changed (${because.join(', ')})`] : []),
  ]
  if (parts.length === 0) return 'no pair added, removed or changed'
  return parts.join(', ').replace(/^[\d,]+/, (count) => `${count} ${count === '1' ? 'pair' : 'pairs'}`)
}

/**
 * The differences as text: inputs and settings, how many pairs differ and why, and some of them.
 *
 * @param examples those that are listed
 */
export function changesText(changes: Changes, examples: readonly Example[]): string {
  const { before, after, pairs } = changes
  const lines = [
    `before  ${before === null ? 'nothing' : titleOf(before)}`,
    `after   ${titleOf(after)}`,
    ...lockLines(changes),
    ...(pairs === null ? [] : pairLines(pairs, examples)),
  ]
  if (!differs(changes)) lines.push('No differences.')
  else if (pairs === null)
    lines.push('', 'Pairs are not compared: a lock does not list them. Give the folders of both datasets.')
  return `${lines.join('\n')}\n`
}

function titleOf({ name, pairs, maps }: Described): string {
  const dates = maps.map(({ name: file, timestamp, sequence }) => {
    const number = sequence === null ? '' : ` (sequence ${sequence})`
    return `${file}${timestamp === null ? '' : ` of ${timestamp}`}${number}`
  })
  return printableLine(`${name}, ${formatCounted(pairs, 'pair')}, map: ${dates.join(', ')}`)
}

type Entry = readonly [name: string, before: unknown, after: unknown]

function lockLines({ settings, inputs, models, tables, origins, tool, counts, rows, files, pairs }: Changes): string[] {
  const facts = [
    ...(inputs === null ? [] : ['The maps differ.']),
    ...(tables === null ? [] : ['The tag tables or caption rules differ.']),
    ...origins.map(({ source }) => `The image files of ${source} differ.`),
    ...(pairs === null && files.length > 0 ? [`Files that differ: ${formatCount(files.length)}.`] : []),
  ]
  const version: Entry[] = tool === null ? [] : [['skyscript', versionOf(tool.before), versionOf(tool.after)]]
  return [
    ...arrows(
      'settings',
      settings.map(({ setting, before, after }) => [setting, before, after]),
    ),
    ...arrows(
      'models',
      models.map(({ scorer, before, after }) => [scorer, modelOf(before), modelOf(after)]),
    ),
    ...arrows('version', version),
    ...(facts.length > 0 ? ['', ...facts] : []),
    ...arrows('objects', largest(counts)),
    ...(counts.length > LISTED ? [`  and ${formatCounted(counts.length - LISTED, 'other count')}`] : []),
    ...arrows(
      'rows',
      rows.map(({ file, before, after }) => [file, before, after]),
    ),
  ]
}

/** Those that changed most. */
function largest(counts: Changes['counts']): Entry[] {
  const change = ([, before, after]: Entry) => Math.abs(Number(after ?? 0) - Number(before ?? 0))
  return counts
    .map(({ count, before, after }): Entry => [count, before, after])
    .sort((a, b) => change(b) - change(a))
    .slice(0, LISTED)
}

function arrows(title: string, entries: readonly Entry[]): string[] {
  if (entries.length === 0) return []
  const width = Math.max(...entries.map(([name]) => name.length))
  const line = ([name, before, after]: Entry) =>
    `  ${name.padEnd(width)}  ${shownValue(before)}  ->  ${shownValue(after)}`
  return ['', title, ...entries.map(line)]
}

const versionOf = (tool: unknown) => (tool as { readonly version: string }).version

function modelOf(model: unknown): string | null {
  if (model === null) return null
  const { model: identity, fingerprint } = model as Pick<DatasetLock['models'][number], 'model' | 'fingerprint'>
  return `${identity.id} ${identity.revision ?? fingerprint.slice(0, 12)}`
}

export function shownValue(value: unknown): string {
  if (value === null) return 'none'
  if (typeof value === 'number' && Number.isInteger(value)) return formatCount(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return cut(text, VALUE)
}

const cut = (text: string, characters: number) => {
  const line = printableLine(text)
  return line.length <= characters ? line : `${line.slice(0, characters).toWellFormed()}...`
}

function pairLines(pairs: PairChanges, examples: readonly Example[]): string[] {
  const { counts, notCompared, tags, csvs, image } = pairs
  const total = counts.added + counts.removed + counts.changed
  const lines = ['', `${pairsLine(pairs)}; ${formatCount(counts.same)} unchanged`]
  const parts = Object.entries(image).flatMap(([part, n]) => (n > 0 ? [`${formatCount(n)} ${part}`] : []))
  if (parts.length > 0) lines.push(`of the images: ${parts.join(', ')}`)
  if (counts.metadata > 0)
    lines.push(
      `of the unchanged, ${formatCount(counts.metadata)} only in metadata: version, timestamp, licence or credit`,
    )
  if (notCompared.length > 0)
    lines.push(`not compared: ${notCompared.join(', ')} (missing in the manifest of an older version)`)
  if (tags.length > 0)
    lines.push(
      '',
      ...table(
        ['tags (pairs)', 'added', 'removed', 'changed'],
        tags.slice(0, LISTED).map(({ tag, added, removed, changed }) => [cut(tag, VALUE), added, removed, changed]),
      ),
    )
  if (tags.length > LISTED) lines.push(`  and ${formatCounted(tags.length - LISTED, 'other tag')}`)
  if (csvs.length > 0)
    lines.push(
      '',
      ...table(
        ['files (pairs)', 'entered', 'left'],
        csvs.map(({ set, entered, left }) => [set, entered.size, left.size]),
      ),
    )
  if (examples.length > 0) {
    lines.push('', ...examples.flatMap(exampleLines))
    if (total > examples.length) lines.push(`and ${formatCounted(total - examples.length, 'other pair')}`)
  }
  return lines
}

type Cells = readonly [string, ...(string | number)[]]

function table(header: Cells, rows: readonly Cells[]): string[] {
  const cells = [header, ...rows].map((row) => row.map((cell) => (typeof cell === 'number' ? formatCount(cell) : cell)))
  return tableLines(cells.map(([name, ...numbers], i) => [i === 0 ? `${name}  ` : `  ${name}`, ...numbers]))
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const

function exampleLines({ id, kind, reasons, before, after }: Example): string[] {
  const details = after ?? before
  if (kind !== 'changed') return [`${SIGNS[kind]} ${id}  ${details === null ? '' : cut(details.title, CAPTION)}`]
  const first = `${SIGNS.changed} ${id}  ${reasons.join(', ')}`
  if (before === null || after === null) return [first]
  return [
    first,
    ...textChanges(before, after).map(([old, now]) => `    ${differing(old, now)}  ->  ${differing(now, old)}`),
  ]
}

/** A text from a little before the place where another one differs. */
function differing(text: string, other: string): string {
  let at = 0
  while (at < text.length && text[at] === other[at]) at++
  const start = text.lastIndexOf(' ', Math.max(0, at - CAPTION / 4)) + 1
  return Math.max(text.length, other.length) <= CAPTION || start === 0
    ? cut(text, CAPTION)
    : cut(`...${text.slice(start)}`, CAPTION)
}

/** The texts that differ, of a pair before and after. */
export function textChanges(before: Details, after: Details): (readonly [before: string, after: string])[] {
  const image = ({ source, date }: Details) => `${source} ${date ?? 'no date'}`
  const parts = [
    [tagList(before.tags, after.tags), tagList(after.tags, before.tags)],
    [image(before), image(after)],
    before.title === after.title ? ([before.multi, after.multi] as const) : ([before.title, after.title] as const),
    [before.split, after.split],
  ] as const satisfies readonly (readonly [string, string])[]
  return parts.filter(([old, now]) => old !== now)
}

/** The tags that the others lack or have with another value. */
const tagList = (tags: Tags, others: Tags) =>
  Object.entries(tags)
    .filter(([key, value]) => !(Object.hasOwn(others, key) && others[key] === value))
    .map(([key, value]) => `${key}=${value}`)
    .join(', ') || 'no such tag'
