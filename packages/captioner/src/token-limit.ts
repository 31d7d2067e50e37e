import type { Caption, CaptionParts, Writer } from './styles/writer.ts'

export interface TokenLimit {
  /** Tokens of a caption, start and end included: CLIP reads 77. */
  readonly limit: number
  readonly count: (caption: string) => number
  /** Of what counts: captions are made again where it changes. */
  readonly tokenizer: string
}

/**
 * An extra: a writer whose captions keep within a number of CLIP tokens. The surroundings named last, which are the
 * smallest, go first; then the focus object's last tags; of one phrase that is too long still, its last words.
 */
export function withinTokens(writer: Writer, { limit, count }: TokenLimit): Writer {
  const fits = (text: string) => count(text) <= limit
  /** The longest start of a list with which a text fits; a list is tried whole first, as most are. */
  const longest = <T>(list: readonly T[], least: number, textOf: (start: readonly T[]) => string): readonly T[] => {
    if (fits(textOf(list))) return list
    let [enough, tooMany] = [least, list.length]
    while (tooMany - enough > 1) {
      const middle = (enough + tooMany) >> 1
      if (fits(textOf(list.slice(0, middle)))) enough = middle
      else tooMany = middle
    }
    return list.slice(0, enough)
  }
  const cut = (text: string) => longest(text.split(' '), 1, (words) => words.join(' ')).join(' ')
  return {
    write(parts: CaptionParts): Caption {
      const title = (facts: CaptionParts['facts']) => writer.write({ ...parts, facts, others: [] }).title
      const multi = (facts: CaptionParts['facts'], others: CaptionParts['others']) =>
        writer.write({ ...parts, facts, others }).titleMultiObjects
      const others = longest(parts.others, 0, (some) => multi(parts.facts, some))
      const facts = others.length > 0 ? parts.facts : longest(parts.facts, 1, (some) => multi(some, []))
      return {
        title: cut(title(longest(parts.facts, 1, title))),
        titleMultiObjects: cut(multi(facts, others)),
      }
    },
  }
}
