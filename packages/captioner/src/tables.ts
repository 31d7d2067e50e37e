import { readFileSync } from 'node:fs'
import { checkWith, constant, InputError, type Labels, once, parseCsv } from '@skyscript/core'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import type { TagTables } from './groundability.ts'
import { parseHiddenRules } from './hidden-objects.ts'
import { parseTagTable, type TagRow } from './tag-table.ts'

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

/** How often tags are used in OSM, the most used first. */
export type FrequencyTable = readonly { readonly key: string; readonly value: string; readonly count: number }[]

export interface Tables {
  readonly tags: TagTables
  readonly frequency: FrequencyTable
  readonly rules: RuleTables
}

const read = (name: string) => readFileSync(new URL(`./tables/${name}`, import.meta.url), 'utf8')

/**
 * The shipped tables with the user's changes and what a classifier made of the tags that no table knows.
 *
 * @throws InputError `bad-tag-table` or `bad-rule-tables`
 */
export function loadTables(overrides: {
  tags?: string
  rules?: string
  learned?: readonly TagRow[]
  labels?: Labels
}): Tables {
  const { tagOrder, ...rules } = overrides.rules === undefined ? {} : userRules(overrides.rules)
  return {
    tags: {
      overrides: overrides.tags === undefined ? [] : parseTagTable(overrides.tags, 'captions.tags'),
      labels: shippedLabels(),
      keyRules: shippedKeyRules(),
      ...(overrides.labels === 'skyscript-2023' && { leaks: shippedLeaks() }),
      learned: overrides.learned ?? [],
      neverReasons: neverReasons().map(({ reason }) => reason),
      hidden: shippedHiddenRules(),
    },
    frequency: tagOrder === undefined ? shippedFrequency() : asFrequency(tagOrder),
    rules: { ...ruleTables.parse(JSON.parse(read('caption-rules.json'))), ...(rules as Partial<RuleTables>) },
  }
}

/** The tags that were judged by hand. */
export const shippedLabels = once((): readonly TagRow[] =>
  constant(parseTagTable(read('tag-labels.csv'), 'tag-labels.csv')),
)

const shippedHiddenRules = once(() => constant(parseHiddenRules(read('hidden-objects.csv'))))

const shippedKeyRules = once((): readonly TagRow[] => constant(parseTagTable(read('key-rules.csv'), 'key-rules.csv')))

/** Its last row, `*,*`, is for words that nothing knows. */
const shippedLeaks = once((): NonNullable<TagTables['leaks']> => {
  const rows = parseTagTable(read('skyscript-2023.csv'), 'skyscript-2023.csv')
  return constant({ rows: rows.slice(0, -1), unjudged: rows.at(-1)! })
})

/** Why tags are never seen: the words that the tables use, and what they mean. */
export const neverReasons = once((): readonly { readonly reason: string; readonly meaning: string }[] =>
  parseCsv(read('never-reasons.csv'), 'never-reasons.csv').rows.map(({ fields: [reason, meaning] }) => ({
    reason: reason!,
    meaning: meaning!,
  })),
)

const shippedFrequency = once((): FrequencyTable => {
  const { rows } = parseCsv(read('tag-frequency.csv'), 'tag-frequency.csv')
  return constant(rows.map(({ fields: [key, value, count] }) => ({ key: key!, value: value!, count: Number(count) })))
})

function userRules(text: string): z.infer<typeof userRuleTables> {
  let parsed: unknown
  try {
    parsed = parseYaml(text)
  } catch (error) {
    const [line] = (error as Error).message.split('\n')
    throw new InputError('bad-rule-tables', `captions.rules is not YAML or JSON: ${line}`)
  }
  const checked = checkWith(userRuleTables, parsed, 'file')
  if ('faults' in checked) throw new InputError('bad-rule-tables', `captions.rules: ${checked.faults.join('; ')}`)
  return checked.value
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
