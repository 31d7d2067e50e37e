import type { TagPattern } from '@skyscript/core'

const WILD = /[*#]/

export const isPattern = (text: string): boolean => WILD.test(text)

/**
 * A key or value as tag tables write it: `*` stands for any text, `#` for a number; else that very text.
 *
 * @returns null for a bare `*`, which matches any text; the text itself if it has no wildcard
 */
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
