/** Prefix of every SkyScript caption, also for aerial images (from the released rows). */
const PREFIX = 'a satellite image of '

/**
 * What is wrong with a pair of captions, or null. The rules follow the original's released rows.
 *
 * @param tags number of the object's tags; each gives one phrase
 * @param style with another style, or a limit of tokens, only basic rules apply
 */
export function captionFault(
  title: string,
  titleMultiObjects: string,
  tags: number,
  style: 'original' | 'other' = 'original',
): string | null {
  for (const [name, caption] of [
    ['title', title],
    ['title_multi_objects', titleMultiObjects],
  ] as const) {
    const prefix = style === 'original' ? PREFIX : ''
    if (!caption.startsWith(prefix)) return `${name} does not begin with "${prefix}"`
    if (caption.slice(prefix.length).trim() === '') return `${name} has no text after "${prefix}"`
    if (!caption.isWellFormed() || /\p{Cc}/u.test(caption))
      return `${name} contains a control character or half a character`
  }
  return style === 'other' || continues(title, titleMultiObjects, tags - 1)
    ? null
    : 'title_multi_objects does not describe the object of title first'
}

/**
 * Whether the longer caption opens with the same phrases as the title. The title joins them with `, `; the longer one with
 * ` with ` first and ` and ` after that, then ends or continues with `, surrounded by `. A phrase may itself contain `, `:
 * both texts are equal there, so one pass over both decides every case.
 */
function continues(title: string, multi: string, joinsDue: number): boolean {
  let at = 0
  let joins = 0
  for (let i = 0; i < title.length; ) {
    if (title[i] === multi[at]) {
      i++
      at++
      continue
    }
    const join = joins === 0 ? ' with ' : ' and '
    if (!title.startsWith(', ', i) || !multi.startsWith(join, at)) return false
    i += 2
    at += join.length
    joins++
  }
  if (joins !== joinsDue) return false
  return at === multi.length || /^, surrounded by \S/.test(multi.slice(at, at + 20))
}
