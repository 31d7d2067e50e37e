/** What every caption of SkyScript begins with, aerial images too (released rows). */
const PREFIX = 'a satellite image of '

/**
 * What is wrong with a pair of captions, or null. The rules are those of the original's released rows.
 *
 * @param tags number of the object's tags; each gives one phrase
 * @param style another style, or a limit of tokens, leaves little that must hold
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
    if (caption.slice(prefix.length).trim() === '') return `${name} says nothing after "${prefix}"`
    if (!caption.isWellFormed() || /\p{Cc}/u.test(caption))
      return `${name} holds a control character or half a character`
  }
  return style === 'other' || continues(title, titleMultiObjects, tags - 1)
    ? null
    : 'title_multi_objects does not describe the object of title first'
}

/**
 * Whether the longer caption opens with the same phrases as the title. The title joins them by `, `; the longer one by
 * ` with ` first and ` and ` after, then ends or continues with `, surrounded by `. A phrase may hold a `, ` of its own:
 * there both texts are equal, so one walk over both settles every case.
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
