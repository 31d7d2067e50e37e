import { fitsPattern, type HiddenRule, isHiddenBy, type TagPattern, type Tags } from '@skyscript/core'
import { compilePattern, isPattern } from './tag-pattern.ts'
import { GSD_CLASSES, type TagRow } from './tag-table.ts'

const COARSEST_CLASS = GSD_CLASSES.at(-1)!

/**
 * What the coarsest class stands for in m/pixel. The paper's classes end at 10 m, yet it describes Landsat's 30 m
 * images: what is seen at 10 m is seen in the 30 m image of a large area too.
 */
export const OPEN_ENDED_GSD = 30

export interface Groundability {
  readonly groundable: boolean
  /** The tag's class: the coarsest GSD in m/pixel at which it can be seen, 10 being open-ended; null: never seen. */
  readonly maxGsd: number | null
  /** What decided: `override`, `label`, `key rule`, `skyscript-2023`, `classifier` or `unknown`, and its reason. */
  readonly why: string
}

/** What decides of tags; the first that knows a tag decides. */
export interface TagTables {
  /** The user's rows; a key or value with `*` or `#` is a pattern. */
  readonly overrides: readonly TagRow[]
  /** Tags judged one by one. */
  readonly labels: readonly TagRow[]
  /** Patterns; of those that match a tag the first decides. */
  readonly keyRules: readonly TagRow[]
  /**
   * What the original let through though no picture shows it, as patterns of which the first that matches decides, and
   * what is let through of words that nothing knows; absent: only what can be seen.
   */
  readonly leaks?: { readonly rows: readonly TagRow[]; readonly unjudged: TagRow }
  /** What the classifier said of tags that the others don't know. */
  readonly learned: readonly TagRow[]
  /** Why tags are never visible, the most telling reason first. */
  readonly neverReasons: readonly string[]
  readonly hidden: readonly HiddenRule[]
}

/**
 * All decisions as data, so that threads can be told of them: first `tags`, by key and value, then the first of
 * `patterns` that matches, else the last reason. A verdict is null for a tag that can be seen at some GSD, otherwise
 * the place of its reason in `reasons`.
 */
export interface TagVerdicts {
  readonly tags: ReadonlyMap<string, ReadonlyMap<string, number | null>>
  /** `key` or `value` null: any. */
  readonly patterns: readonly {
    readonly key: TagPattern
    readonly value: TagPattern
    readonly verdict: number | null
  }[]
  /** Why objects are left out, as they are counted; of an object with several the first counts. */
  readonly reasons: readonly string[]
  /** Objects that are left out though they have a tag that can be seen; the first of these that fits says why. */
  readonly hidden: readonly HiddenRule[]
}

/** To what a tag is named. */
export interface Sight {
  /** The coarsest GSD in m/pixel of an image that a tag describes, the open-ended class written out; 0: none. */
  readonly seenTo: number
  /** Whether no picture shows it: it is named in captions and decides no image. */
  readonly isLeak: boolean
}

export interface Judge {
  groundability(key: string, value: string): Groundability
  sight(key: string, value: string): Sight
  /** Whether only a classifier could tell: no table knows the tag, and key and value are words of OSM's vocabulary. */
  isUndecided(key: string, value: string): boolean
  /** Why an object can't be seen from above whatever its other tags are, such as `hidden:covered`; null: no rule hides it. */
  hidden(tags: Tags): string | null
  verdicts(): TagVerdicts
  /** The undecided tags likewise, with null as their verdict. */
  undecided(): TagVerdicts
}

interface Decision extends Groundability {
  readonly isLeak: boolean
  /** Why an object with only this tag is left out; empty if it is visible. */
  readonly reason: string
}

interface Pattern {
  readonly key: TagPattern
  readonly value: TagPattern
  readonly decision: Decision
}

/** What is known of a key, looked for once. */
interface KeyDecisions {
  readonly values: ReadonlyMap<string, Decision> | undefined
  readonly patterns: readonly Pattern[]
}

