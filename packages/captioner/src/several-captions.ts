import { seededFraction, seededIndex } from '@skyscript/core'
import type { Caption, CaptionParts, Writer } from './styles/writer.ts'

export interface SeveralCaptions {
  /** How many beside title and title_multi_objects; fewer where an object has too little to say. */
  readonly captions: number
  readonly seed: number
}

/** Draws for one caption; an object with two tags and a neighbour can be said in few ways. */
const DRAWS = 8

/**
 * An extra: further captions of an image. Each is written in a style drawn by chance, of some of the focus object's tags
 * and some of the objects around, drawn too; none says what another one says.
 *
 * @param id decides the random choices, together with the seed
 */
export function severalCaptions(
  id: string,
  parts: CaptionParts,
  said: Caption,
  writers: readonly Writer[],
  { captions, seed }: SeveralCaptions,
): string[] {
  const all = new Set([said.title, said.titleMultiObjects])
  const before = all.size
  for (let draw = 0; draw < captions * DRAWS && all.size < before + captions; draw++) {
    const name = `${id}/${draw}`
    const writer = writers[seededIndex(seed, 'caption-style', name, writers.length)]!
    const kept = parts.facts.filter((_, i) => seededFraction(seed, 'caption-tag', `${name}/${i}`) < 0.5)
    const facts =
      kept.length > 0 ? kept : [parts.facts[seededIndex(seed, 'caption-only-tag', name, parts.facts.length)]!]
    const share = seededFraction(seed, 'caption-others', name)
    const others = parts.others.filter((_, i) => seededFraction(seed, 'caption-other', `${name}/${i}`) < share)
    all.add(writer.write({ ...parts, facts, others }).titleMultiObjects)
  }
  return [...all].slice(before)
}
