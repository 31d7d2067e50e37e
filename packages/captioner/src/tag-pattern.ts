/** A key or value as tag tables write it: `*` stands for any text, `#` for a number; else the very text. */
export type TagPattern = string | RegExp | null

/** OSM's longest text is 255 characters, two UTF-16 units each at most; on longer ones of anyone's files no expression is tried. */
const LONGEST = 510

const WILD = /[*#]/

export const isPattern = (text: string): boolean => WILD.test(text)

/** @returns null for `*` alone, which needs no look at the text; the text itself where nothing in it is wild */
export function compilePattern(text: string): TagPattern {
  if (text === '*') return null
  if (!isPattern(text)) return text
  return new RegExp(sourceOf(text), 's')
}

function sourceOf(text: string): string {
  const source = text.replace(/[.+?^${}()|[\]\\/-]/g, '\\$&').replaceAll('*', '.*')
  return `^${source.replaceAll('#', '\\d+(?:[.,]\\d+)?')}$`
}

/** Likewise of several patterns, any of which may fit. */
export function compileAnyOf(texts: readonly string[]): TagPattern {
  if (texts.length === 1) return compilePattern(texts[0]!)
  return texts.includes('*') ? null : new RegExp(texts.map(sourceOf).join('|'), 's')
}

export function matches(pattern: TagPattern, text: string): boolean {
  if (pattern === null) return true
  if (typeof pattern === 'string') return pattern === text
  return text.length <= LONGEST && pattern.test(text)
}
