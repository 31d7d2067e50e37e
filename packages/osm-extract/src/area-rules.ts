import features from 'osm-polygon-features'

interface Feature {
  readonly key: string
  readonly polygon: 'all' | 'whitelist' | 'blacklist'
  readonly values?: readonly string[]
}

const RULES = new Map(
  (features as Feature[]).map(({ key, polygon, values }) => [key, { polygon, values: new Set(values) }]),
)

/**
 * Whether a closed way with these tags is an area, by https://wiki.openstreetmap.org/wiki/Overpass_turbo/Polygon_Features:
 * `area=no` never, else a key on the list with a value that is not excepted (a round hedge or a roundabout is a line).
 */
export function isArea(tags: readonly (readonly [string, string])[]): boolean {
  let area = false
  for (const [key, value] of tags) {
    if (key === 'area' && value === 'no') return false
    const rule = RULES.get(key)
    if (rule === undefined || value === 'no') continue
    if (rule.polygon === 'all' || (rule.polygon === 'whitelist') === rule.values.has(value)) area = true
  }
  return area
}
