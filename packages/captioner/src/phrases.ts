import { RULES } from './rules/index.ts'
import type { Draft } from './rules/rule.ts'
import type { RuleTables } from './tables.ts'
import { plainText } from './text.ts'

/** The phrase of a tag in its parts, made by the rules in turn. */
export function draftOf(key: string, value: string, tables: RuleTables): Draft {
  let draft: Draft = { key, value, prefix: '', keyText: words(key), connector: 'of', valueText: words(value) }
  for (const { apply } of RULES) draft = apply(draft, tables)
  return draft
}

/**
 * The parts as one text; empty where nothing of the tag's text may be written.
 *
 * @param connectors other words for `of` and `is`
 */
export function textOf(draft: Draft, connectors: Readonly<Record<string, string>> = {}): string {
  const { prefix, keyText, connector, valueText } = draft
  const between = valueText === '' || keyText === '' ? '' : (connectors[connector] ?? connector)
  return [prefix, keyText, between, valueText].filter((part) => part !== '').join(' ')
}

/** OSM's longest key or value, in characters of one or two UTF-16 units. */
const LONGEST = 255

/** `_` and `:` are spaces; lists are read as lists. Empty for what OSM can't hold, rather than cut inside a phrase. */
function words(text: string): string {
  if (text.length > 2 * LONGEST || [...text].length > LONGEST) return ''
  return plainText(text.replace(/[_:]/g, ' ').replace(/\s*;\s*/g, '; '))
}
