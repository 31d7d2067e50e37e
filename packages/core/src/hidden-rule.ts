/** Fits that very text, or what the expression finds something in; null: any text. */
export type TagPattern = string | RegExp | null

/** A condition on the tags of an object: that it has one whose key and value fit. */
export interface TagCondition {
  readonly key: TagPattern
  readonly value: TagPattern
}

/** Objects that can't be seen from above whatever their other tags are. Plain data, which threads can be given. */
export interface HiddenRule {
  /** All of them must be met. Checked in this order, so the first should be one that few objects meet; at least one. */
  readonly tags: readonly TagCondition[]
  /** None of them may be met. */
  readonly unless: readonly TagCondition[]
  readonly reason: string
}

/**
 * The longest key or value that an expression is tried on, in UTF-16 units: OSM's API lets them have 255 characters
 * (https://wiki.openstreetmap.org/wiki/API_v0.6), and a longer one from elsewhere may be made to hang an expression.
 */
export const LONGEST_TAG_TEXT = 510

export function fitsPattern(pattern: TagPattern, text: string): boolean {
  if (pattern === null || typeof pattern === 'string') return pattern === null || pattern === text
  // Unlike `test`, it starts at the beginning each time, whatever the expression's flags are.
  return text.length <= LONGEST_TAG_TEXT && text.search(pattern) !== -1
}

export function isHiddenBy({ tags, unless }: HiddenRule, entries: readonly (readonly [string, string])[]): boolean {
  const has = (condition: TagCondition) =>
    entries.some(([key, value]) => fitsPattern(condition.key, key) && fitsPattern(condition.value, value))
  return tags.every(has) && !unless.some(has)
}
