import { RULES } from './rules/index.ts'
import type { Draft } from './rules/rule.ts'
import type { RuleTables } from './tables.ts'
import { plainText } from './text.ts'

/** Distinct tags whose phrases are kept at hand; free-text values would otherwise fill the memory. */
const MEMORY = 100_000

/** Tag -> phrase by the rules in turn; the same tag always gives the same phrase. */
export function createPhrases(tables: RuleTables): (key: string, value: string) => string {
  const memory = new Map<string, string>()
  return (key, value) => {
    const tag = `${key}=${value}`
    const known = memory.get(tag)
    if (known !== undefined) return known
    let draft: Draft = { key, value, prefix: [], keyText: words(key), connector: 'of', valueText: words(value) }
    for (const { apply } of RULES) draft = apply(draft, tables)
    const phrase = [...draft.prefix, draft.keyText, ...(draft.valueText === '' ? [] : [draft.connector, draft.valueText])].filter((part) => part !== '').join(' ')
    if (memory.size >= MEMORY) memory.clear()
    memory.set(tag, phrase)
    return phrase
  }
}

/** `_` and `:` are spaces; lists are read as lists. */
function words(text: string): string {
  return plainText(text.replace(/[_:]/g, ' ').replace(/\s*;\s*/g, '; '))
}
