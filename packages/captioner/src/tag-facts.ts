import type { Tags } from '@skyscript/core'
import type { Judge } from './groundability.ts'
import { phraseOf } from './phrases.ts'
import type { Tables } from './tables.ts'
import { createTagOrder, type Standing } from './tag-order.ts'

/** All that a caption needs of one tag. */
export interface TagFact extends Standing {
  /** The coarsest GSD in m/pixel of an image that the tag describes; 0: none. */
  readonly seenTo: number
  readonly phrase: string
}

export interface TagFacts {
  /** Those of an object's tags that can be seen at some GSD, in caption order. */
  groundable(tags: Tags): readonly TagFact[]
  /** Every tag of an object, seen or not, in caption order. */
  all(tags: Tags): readonly TagFact[]
}

/**
 * Works out what captions say of each tag of the tables once, so that a caption is look-ups and joins. Tags outside the
 * tables hold anyone's text and are never kept.
 */
export function createTagFacts({ groundable, frequency, rules }: Tables, { seenTo }: Judge): TagFacts {
  const { standingOf, compare } = createTagOrder(frequency)
  const factOf = (key: string, value: string): TagFact => ({
    ...standingOf(key, value),
    seenTo: seenTo(key, value),
    phrase: phraseOf(key, value, rules),
  })
  const seen = new Map<string, Map<string, TagFact>>()
  for (const { key, value } of groundable) {
    if (seenTo(key, value) === 0) continue
    seen.set(key, (seen.get(key) ?? new Map<string, TagFact>()).set(value, factOf(key, value)))
  }
  // An object lies around many focus objects: its tags are looked up once for all their images.
  const ofObject = new WeakMap<Tags, readonly TagFact[]>()
  return {
    groundable(tags) {
      const known = ofObject.get(tags)
      if (known) return known
      const facts: TagFact[] = []
      for (const key of Object.keys(tags)) {
        const fact = seen.get(key)?.get(tags[key]!)
        if (fact) facts.push(fact)
      }
      if (facts.length > 1) facts.sort(compare)
      ofObject.set(tags, facts)
      return facts
    },
    all: (tags) =>
      Object.entries(tags)
        .map(([key, value]) => factOf(key, value))
        .sort(compare),
  }
}
