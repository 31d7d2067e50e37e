import { LONGEST_TAG_TEXT } from '@skyscript/core'
import features from 'osm-polygon-features'
import { CHANGES, type KeyRule, LIFECYCLES } from './area-changes.ts'
import type { Element } from './element.ts'
import { KEYS_AT_HAND } from './limits.ts'
import { KeyAnswers, type KeySource } from './strings.ts'

const RULES = new Map(
  [...(features as KeyRule[]), ...CHANGES].map(({ key, polygon, values }) => [
    key,
    { polygon, values: new Set(values) },
  ]),
)
type Rule = NonNullable<ReturnType<typeof RULES.get>>

const NO_RULE = 0

/** The rule of a key, or of what it was before its lifecycle: an `abandoned:building` has the outline of a building. */
class RulesByKey implements KeySource<Rule> {
  readonly #found = new Map<string, Rule | number>()

  get(key: string): Rule | number {
    const known = this.#found.get(key)
    if (known !== undefined) return known
    const at = key.indexOf(':')
    const rule =
      RULES.get(key) ?? (LIFECYCLES.has(key.slice(0, at)) ? RULES.get(key.slice(at + 1)) : undefined) ?? NO_RULE
    if (this.#found.size >= KEYS_AT_HAND) this.#found.clear()
    if (key.length <= LONGEST_TAG_TEXT) this.#found.set(key, rule)
    return rule
  }
}

const rules = new KeyAnswers(new RulesByKey(), NO_RULE)

/**
 * Whether a closed way with these tags is an area: `area=no` never, else a key on
 * https://wiki.openstreetmap.org/wiki/Overpass_turbo/Polygon_Features, as `CHANGES` corrects it, with a value that is not
 * excepted (a hedge around a field or a roundabout is a line).
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
