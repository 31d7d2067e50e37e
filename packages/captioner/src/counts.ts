import { readFileSync } from 'node:fs'
import { textOf } from './phrases.ts'
import type { Draft } from './rules/rule.ts'

const { irregular, uncountable } = JSON.parse(
  readFileSync(new URL('./tables/plurals.json', import.meta.url), 'utf8'),
) as { irregular: Record<string, string>; uncountable: string[] }

/**
 * An extra: the phrase of several like objects, in English. What is counted is the key where the phrase has a connector
 * (`roads of residential`), else the value (`power poles`); what has no plural comes as areas (`areas of natural water`).
 */
export function pluralPhrase(draft: Draft): string {
  const countsKey = draft.valueText === '' || draft.connector !== ''
  const plural = pluralOf(countsKey ? draft.keyText : draft.valueText)
  if (plural === null) return `areas of ${textOf(draft)}`
  return textOf(countsKey ? { ...draft, keyText: plural } : { ...draft, valueText: plural })
}

/** Of a text of several words the last one is counted; null for what has no plural. */
function pluralOf(text: string): string | null {
  if (uncountable.includes(text)) return null
  const last = text.slice(text.lastIndexOf(' ') + 1)
  for (const known of [text, last]) {
    if (Object.hasOwn(irregular, known)) return text.slice(0, -known.length) + irregular[known]!
  }
  if (uncountable.includes(last) || !/[a-z]$/.test(last)) return null
  return text.slice(0, -last.length) + regularPlural(last)
}

function regularPlural(word: string): string {
  // Works, barracks, stables: plurals already.
  if (/[^s]s$/.test(word)) return word
  if (/(s|x|ch|sh)$/.test(word)) return `${word}es`
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`
}
