import { type Row, readNamed } from './table.ts'

/** What covers the ground: colours are those of summer in full light, 0 to 255. */
export interface Material {
  readonly colour: readonly [red: number, green: number, blue: number, infrared: number]
  /** How much brighter or darker one object may be than another, and how far its hue may differ. */
  readonly spread: number
  readonly tint: number
  /** Soft patches: strength and wave length in metres. */
  readonly patches: readonly [strength: number, metres: number]
  /** A second, finer layer of patches. */
  readonly fine: readonly [strength: number, metres: number]
  /** Noise of single pixels. */
  readonly grain: number
  /** Trees that stand on it: their share of the crowns of a closed wood, and their size against those of a wood. */
  readonly trees: { readonly kind: TreeKind; readonly density: number; readonly size: number } | null
  /** 1 turns brown in winter and dry summers as grass does, 0 stays. */
  readonly living: number
  /** A key of PATTERNS, or ''. */
  readonly pattern: string
}

/** The trees of a wood. */
export type TreeKind = 'broad' | 'needle' | 'mixed'

const number = (row: Row, column: string, otherwise = 0): number =>
  row[column] === '' ? otherwise : Number(row[column])

/** The materials of materials.csv, by look. */
export const MATERIALS: ReadonlyMap<string, Material> = readNamed('materials', 'look', (row) => {
  const spread = number(row, 'spread', 8)
  return {
    colour: [number(row, 'red'), number(row, 'green'), number(row, 'blue'), number(row, 'infrared')],
    spread,
    tint: number(row, 'tint', spread * 0.4),
    patches: [number(row, 'patches', 7), number(row, 'patch metres', 14)],
    fine: [number(row, 'fine'), number(row, 'fine metres', 1)],
    grain: number(row, 'grain', 4),
    trees:
      row.trees === ''
        ? null
        : { kind: row.trees as TreeKind, density: number(row, 'density'), size: number(row, 'tree size', 1) },
    living: number(row, 'living'),
    pattern: row.pattern!,
  }
})