const PREFIX = 'not-groundable'
const LEAKS = 'skyscript-2023'
const UNKNOWN: Decision = {
  isLeak: false,
  groundable: false,
  maxGsd: null,
  why: 'unknown: no table has it',
  reason: `${PREFIX}:unknown`,
}

/** Keys come from anyone's files: more than this many are not kept. */
const KEYS_AT_HAND = 20_000

/** Keys and values of OSM's vocabulary: lower-case words, as against names, numbers and codes. `no` says that nothing is there. */
const VOCABULARY = /^(?!no$)[a-z][a-z_:;-]{1,39}$/

/** The label that no leak changes: what isn't there. */
const ABSENT = 'absent'

export function createJudge(tables: TagTables): Judge {
  const decided = (row: TagRow, by: string, reason = row.reason): Decision => ({
    isLeak: false,
    groundable: row.maxGsd !== null,
    maxGsd: row.maxGsd,
    why: row.reason === '' ? by : `${by}: ${row.reason}`,
    reason: row.maxGsd === null ? `${PREFIX}:${reason}` : '',
  })
  const patternOf = (row: TagRow, decision: Decision): Pattern => ({
    key: compilePattern(row.key),
    value: compilePattern(row.value),
    decision,
  })
  const isWild = ({ key, value }: TagRow) => isPattern(key) || isPattern(value)
  const overridePatterns = tables.overrides
    .filter(isWild)
    .map((row) => patternOf(row, decided(row, 'override', 'override')))
  const keyPatterns = tables.keyRules.map((row) => patternOf(row, decided(row, `key rule ${row.key}=${row.value}`)))
  const leaked = (row: TagRow): Decision => ({ ...decided(row, LEAKS), isLeak: row.maxGsd !== null })
  const leakPatterns = (tables.leaks?.rows ?? []).map((row) => patternOf(row, leaked(row)))
  const ofLeaks = new Set(leakPatterns)
  const unjudged = tables.leaks && leaked(tables.leaks.unjudged)
  const patterns = [...overridePatterns, ...leakPatterns, ...keyPatterns]
  const matching = (list: readonly Pattern[], key: string, value: string) =>
    list.find((pattern) => fitsPattern(pattern.key, key) && fitsPattern(pattern.value, value))

  const exact = new Map<string, Map<string, Decision>>()
  const put = ({ key, value }: TagRow, decision: Decision) => {
    exact.set(key, (exact.get(key) ?? new Map<string, Decision>()).set(value, decision))
  }
  for (const row of tables.learned) {
    if (!matching(patterns, row.key, row.value)) put(row, decided(row, 'classifier', 'classifier'))
  }
  for (const row of tables.labels) {
    if (matching(overridePatterns, row.key, row.value)) continue
    const leak = row.maxGsd === null && row.reason !== ABSENT ? matching(leakPatterns, row.key, row.value) : undefined
    put(row, leak?.decision.isLeak ? leak.decision : decided(row, 'label'))
  }
  for (const row of tables.overrides) if (!isWild(row)) put(row, decided(row, 'override', 'override'))

  const keys = new Map<string, KeyDecisions>()
  const ofKey = (key: string): KeyDecisions => {
    const known = keys.get(key)
    if (known) return known
    if (keys.size >= KEYS_AT_HAND) keys.clear()
    const found = { values: exact.get(key), patterns: patterns.filter((pattern) => fitsPattern(pattern.key, key)) }
    keys.set(key, found)
    return found
  }
  const decisionOf = (key: string, value: string): Decision => {
    const { values, patterns: fitting } = ofKey(key)
    const known = values?.get(value)
    if (known) return known
    const fits = (pattern: Pattern) => fitsPattern(pattern.value, value)
    const decision = fitting.find(fits)?.decision
    if (decision === undefined) return unjudged && isWord(key, value) ? unjudged : UNKNOWN
    if (!decision.isLeak) return decision
    // What can be seen is no leak.
    const rule = fitting.find((pattern) => !ofLeaks.has(pattern) && fits(pattern))?.decision
    return rule?.groundable ? rule : decision
  }
  const isUnknown = (decision: Decision) => decision === UNKNOWN || decision === unjudged
  return {
    groundability(key, value) {
      const { groundable, maxGsd, why } = decisionOf(key, value)
      return { groundable, maxGsd, why }
    },
    sight(key, value) {
      const { maxGsd, isLeak } = decisionOf(key, value)
      return { seenTo: maxGsd === COARSEST_CLASS ? OPEN_ENDED_GSD : (maxGsd ?? 0), isLeak }
    },
    isUndecided: (key, value) => isUnknown(decisionOf(key, value)) && isWord(key, value),
    hidden: (tags) => {
      const entries = Object.entries(tags)
      const rule = tables.hidden.find((each) => isHiddenBy(each, entries))
      return rule === undefined ? null : hiddenReason(rule)
    },
    verdicts: () => verdictsOf(exact, patterns, tables, unjudged !== undefined),
    undecided: () => undecidedOf(exact, patterns),
  }
}

