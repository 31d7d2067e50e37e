import { printable } from '@skyscript/core'

/** Markup that is safe as it stands. Only `html` makes it. */
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
 * A template whose values are text unless they are `Html` already: every value is escaped and freed of control
 * characters and of marks that turn the direction of text, so no caption can end an attribute, open a tag or reverse
 * the page. Lists are joined without anything between.
 */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(parts.reduce((text, part, i) => text + part + (i < values.length ? markupOf(values[i]) : ''), ''))
}

function markupOf(value: unknown): string {
  if (value instanceof Html) return value.markup
  if (Array.isArray(value)) return value.map(markupOf).join('')
  return printable(String(value)).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
