/**
 * Makes `src/tables/tag-frequency.csv` from an export of taginfo: how often OSM uses the tags that the other tables name.
 *
 *   node packages/captioner/scripts/tag-frequency.ts <export> [--source <text>]
 *
 * The export is UTF-8 with a header: `key`, `value`, `count` and, if there is one, `basis`, which says where a count comes
 * from, separated by commas (CSV with quotes) or by tabs (no quotes). Of taginfo's database of a day, which is at
 * https://taginfo.openstreetmap.org/download, this makes one:
 *
 *   sqlite3 -csv -header taginfo-db.db 'SELECT key, value, count_all AS count FROM tags WHERE count_all >= 100' > tags.csv
 *
 * Tags of equal counts keep the order of the export.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { InputError, parseCsv } from '@skyscript/core'
import { createCaptioner } from '../src/captioner.ts'
import { shippedLabels } from '../src/tables.ts'

const TABLE = fileURLToPath(new URL('../src/tables/tag-frequency.csv', import.meta.url))

export interface TagCount {
  readonly key: string
  readonly value: string
  readonly count: number
  readonly basis: string
}

/** @throws InputError `bad-export` that names the line */
export function readExport(text: string, name: string, basis: string): TagCount[] {
  const isTabbed = text.slice(0, text.indexOf('\n')).includes('\t')
  const csv = isTabbed
    ? text.replace(/[^\t\r\n]+/g, (field) => `"${field.replaceAll('"', '""')}"`).replaceAll('\t', ',')
    : text
  const { columns, rows } = parseCsv(csv, name, 'bad-export')
  const [key, value, count, ofBasis] = ['key', 'value', 'count', 'basis'].map((column) => columns.indexOf(column)) as [
    number,
    number,
    number,
    number,
  ]
  if (key === -1 || value === -1 || count === -1)
    throw new InputError('bad-export', `${name} must have the columns key, value and count.`)
  return rows.map(({ line, fields }) => {
    if (!/^\d+$/.test(fields[count] ?? ''))
      throw new InputError('bad-export', `${name}, line ${line}: the count must be a whole number.`)
    return { key: fields[key]!, value: fields[value]!, count: Number(fields[count]), basis: fields[ofBasis] ?? basis }
  })
}

/** Whether the label tables judge a tag by itself or let it into captions. Of streets, whose values are names, none is. */
function namedTags(): (key: string, value: string) => boolean {
  const { groundability } = createCaptioner({ labels: 'skyscript-2023' })
  const judged = new Set(shippedLabels().map(({ key, value }) => `${key}=${value}`))
  return (key, value) =>
    judged.has(`${key}=${value}`) || (key !== 'addr:street' && groundability(key, value).groundable)
}

/** The table's text: the tags that other tables name, the most used first. */
export function frequencyTable(counts: readonly TagCount[]): string {
  const quoted = (field: string) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
  const isNamed = namedTags()
  const rows = counts
    .filter(({ key, value, count }) => count > 0 && isNamed(key, value))
    .sort((a, b) => b.count - a.count)
    .map(({ key, value, count, basis }) => [key, value, String(count), basis].map(quoted).join(','))
  return ['key,value,count,source', ...rows, ''].join('\n')
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { source: { type: 'string', default: 'taginfo' } },
    allowPositionals: true,
  })
  const [file] = positionals
  if (file === undefined) throw new InputError('usage', 'Name the export; the head of this script says what it holds.')
  const table = frequencyTable(readExport(readFileSync(file, 'utf8'), file, values.source))
  writeFileSync(TABLE, table)
  process.stdout.write(`${TABLE}: ${table.split('\n').length - 2} tags\n`)
}
