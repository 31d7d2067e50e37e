import type { RuleTables } from '../tables.ts'

/**
 * A phrase in the making: prefix, key, connector and value, joined by spaces; without a value there is no connector.
 * Rules are applied in the order of index.ts, each seeing what the ones before it made.
 */
export interface Draft {
  /** The tag; a rule that takes a prefix off the key leaves the rest here for those after it. */
  readonly key: string
  readonly value: string
  readonly prefix: string
  readonly keyText: string
  readonly connector: string
  readonly valueText: string
}

export interface Rule {
  /** The file's name without extension. */
  readonly name: string
  readonly apply: (draft: Draft, tables: RuleTables) => Draft
}

/** Tags may be named like members of every object (`constructor`), which no table means. */
export function lookUp(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
