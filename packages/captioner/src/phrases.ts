import { RULES } from './rules/index.ts'
import type { Draft } from './rules/rule.ts'
import type { RuleTables } from './tables.ts'
import { plainText } from './text.ts'

/** The phrase of a tag, made by the rules in turn; empty where nothing of its text may be written. */
export function phraseOf(key: string, value: string, tables: RuleTables): string {
  let draft: Draft = { key, value, prefix: '', keyText: words(key), connector: 'of', valueText: words(value) }
  for (const { apply } of RULES) draft = apply(draft, tables)
  const { prefix, keyText, connector, valueText } = draft
  return [prefix, keyText, valueText === '' || keyText === '' ? '' : connector, valueText]
    .filter((part) => part !== '')
    .join(' ')
}

/** `_` and `:` are spaces; lists are read as lists. */
function words(text: string): string {
  return plainText(text.replace(/[_:]/g, ' ').replace(/\s*;\s*/g, '; '))
}
