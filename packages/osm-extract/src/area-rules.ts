import features from 'osm-polygon-features'
import type { Element } from './element.ts'
import { KeyAnswers } from './strings.ts'

interface Feature {
  readonly key: string
  readonly polygon: 'all' | 'whitelist' | 'blacklist'
  readonly values?: readonly string[]
}

const RULES = new Map(
  (features as Feature[]).map(({ key, polygon, values }) => [key, { polygon, values: new Set(values) }]),
)
const rules = new KeyAnswers(RULES)

/**
 * Whether a closed way with these tags is an area, by https://wiki.openstreetmap.org/wiki/Overpass_turbo/Polygon_Features:
 * `area=no` never, else a key on the list with a value that is not excepted (a round hedge or a roundabout is a line).
 */
export function isArea({ strings, keyIds, valueIds, from, to, step, valueShift }: Element): boolean {
  let area = false
  for (let i = from; i < to; i += step) {
    const key = keyIds.values[i]!
    const rule = rules.of(strings, key)
    if (typeof rule === 'number') continue
    const value = strings.get(valueIds.values[i + valueShift]!)
    if (value === 'no') {
      if (strings.get(key) === 'area') return false
    } else if (rule.polygon === 'all' || (rule.polygon === 'whitelist') === rule.values.has(value)) area = true
  }
  return area
}
