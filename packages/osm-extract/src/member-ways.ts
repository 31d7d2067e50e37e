import { Numbers } from './cursor.ts'
import type { IntegerLine } from './shape.ts'

/** Lines of some member ways, as a blob has them. */
export interface MemberLines {
  readonly ids: Float64Array<ArrayBuffer>
  /** Where the numbers of each line end in `places`. */
  readonly ends: Uint32Array<ArrayBuffer>
  /** Longitude, latitude in 1e-7 degree. */
  readonly places: Int32Array<ArrayBuffer>
}

/** Puts together the member lines of a blob. */
export class LineCollector {
  readonly #ids = new Numbers()
  readonly #ends = new Numbers()
  readonly #places = new Numbers()

  add(id: number, line: IntegerLine): void {
    this.#ids.push(id)
    for (let i = 0; i < line.length; i++) this.#places.push(line[i]!)
    this.#ends.push(this.#places.length)
  }

  /** What was added since the last time; null where that is nothing. */
  take(): MemberLines | null {
    if (this.#ids.length === 0) return null
    const used = ({ values, length }: Numbers) => values.subarray(0, length)
    const lines = {
      ids: new Float64Array(used(this.#ids)),
      ends: new Uint32Array(used(this.#ends)),
      places: new Int32Array(used(this.#places)),
    }
    for (const list of [this.#ids, this.#ends, this.#places]) list.clear()
    return lines
  }
}

/** The lines of all member ways, in memory that threads share. */
export interface SharedLines {
  /** Rising. */
  readonly ids: Float64Array
  /** Where the line of each begins and ends in `places`; both 0 where the file lacks the way or a node of it. */
  readonly starts: Float64Array
  readonly ends: Float64Array
  readonly places: Int32Array
}

/** Each id once, rising, in memory that threads share. */
export function sortIds(lists: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0))
  let length = 0
  for (const list of lists) {
    all.set(list, length)
    length += list.length
  }
  all.sort()
  const unique = all.filter((id, i) => i === 0 || id !== all[i - 1])
  const shared = new Float64Array(new SharedArrayBuffer(unique.byteLength))
  shared.set(unique)
  return shared
}

/** @param parts in the file's order: of a way that comes twice, the last line counts. Emptied on the way. */
export function joinLines(ids: Float64Array, parts: MemberLines[]): SharedLines {
  const total = parts.reduce((sum, { places }) => sum + places.length, 0)
  const shared = {
    ids,
    starts: new Float64Array(new SharedArrayBuffer(ids.byteLength)),
    ends: new Float64Array(new SharedArrayBuffer(ids.byteLength)),
    places: new Int32Array(new SharedArrayBuffer(total * 4)),
  }
  const finder = new IdFinder(ids)
  let base = 0
  for (const part of parts.splice(0)) {
    shared.places.set(part.places, base)
    let start = 0
    for (const [i, id] of part.ids.entries()) {
      const at = finder.indexOf(id)
      shared.starts[at] = base + start
      shared.ends[at] = base + part.ends[i]!
      start = part.ends[i]!
    }
    base += part.places.length
  }
  return shared
}

export class LineFinder {
  readonly #lines: SharedLines
  readonly #finder: IdFinder

  constructor(lines: SharedLines) {
    this.#lines = lines
    this.#finder = new IdFinder(lines.ids)
  }

  /** null where the file lacks the way or a node of it. */
  lineOf(way: number): IntegerLine | null {
    const at = this.#finder.indexOf(way)
    const { starts, ends, places } = this.#lines
    return at === -1 || starts[at] === ends[at] ? null : places.subarray(starts[at]!, ends[at]!)
  }
}

/** Looks up ids in a rising list; ids that are asked for in rising order are found in a few steps from the last one. */
export class IdFinder {
  readonly #ids: Float64Array
  /** Of the first id that is not below the last one asked for. */
  #at = 0

  constructor(ids: Float64Array) {
    this.#ids = ids
  }

  /** @returns -1 where it isn't in the list */
  indexOf(id: number): number {
    const ids = this.#ids
    let low = this.#at
    let high = low
    if (low > 0 && ids[low - 1]! >= id) low = 0
    else if (low < ids.length && ids[low]! < id) {
      let step = 1
      while (low + step < ids.length && ids[low + step]! < id) {
        low += step
        step *= 2
      }
      high = Math.min(ids.length, low + step)
      low++
    }
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ids[middle]! < id) low = middle + 1
      else high = middle
    }
    this.#at = low
    return ids[low] === id ? low : -1
  }
}
