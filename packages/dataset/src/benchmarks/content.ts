import { createHash } from 'node:crypto'

/** An image of a benchmark, and the label or caption that it was given there. */
export interface ContentRow {
  /** Of the image's file. */
  readonly sha256: string
  readonly value: string
}

/** A hash of what a benchmark consists of, whatever the order of its rows and the layout of its files. */
export function contentHash(rows: readonly ContentRow[]): string {
  const digest = createHash('sha256')
  for (const line of rows.map(({ sha256, value }) => `${sha256} ${JSON.stringify(value)}\n`).sort()) digest.update(line)
  return digest.digest('hex')
}
