import { breather } from './breathe.ts'

/** Values that are sorted, or merged, before others may have their turn: a few milliseconds. */
const SLICE = 16_384

/**
 * Sorts numbers by an order of what they stand for, such as places in a table of millions, without holding up the event
 * loop: slice by slice, then merging them.
 *
 * @param values not kept as they are
 * @returns the same values, sorted
 */
export async function sortInTurns(
  values: Uint32Array<ArrayBuffer>,
  compare: (a: number, b: number) => number,
): Promise<Uint32Array<ArrayBuffer>> {
  const breathe = breather()
  const { length } = values
  for (let from = 0; from < length; from += SLICE) {
    values.subarray(from, from + SLICE).sort(compare)
    await breathe()
  }
  let [source, target] = [values, new Uint32Array(length <= SLICE ? 0 : length)]
  for (let width = SLICE; width < length; width *= 2) {
    for (let from = 0; from < length; from += 2 * width) {
      const [middle, end] = [Math.min(from + width, length), Math.min(from + 2 * width, length)]
      let [left, right] = [from, middle]
      for (let at = from; at < end; at++) {
        const takesLeft = right === end || (left < middle && compare(source[left]!, source[right]!) <= 0)
        target[at] = takesLeft ? source[left++]! : source[right++]!
        if (at % SLICE === 0) await breathe()
      }
    }
    ;[source, target] = [target, source]
  }
  return source
}