const isWord = (key: string, value: string) => VOCABULARY.test(key) && VOCABULARY.test(value)

const hiddenReason = ({ reason }: HiddenRule) => `hidden:${reason}`

function verdictsOf(
  exact: ReadonlyMap<string, ReadonlyMap<string, Decision>>,
  patterns: readonly Pattern[],
  { neverReasons, hidden }: TagTables,
  takesWords: boolean,
): TagVerdicts {
  const reasons = [
    ...['override', ...neverReasons, 'classifier'].map((reason) => `${PREFIX}:${reason}`),
    UNKNOWN.reason,
  ]
  const places = new Map(reasons.map((reason, i) => [reason, i]))
  const verdictOf = ({ groundable, reason }: Decision) => (groundable ? null : places.get(reason)!)
  const told: TagVerdicts['patterns'] = [
    ...patterns.map(({ key, value, decision }) => ({ key, value, verdict: verdictOf(decision) })),
    ...(takesWords ? [{ key: VOCABULARY, value: VOCABULARY, verdict: null }] : []),
  ]
  const out = hidden.map((rule) => ({ ...rule, reason: hiddenReason(rule) }))
  return { tags: beyondPatterns(exact, told, verdictOf, reasons.length - 1), patterns: told, reasons, hidden: out }
}

function undecidedOf(
  exact: ReadonlyMap<string, ReadonlyMap<string, Decision>>,
  patterns: readonly Pattern[],
): TagVerdicts {
  const [decided, otherwise] = [0, 1]
  const told = [
    ...patterns.map(({ key, value }) => ({ key, value, verdict: decided })),
    { key: VOCABULARY, value: VOCABULARY, verdict: null },
  ]
  return {
    tags: beyondPatterns(exact, told, () => decided, otherwise),
    patterns: told,
    reasons: ['decided', 'not-a-word'],
    hidden: [],
  }
}

/**
 * Single tags of which something else is said than the patterns say anyway: keys like addr:street have thousands of
 * values that need no place of their own.
 */
function beyondPatterns(
  exact: ReadonlyMap<string, ReadonlyMap<string, Decision>>,
  patterns: TagVerdicts['patterns'],
  verdictOf: (decision: Decision) => number | null,
  otherwise: number,
): TagVerdicts['tags'] {
  const tags = new Map<string, ReadonlyMap<string, number | null>>()
  for (const [key, values] of exact) {
    const fitting = patterns.filter((pattern) => fitsPattern(pattern.key, key))
    const own = [...values]
      .map(([value, decision]) => [value, verdictOf(decision)] as const)
      .filter(([value, verdict]) => {
        const pattern = fitting.find((each) => fitsPattern(each.value, value))
        return verdict !== (pattern === undefined ? otherwise : pattern.verdict)
      })
    if (own.length > 0) tags.set(key, new Map(own))
  }
  return tags
}
