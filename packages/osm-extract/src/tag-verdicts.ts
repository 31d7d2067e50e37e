import { fitsPattern, type HiddenRule, LONGEST_TAG_TEXT, type TagPattern } from '@skyscript/core'
import { KEYS_AT_HAND } from './limits.ts'
import { type KeySource, MAX_SETTLED } from './strings.ts'

/** null: the tag is meant (wanted, or counted); else the place of its reason in `reasons`. */
export type Verdict = number | null

/** What is said of each tag: the first of these that knows it decides. Plain data, which threads can be given. */
export interface TagVerdicts {
  /** By key, then by value. */
  readonly tags: ReadonlyMap<string, ReadonlyMap<string, Verdict>>
  /**
   * Of these the first whose key and value fit. Expressions are not tried on texts of more than 510 UTF-16 units, of
   * which OSM has none.
   */
  readonly patterns: readonly { readonly key: TagPattern; readonly value: TagPattern; readonly verdict: Verdict }[]
  /**
   * Why elements without a tag that is meant are dropped, as they are counted: of the reasons of its tags an element has the one
   * that stands first here. The last is also that of tags of which nothing is said.
   */
  readonly reasons: readonly string[]
  /** Elements that are dropped though they have a tag that is meant, and why; the first rule that fits decides. */
  readonly hidden?: readonly HiddenRule[]
}

/** @throws TypeError where a verdict is none, or there are no reasons */
export function checkVerdicts({ tags, patterns, reasons, hidden = [] }: TagVerdicts): void {
  if (hidden.some((rule) => rule.tags.length === 0)) throw new TypeError('A rule for hidden elements has no tags.')
  if (reasons.length === 0 || reasons.length > MAX_SETTLED)
    throw new TypeError(`Verdicts need at least one reason and at most ${MAX_SETTLED}; these have ${reasons.length}.`)
  const check = (verdict: Verdict, name: string) => {
    if (verdict !== null && reasons[verdict] === undefined)
      throw new TypeError(`The verdict on ${name} is ${verdict}; give null, or the place of one of the reasons.`)
  }
  for (const [key, values] of tags) for (const [value, verdict] of values) check(verdict, `${key}=${value}`)
  for (const { key, value, verdict } of patterns) check(verdict, `${key ?? '*'}=${value ?? '*'}`)
}

/** The verdicts on all values of a key. */
export class KeyVerdicts {
  readonly #values: ReadonlyMap<string, Verdict>
  readonly #patterns: TagVerdicts['patterns']
  readonly #otherwise: Verdict
  /** Whether any value may be meant. */
  readonly meansSome: boolean
  /** Whether all values are meant. */
  readonly meansAll: boolean

  /** @param patterns that fit the key */
  constructor(values: ReadonlyMap<string, Verdict>, patterns: TagVerdicts['patterns'], otherwise: Verdict) {
    this.#values = values
    this.#patterns = patterns
    this.#otherwise = otherwise
    const verdicts = this.verdicts()
    this.meansSome = verdicts.has(null)
    this.meansAll = this.meansSome && verdicts.size === 1
  }

  /** Those that there may be. */
  verdicts(): Set<Verdict> {
    return new Set([...this.#values.values(), ...this.#patterns.map(({ verdict }) => verdict), this.#otherwise])
  }

  of(value: string): Verdict {
    const known = this.#values.get(value)
    if (known !== undefined) return known
    for (const pattern of this.#patterns) if (fitsPattern(pattern.value, value)) return pattern.verdict
    return this.#otherwise
  }
}

const NONE: ReadonlyMap<string, Verdict> = new Map()

/**
 * What verdicts say of keys: a number where all values have one reason. Works out a key when it is first asked for, and
 * keeps what it found while the keys are not too many.
 */
export class VerdictsByKey implements KeySource<KeyVerdicts> {
  readonly #verdicts: TagVerdicts
  readonly #found = new Map<string, KeyVerdicts | number>()
  /** Of keys that have no tags of their own, by the patterns that fit them: few, however many the keys. */
  readonly #byPatterns = new Map<string, KeyVerdicts | number>()
  readonly keys?: () => Iterable<string>

  constructor(verdicts: TagVerdicts) {
    this.#verdicts = verdicts
    const named = verdicts.patterns.map(({ key }) => key).filter((key) => typeof key === 'string')
    if (named.length === verdicts.patterns.length) this.keys = () => [...verdicts.tags.keys(), ...named]
  }

  /** Keys at hand. */
  get size(): number {
    return this.#found.size
  }

  get(key: string): KeyVerdicts | number {
    const known = this.#found.get(key)
    if (known !== undefined) return known
    if (this.#found.size >= KEYS_AT_HAND) {
      this.#found.clear()
      this.#byPatterns.clear()
    }
    const answer = this.#workOut(key)
    // Long ones would take more memory than their number suggests.
    if (key.length <= LONGEST_TAG_TEXT) this.#found.set(key, answer)
    return answer
  }

  #workOut(key: string): KeyVerdicts | number {
    const { tags, patterns, reasons } = this.#verdicts
    const fitting = patterns.filter((pattern) => fitsPattern(pattern.key, key))
    const end = fitting.findIndex(({ value }) => value === null)
    const deciding = end === -1 ? fitting : fitting.slice(0, end)
    const otherwise = end === -1 ? reasons.length - 1 : fitting[end]!.verdict
    const values = tags.get(key)
    if (values) return settled(new KeyVerdicts(values, deciding, otherwise))
    const name = `${deciding.map((pattern) => patterns.indexOf(pattern))}:${otherwise}`
    const known = this.#byPatterns.get(name)
    if (known !== undefined) return known
    const answer = settled(new KeyVerdicts(NONE, deciding, otherwise))
    this.#byPatterns.set(name, answer)
    return answer
  }
}

function settled(answer: KeyVerdicts): KeyVerdicts | number {
  const [verdict, ...others] = answer.verdicts()
  return others.length === 0 && typeof verdict === 'number' ? verdict : answer
}
