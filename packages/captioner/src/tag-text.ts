import { draftOf, textOf } from './phrases.ts'
import { loadTables } from './tables.ts'

let rules: ReturnType<typeof loadTables>['rules'] | undefined

/** What a text model is shown of a tag: its phrase in captions, by the shipped rules. */
export function tagText(key: string, value: string): string {
  rules ??= loadTables({}).rules
  return textOf(draftOf(key, value, rules))
}
