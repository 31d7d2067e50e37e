import type { Tags } from '@skyscript/core'
import type { Judge, Sight } from './groundability.ts'
import { draftOf, textOf } from './phrases.ts'
import type { Draft } from './rules/rule.ts'
import type { Tables } from './tables.ts'
import { createTagOrder, type Standing } from './tag-order.ts'

/** All that a caption needs of one tag. */
export interface TagFact extends Standing, Sight {
  /** What is said of it in the original's style, and its parts. */
  readonly phrase: string
  readonly draft: Draft
}

/** What is said of an object at some GSD. */
export interface Seen {
  /** Its tags that can be seen, in caption order. */
  readonly facts: readonly TagFact[]
  /** Those of which something can be written. */
  readonly named: readonly TagFact[]
  /** All that can be said of it, in the original's style; empty where nothing can. */
  readonly phrase: string
  readonly tags: Tags
}

export interface TagFacts {
  /**
   * The coarsest GSD in m/pixel of an image that any of the tags describes; 0: none. Tags that no picture shows count only
   * where an object has no others, so that naming them changes no image.
   */
  seenTo(tags: Tags): number
  /** The coarsest GSD in m/pixel of an image whose caption names any of the tags; 0: none. */
  namedTo(tags: Tags): number
  /** Whether a picture shows any of the tags. */
  isVisible(tags: Tags): boolean
  /** What can be seen of an object in an image of a GSD in m/pixel. */
  at(tags: Tags, gsd: number): Seen
  /** Every tag of an object, seen or not. */
  all(tags: Tags): Seen
}

/** Patterns let anyone's text in: tags beyond this many are worked out each time. */
const TAGS_AT_HAND = 20_000

/** Works out what captions say of a tag once, so that a caption is look-ups and joins. */
export function createTagFacts({ frequency, rules }: Omit<Tables, 'tags'>, { sight }: Judge): TagFacts {
  const { standingOf, compare } = createTagOrder(frequency)
  const factOf = (key: string, value: string): TagFact => {
    const draft = draftOf(key, value, rules)
    return { ...standingOf(key, value), ...sight(key, value), phrase: textOf(draft), draft }
  }
  const seen = new Map<string, Map<string, TagFact>>()
  let atHand = 0
  const seenFact = (key: string, value: string): TagFact | null => {
    const known = seen.get(key)?.get(value)
    if (known) return known
    if (sight(key, value).seenTo === 0) return null
    const fact = factOf(key, value)
    if (atHand < TAGS_AT_HAND) {
      seen.set(key, (seen.get(key) ?? new Map<string, TagFact>()).set(value, fact))
      atHand++
    }
    return fact
  }
  const inOrder = (found: TagFact[]) => (found.length > 1 ? found.sort(compare) : found)
  const groundable = (tags: Tags): TagFact[] => {
    const found: TagFact[] = []
    for (const key of Object.keys(tags)) {
      const fact = seenFact(key, tags[key]!)
      if (fact) found.push(fact)
    }
    return inOrder(found)
  }
  // An object is around many focus objects, and many objects have the same tags: both are worked out once for the few GSDs
  // that images have.
  const ofObject = new WeakMap<Tags, Kind>()
  const kinds: Kind = newKind([])
  let kindsAtHand = 0
  const kindOf = (tags: Tags): Kind => {
    const known = ofObject.get(tags)
    if (known) return known
    let kind = kinds
    for (const fact of groundable(tags)) {
      let next = kind.longer.get(fact)
      if (next === undefined) {
        next = newKind([...kind.facts, fact])
        if (kindsAtHand < TAGS_AT_HAND) {
          kind.longer.set(fact, next)
          kindsAtHand++
        }
      }
      kind = next
    }
    ofObject.set(tags, kind)
    return kind
  }
  return {
    seenTo(tags) {
      // Asked once of each object of a region: nothing is kept of it.
      let [visible, leaked] = [0, 0]
      for (const key of Object.keys(tags)) {
        const fact = seenFact(key, tags[key]!)
        if (fact === null) continue
        if (fact.isLeak) leaked = Math.max(leaked, fact.seenTo)
        else visible = Math.max(visible, fact.seenTo)
      }
      return visible || leaked
    },
    namedTo(tags) {
      let named = 0
      for (const key of Object.keys(tags)) named = Math.max(named, seenFact(key, tags[key]!)?.seenTo ?? 0)
      return named
    },
    isVisible: (tags) => Object.keys(tags).some((key) => seenFact(key, tags[key]!)?.isLeak === false),
    at(tags, gsd) {
      const { facts, byGsd } = kindOf(tags)
      const known = byGsd.get(gsd)
      if (known) return known
      const seen = seenOf(facts.filter((fact) => gsd <= fact.seenTo))
      byGsd.set(gsd, seen)
      return seen
    },
    all: (tags) => seenOf(inOrder(Object.entries(tags).map(([key, value]) => factOf(key, value)))),
  }
}

/** What objects whose tags say the same have in common. */
interface Kind {
  /** In caption order. */
  readonly facts: readonly TagFact[]
  readonly byGsd: Map<number, Seen>
  /** Kinds with one more fact. */
  readonly longer: Map<TagFact, Kind>
}

const newKind = (facts: readonly TagFact[]): Kind => ({ facts, byGsd: new Map(), longer: new Map() })

function seenOf(facts: readonly TagFact[]): Seen {
  const named = facts.filter(({ phrase }) => phrase !== '')
  return {
    facts,
    named,
    phrase: joined(named.map(({ phrase }) => phrase)),
    tags: Object.fromEntries(facts.map(({ key, value }) => [key, value])),
  }
}

/** One object's phrases: `a with b and c and d`. */
function joined(phrases: readonly string[]): string {
  const [first = '', ...rest] = phrases
  return rest.length === 0 ? first : `${first} with ${rest.join(' and ')}`
}
