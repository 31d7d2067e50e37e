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

const userRuleTables = ruleTables.partial().extend({
  /** Tags, `key=value`, in the order that captions name them, in place of the order by frequency. */
  tagOrder: names.optional(),
})

export type RuleTables = z.infer<typeof ruleTables>

/** Rows in order; of two for one tag the later counts. `maxGsd` in m/pixel, null: never seen. */
export type GroundableTable = readonly {
  readonly key: string
  readonly value: string
  readonly maxGsd: number | null
  readonly why: string
}[]

/** How often a tag is used in OSM. */
export type FrequencyTable = readonly { readonly key: string; readonly value: string; readonly count: number }[]

export interface Tables {
  readonly groundable: GroundableTable
  readonly frequency: FrequencyTable
  readonly rules: RuleTables
}

const read = (name: string) => readFileSync(new URL(`./tables/${name}`, import.meta.url), 'utf8')

/**
 * The shipped tables with the user's changes.
 *
 * @throws InputError `bad-tag-table` or `bad-rule-tables`
 */
export function loadTables(overrides: { tags?: string; rules?: string }): Tables {
  const groundable = rowsOf(read('groundable-tags.csv')).map(([key, value, gsd, why]) => ({
    key: key!,
    value: value!,
    maxGsd: Number(gsd),
    why: `table: ${why}`,
  }))
  const frequency = rowsOf(read('tag-frequency.csv')).map(([key, value, count]) => ({
    key: key!,
    value: value!,
    count: Number(count),
  }))
  const { tagOrder, ...rules } = overrides.rules === undefined ? {} : userRules(overrides.rules)
  return {
    groundable: overrides.tags === undefined ? groundable : [...groundable, ...userTags(overrides.tags)],
    frequency: tagOrder === undefined ? frequency : asFrequency(tagOrder),
    rules: { ...ruleTables.parse(JSON.parse(read('caption-rules.json'))), ...(rules as Partial<RuleTables>) },
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

const USER_ROW = /^("(?:[^"]|"")*"|[^",]+),("(?:[^"]|"")*"|[^",]+),([\d.]*)(?:,.*)?$/
const unquoted = (field: string) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field)

/** `key,value,max_gsd`; an empty max_gsd takes a tag out. */
function userTags(text: string): GroundableTable {
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (!/^key,value,max_gsd\b/.test(header)) {
    throw new InputError('bad-tag-table', 'captions.tags must be a CSV file whose first line is key,value,max_gsd.')
  }
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return []
    const match = USER_ROW.exec(line)
    const maxGsd = match?.[3] === '' ? null : Number(match?.[3])
    if (!match || (maxGsd !== null && !(GSD_CLASSES as readonly number[]).includes(maxGsd))) {
      throw new InputError(
        'bad-tag-table',
        `captions.tags, line ${i + 2}: must be key,value,max_gsd with max_gsd one of ${GSD_CLASSES.join(', ')} or empty for never.`,
      )
    }
    return { key: unquoted(match[1]!), value: unquoted(match[2]!), maxGsd, why: 'your table' }
  })
}

function userRules(text: string): z.infer<typeof userRuleTables> {
  let parsed: unknown
  try {
    parsed = parseYaml(text)
  } catch (error) {
    const [line] = (error as Error).message.split('\n')
    throw new InputError('bad-rule-tables', `captions.rules is not YAML or JSON: ${line}`)
  }
  const result = userRuleTables.safeParse(parsed)
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`)
    throw new InputError('bad-rule-tables', `captions.rules: ${faults.join('; ')}`)
  }
  return result.data
}

/** A wanted order as counts that fall. */
function asFrequency(tags: readonly string[]): FrequencyTable {
  return tags.map((tag, i) => {
    const at = tag.indexOf('=')
    if (at === -1) {
      throw new InputError('bad-rule-tables', `captions.rules: tagOrder[${i}] must be key=value, not "${tag}".`)
    }
    return { key: tag.slice(0, at), value: tag.slice(at + 1), count: tags.length - i }
  })
}
