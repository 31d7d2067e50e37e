import type { Surrounding, SurroundingRule } from './surrounding.ts'

/**
 * Objects of one phrase are named once, where the first of them stands; `count` says how many there are, and a direction
 * stays only where all of them lie in it. Seen in released captions.
 */
export const onceEach: SurroundingRule = {
  name: 'once-each',
  apply(objects) {
    const named = new Map<string, Surrounding>()
    for (const object of objects) {
      const first = named.get(object.phrase)
      if (first === undefined) named.set(object.phrase, object)
      else {
        const direction = first.direction === object.direction ? first.direction : null
        named.set(object.phrase, { ...first, count: first.count + object.count, direction })
      }
    }
    return [...named.values()]
  },
}
