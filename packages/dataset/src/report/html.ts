import { printable } from '@skyscript/core'

/** Safe markup. Only `html` creates it. */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * A template that takes values as text unless they are `Html`. Text is escaped and loses its control characters and
 * direction marks, so no caption can end an attribute, open a tag or reverse the page. Lists are joined without a
 * separator.
 */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(parts.reduce((text, part, i) => text + part + (i < values.length ? markupOf(values[i]) : ''), ''))
}

function markupOf(value: unknown): string {
  if (value instanceof Html) return value.markup
  if (Array.isArray(value)) return value.map(markupOf).join('')
  return printable(String(value)).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
