import { textOf } from './phrases.ts'
import type { Caption, CaptionParts, Writer } from './styles/writer.ts'
import type { TagFact } from './tag-facts.ts'

export interface TokenLimit {
  /** Tokens of a caption, start and end included: CLIP reads 77. */
  readonly limit: number
  readonly count: (caption: string) => number
  /** Of what counts: captions are made again where it changes. */
  readonly tokenizer: string
}

/**
 * An extra: a writer whose captions keep within a number of CLIP tokens. They are cut between phrases, never inside one:
 * the surroundings named last, which are the smallest, go first; then the focus object's last tags. Of a tag whose phrase
 * exceeds the limit by itself only the key is named. A caption exceeds the limit only where no key fits either.
 */
export function withinTokens(writer: Writer, { limit, count }: TokenLimit): Writer {
  /** The longest start of a list with which a text fits, at least one item; a list is tried whole first, as most are. */
  const longest = <T>(list: readonly T[], fits: (start: readonly T[]) => boolean): readonly T[] => {
    if (fits(list)) return list
    let [enough, tooMany] = [1, list.length]
    while (tooMany - enough > 1) {
      const middle = (enough + tooMany) >> 1
      if (fits(list.slice(0, middle))) enough = middle
      else tooMany = middle
    }
    return list.slice(0, enough)
  }
  const factsThatFit = (facts: readonly TagFact[], fits: (some: readonly TagFact[]) => boolean): readonly TagFact[] => {
    if (fits(facts)) return facts
    const short = facts.map((fact) => (fits([fact]) ? fact : keyOnly(fact)))
    const fitting = short.filter((fact) => fits([fact]))
    return longest(fitting.length > 0 ? fitting : short.slice(0, 1), fits)
  }
  const othersThatFit = <T>(others: readonly T[], fits: (some: readonly T[]) => boolean): readonly T[] => {
    let left = others
    for (;;) {
      if (left.length === 0 || fits(left)) return left
      const start = longest(left, fits)
      // One that exceeds the limit by itself must not keep out those after it.
      const next = fits(start) ? start.length : 0
      if (fits([left[next]!])) return start
      left = left.toSpliced(next, 1)
    }
  }
  return {
    write(parts: CaptionParts): Caption {
      const fits = (text: string) => count(text) <= limit
      const whole = writer.write(parts)
      if (fits(whole.title) && fits(whole.titleMultiObjects)) return whole
      const title = (facts: CaptionParts['facts']) => writer.write({ ...parts, facts, others: [] }).title
      const multi = (facts: CaptionParts['facts'], others: CaptionParts['others']) =>
        writer.write({ ...parts, facts, others }).titleMultiObjects
      const facts = factsThatFit(parts.facts, (some) => fits(multi(some, [])))
      // Where tags of the focus object had to go, there is no room for others.
      const others =
        facts.length < parts.facts.length ? [] : othersThatFit(parts.others, (some) => fits(multi(facts, some)))
      return {
        title: title(factsThatFit(parts.facts, (some) => fits(title(some)))),
        titleMultiObjects: multi(facts, others),
      }
    },
  }
}

function keyOnly(fact: TagFact): TagFact {
  const draft = { ...fact.draft, valueText: '' }
  return { ...fact, draft, phrase: textOf(draft) }
}
