import type { GroundableTable } from './tables.ts'

/** Classes of maximum ground sampling distance in m/pixel (paper, section "Tag classification"). */
export const GSD_CLASSES = [0.1, 0.2, 0.6, 1, 10] as const

/** The coarsest class is open-ended: what is seen at 10 m is still seen in Landsat's 30 m images of large areas. */
export const OPEN_ENDED_GSD = 30

export interface Groundability {
  readonly groundable: boolean
  /** Coarsest GSD in m/pixel at which the tag can be seen, 30 for the open-ended class; null: never. */
  readonly maxGsd: number | null
  /** What decided. */
  readonly why: string
}

const UNKNOWN: Groundability = { groundable: false, maxGsd: null, why: 'not in the table' }

/** Keys that say nothing about looks, whatever a table may hold: names, addresses, references, sources, dates, rules of use. */
const NEVER =
  /^(name|addr|ref|source|note|fixme|description|website|url|phone|fax|email|contact|operator|owner|brand|opening_hours|wikidata|wikipedia|created_by|start_date|end_date|check_date|survey|access|maxspeed|maxweight|maxheight|height|ele|admin_level|postal_code|population|uid|gnis|tiger)(:|$)|:(ref|levels|wikidata|wikipedia)$|(^|[:_])(name|levels)$/

export function createGroundability(table: GroundableTable): {
  groundability(key: string, value: string): Groundability
  /** Whether a tag describes an image of this GSD (m/pixel). */
  seenAt(key: string, value: string, gsd: number): boolean
} {
  const known = new Map<string, Groundability>()
  for (const [tag, { maxGsd, why }] of Object.entries(table)) {
    const seenTo = maxGsd === GSD_CLASSES.at(-1) ? OPEN_ENDED_GSD : maxGsd
    known.set(tag, { groundable: maxGsd !== null, maxGsd: seenTo, why })
  }
  const groundability = (key: string, value: string): Groundability => {
    const found = known.get(`${key}=${value}`)
    if (!found) return UNKNOWN
    return NEVER.test(key) ? { groundable: false, maxGsd: null, why: `${key} never shows` } : found
  }
  return { groundability, seenAt: (key, value, gsd) => gsd <= (groundability(key, value).maxGsd ?? -1) }
}
