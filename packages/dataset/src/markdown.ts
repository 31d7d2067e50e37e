import { printableLine } from '@skyscript/core'

/** Text in Markdown: nothing in it is taken for markup. */
export const plain = (text: string): string => printableLine(text).replace(/[\\`*_[\]<>|]/g, '\\$&')

/** Text as inline code. */
export const code = (text: string): string => `\`${printableLine(text).replaceAll('`', '')}\``

/** Cells are Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
