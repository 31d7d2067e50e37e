import type { GroundableTable } from './tables.ts'

/** Classes of maximum ground sampling distance in m/pixel (paper, section "Tag classification"). */
export const GSD_CLASSES = [0.1, 0.2, 0.6, 1, 10] as const

const COARSEST_CLASS = 10

/**
 * What the coarsest class stands for in m/pixel. The paper's classes end at 10 m, yet it describes Landsat's 30 m
 * images: what is seen at 10 m is seen in the 30 m image of a large area too.
 */
export const OPEN_ENDED_GSD = 30

export interface Groundability {
  readonly groundable: boolean
  /** The tag's class: the coarsest GSD in m/pixel at which it can be seen, 10 being open-ended; null: never seen. */
  readonly maxGsd: number | null
  /** What decided. */
  readonly why: string
}

const UNKNOWN: Groundability = { groundable: false, maxGsd: null, why: 'not in the table' }

/**
 * Keys that say nothing about looks, whatever a table may hold: names, addresses, references, contacts, sources,
 * dates, rules of use, numbers of levels, speed limits.
 */
const NEVER =
  /^(name|addr|ref|source|note|fixme|description|website|url|phone|fax|email|contact|operator|owner|brand|opening_hours|wikidata|wikipedia|created_by|start_date|end_date|check_date|survey|access|maxspeed|maxweight|maxheight|height|ele|admin_level|postal_code|population|uid|gnis|tiger)(:|$)|:(ref|levels|wikidata|wikipedia)$|(^|[:_])(name|levels)$/

export interface Judge {
  groundability(key: string, value: string): Groundability
  /** The coarsest GSD in m/pixel of an image that a tag describes, the open-ended class written out; 0: none. */
  seenTo(key: string, value: string): number
  /** Every tag that can be seen at some GSD: its values by key. */
  readonly visible: ReadonlyMap<string, ReadonlySet<string>>
}

export function createJudge(table: GroundableTable): Judge {
  // By key first: most tags of an object have a key that no table knows, and cost one look-up.
  const known = new Map<string, Map<string, Groundability>>()
  for (const { key, value, maxGsd, why } of table) {
    const values = known.get(key) ?? new Map<string, Groundability>()
    known.set(key, values)
    const judged = NEVER.test(key)
      ? { groundable: false, maxGsd: null, why: 'key: says nothing about looks' }
      : { groundable: maxGsd !== null, maxGsd, why }
    values.set(value, judged)
  }
  const visible = new Map<string, Set<string>>()
  for (const [key, values] of known) {
    const seen = [...values].flatMap(([value, { groundable }]) => (groundable ? [value] : []))
    if (seen.length > 0) visible.set(key, new Set(seen))
  }
  return {
    visible,
    groundability: (key, value) =>
      known.get(key)?.get(value) ?? (NEVER.test(key) ? { ...UNKNOWN, why: 'key: says nothing about looks' } : UNKNOWN),
    seenTo(key, value) {
      const maxGsd = known.get(key)?.get(value)?.maxGsd ?? 0
      return maxGsd === COARSEST_CLASS ? OPEN_ENDED_GSD : maxGsd
    },
  }
}
