import { readFileSync } from 'node:fs'
import { InputError } from '@skyscript/core'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { GSD_CLASSES } from './groundability.ts'

const names = z.array(z.string().min(1))
const replacements = z.record(z.string(), z.string())

/** What the caption rules look up; each rule's file says what it takes from here. */
const ruleTables = z.strictObject({
  /** Key prefixes that stay in front of the phrase: `abandoned:highway` is a kind of highway. */
  lifecycle: names,
  /** Keys whose phrase has no connector: `power line`. */
  noConnector: names,
  /** Last words of keys that take `is`: `tracktype is grade3`. */
  isWords: names,
  /** Other words for keys. */
  keyNames: replacements,
  /** Tags, `key=value`, whose value is written otherwise. */
  valueNames: replacements,
  /** Tags, `key=value`, with a phrase of their own. */
  phrases: replacements,
  /** Words for values of roads, and which of those values make a `highway` of a road. */
  roadValues: replacements,
  highwayValues: names,
  /** Keys whose values are kinds of road. */
  roadKeys: names,
})
export type RuleTables = z.infer<typeof ruleTables>

/** Max GSD in m/pixel and reason by `key=value`; null: never seen. */
export type GroundableTable = Readonly<Record<string, { readonly maxGsd: number | null; readonly why: string }>>

export interface Tables {
  readonly groundable: GroundableTable
  /** How often a tag is used in OSM, by `key=value`. */
  readonly frequency: Readonly<Record<string, number>>
  readonly rules: RuleTables
}

const read = (name: string) => readFileSync(new URL(`./tables/${name}`, import.meta.url), 'utf8')

/** The shipped tables with the user's changes. */
export function loadTables(overrides: { tags?: string; rules?: string }): Tables {
  const groundable = Object.fromEntries(rowsOf(read('groundable-tags.csv')).map(([key, value, gsd, why]) => [`${key}=${value}`, { maxGsd: Number(gsd), why: `table: ${why}` }]))
  return {
    groundable: overrides.tags === undefined ? groundable : { ...groundable, ...userTags(overrides.tags) },
    frequency: Object.fromEntries(rowsOf(read('tag-frequency.csv')).map(([key, value, count]) => [`${key}=${value}`, Number(count)])),
    rules: withUserRules(ruleTables.parse(JSON.parse(read('caption-rules.json'))), overrides.rules),
  }
}

/** The shipped tables hold no quotes, so a comma is always a separator; the first line is the header. */
function rowsOf(csv: string): string[][] {
  return csv
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split(','))
}

const userRow = /^("(?:[^"]|"")*"|[^",]+),("(?:[^"]|"")*"|[^",]+),([\d.]*)(?:,.*)?$/
const unquoted = (field: string) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field)

/** `key,value,max_gsd`; an empty max_gsd takes a tag out. */
function userTags(text: string): GroundableTable {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (!/^key,value,max_gsd\b/.test(lines[0] ?? '')) {
    throw new InputError('bad-tag-table', 'captions.tags must be a CSV file whose first line is key,value,max_gsd.')
  }
  const entries: [string, GroundableTable[string]][] = []
  for (const [i, line] of lines.entries()) {
    if (i === 0 || line.trim() === '') continue
    const match = userRow.exec(line)
    const gsd = match?.[3] === '' ? null : Number(match?.[3])
    if (!match || (gsd !== null && !(GSD_CLASSES as readonly number[]).includes(gsd))) {
      throw new InputError('bad-tag-table', `captions.tags, line ${i + 1}: must be key,value,max_gsd with max_gsd one of ${GSD_CLASSES.join(', ')} or empty for never.`)
    }
    entries.push([`${unquoted(match[1]!)}=${unquoted(match[2]!)}`, { maxGsd: gsd, why: 'your table' }])
  }
  return Object.fromEntries(entries)
}

function withUserRules(shipped: RuleTables, text: string | undefined): RuleTables {
  if (text === undefined) return shipped
  let parsed: unknown
  try {
    parsed = parseYaml(text)
  } catch (error) {
    throw new InputError('bad-rule-tables', `captions.rules is not YAML or JSON: ${(error as Error).message.split('\n')[0]}`)
  }
  const result = ruleTables.partial().safeParse(parsed)
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`)
    throw new InputError('bad-rule-tables', `captions.rules: ${faults.join('; ')}`)
  }
  return { ...shipped, ...(result.data as Partial<RuleTables>) }
}
