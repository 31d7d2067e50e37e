import type { SourceAlias } from '@skyscript/core'
import { pluralPhrase } from '../counts.ts'
import { textOf } from '../phrases.ts'
import type { Surrounding } from '../surroundings/surrounding.ts'
import type { TagFact } from '../tag-facts.ts'
import { imageName, type Style } from './style.ts'

/** The two texts of a caption. */
export interface Caption {
  readonly title: string
  readonly titleMultiObjects: string
}

/** What a caption is put together from. */
export interface CaptionParts {
  /** Of the focus object, in caption order, at least one; each has a phrase. */
  readonly facts: readonly TagFact[]
  /** In the order in which they are named. */
  readonly others: readonly Surrounding[]
  readonly source: SourceAlias | null
}

/** Puts captions together in one style. */
export interface Writer {
  write(parts: CaptionParts): Caption
}

/** @param counts whether like objects are counted instead of named once */
export function createWriter(style: Style, counts: boolean): Writer {
  const title = compile(style.title)
  const alone = compile(style.alone)
  const surrounded = compile(style.surrounded)
  const counted = compile(style.counted)
  const placed = compile(style.placed)
  const { joins, connectors, directions } = style
  const isPlain = Object.keys(style.phrases).length === 0 && connectors.of === 'of' && connectors.is === 'is'
  const ofFact = new WeakMap<TagFact, string>()

  const phraseOf = (fact: TagFact): string => {
    if (isPlain) return fact.phrase
    const known = ofFact.get(fact)
    if (known !== undefined) return known
    const own = Object.hasOwn(style.phrases, fact.phrase) ? style.phrases[fact.phrase]! : textOf(fact.draft, connectors)
    ofFact.set(fact, own)
    return own
  }
  const joined = (phrases: readonly string[]) => {
    const [first = '', ...rest] = phrases
    return rest.length === 0 ? first : `${first}${joins.first}${rest.join(joins.next)}`
  }
  const phrasesOf = (facts: readonly TagFact[]) => facts.map(phraseOf)
  const isOriginal = isPlain && joins.first === ' with ' && joins.next === ' and '
  const nameOf = ({ facts, phrase, count, direction }: Surrounding) => {
    if (isOriginal && direction === null && (count === 1 || !counts)) return phrase
    const phrases = phrasesOf(facts)
    if (counts && count > 1) {
      phrases[0] = counted({ count: String(count), plural: pluralPhrase(facts[0]!.draft), phrase: phrases[0]! })
    }
    const object = joined(phrases)
    return direction === null ? object : placed({ object, direction: directions[direction] })
  }
  return {
    write({ facts, others, source }) {
      const phrases = phrasesOf(facts)
      const image = imageName(style, source)
      const words = { image, Image: image.charAt(0).toUpperCase() + image.slice(1), object: joined(phrases) }
      return {
        title: title({ ...words, tags: phrases.join(joins.tags) }),
        titleMultiObjects:
          others.length === 0 ? alone(words) : surrounded({ ...words, others: others.map(nameOf).join(joins.others) }),
      }
    },
  }
}

/** A template with `{name}` places; what it has no value for stays as it is. */
function compile(template: string): (values: Readonly<Record<string, string>>) => string {
  const parts = template.split(/\{(\w+)\}/)
  return (values) => parts.map((part, i) => (i % 2 === 0 ? part : (values[part] ?? `{${part}}`))).join('')
}
