/** Tables of styles: CSV files beside this one, of which the first row that fits an object decides. */
import { readFileSync } from 'node:fs'
import { parseCsv, type Tags } from '@skyscript/core'

/** A row of a table, by column; a column that a row leaves empty is ''. */
export type Row = Readonly<Record<string, string>>

/** The rows of `<name>.csv`. */
export function readTable(name: string): Row[] {
  const { columns, rows } = parseCsv(readFileSync(new URL(`./${name}.csv`, import.meta.url), 'utf8'), `${name}.csv`)
  return rows.map(({ fields }) => Object.fromEntries(columns.map((column, i) => [column, fields[i] ?? ''])))
}

/** The entries of a table with one row for each name. */
export function readNamed<T>(name: string, column: string, make: (row: Row) => T): ReadonlyMap<string, T> {
  return new Map(readTable(name).flatMap((row) => row[column]!.split('|').map((each) => [each, make(row)] as const)))
}

type Condition = (tags: Tags) => boolean

/**
 * Reads what a row asks for beyond its key and value: `key=a|b` (one of these values), `key!=a|b` (none of them),
 * `key~a|b` (the first of a list is one of them), `!key` (no such tag). `a/b` is the first of two tags that is there.
 */
function conditionOf(text: string): Condition {
  if (text === '') return () => true
  if (text.startsWith('!')) return (tags) => tags[text.slice(1)] === undefined
  const [, left, operator, right] = /^([^=!~]+)(=|!=|~)(.+)$/.exec(text)!
  const keys = left!.split('/')
  const values = right!.split('|')
  return (tags) => {
    const value = tags[keys.find((key) => tags[key] !== undefined) ?? ''] ?? ''
    return values.includes(operator === '~' ? value.split(';')[0]! : value) !== (operator === '!=')
  }
}

/** A table with the columns `key`, `value` (alternatives joined by `|`, `*` for any) and `when`, to look tags up in. */
export function tagTable<T>(name: string, make: (row: Row) => T): (tags: Tags) => T | undefined {
  const rows = readTable(name).map((row) => ({
    key: row.key!,
    values: row.value === '*' ? null : new Set(row.value!.split('|')),
    holds: conditionOf(row.when ?? ''),
    made: make(row),
  }))
  return (tags) =>
    rows.find(({ key, values, holds }) => {
      const value = tags[key]
      return value !== undefined && (values === null || values.has(value)) && holds(tags)
    })?.made
}
