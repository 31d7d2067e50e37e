/** Stands for a node that the file doesn't have; no longitude is as low. */
const MISSING = -0x80000000

/**
 * Positions of the nodes that ways need, in 1e-7 degree: sorted ids with positions at the same rank. 16 bytes a node,
 * whatever the ids are (they go up to 3.6e15, and below 0 in editors' files).
 */
export class NodeLocations {
  readonly #ids: Float64Array
  readonly #longitudes: Int32Array
  readonly #latitudes: Int32Array
  #rank = 0

  /** @param ids in any order, with repeats; sorted in place */
  constructor(ids: Float64Array) {
    ids.sort()
    let unique = 0
    for (let i = 0; i < ids.length; i++) if (i === 0 || ids[i] !== ids[i - 1]) ids[unique++] = ids[i]!
    this.#ids = ids.slice(0, unique)
    this.#longitudes = new Int32Array(unique).fill(MISSING)
    this.#latitudes = new Int32Array(unique)
  }

  set(id: number, longitude: number, latitude: number): void {
    const rank = this.#find(id)
    if (rank === -1) return
    this.#longitudes[rank] = longitude
    this.#latitudes[rank] = latitude
  }

  /** @returns false where the file has no such node */
  read(id: number, into: { longitude: number; latitude: number }): boolean {
    const rank = this.#find(id)
    if (rank === -1 || this.#longitudes[rank] === MISSING) return false
    into.longitude = this.#longitudes[rank]!
    into.latitude = this.#latitudes[rank]!
    return true
  }

  /** Ids mostly come in rising order, so the search starts at the last hit and doubles its steps. */
  #find(id: number): number {
    const ids = this.#ids
    let low = 0
    let high = ids.length
    if (this.#rank < ids.length && ids[this.#rank]! <= id) {
      low = this.#rank
      let step = 1
      while (low + step < ids.length && ids[low + step]! <= id) {
        low += step
        step *= 2
      }
      high = Math.min(ids.length, low + step)
    }
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ids[middle]! < id) low = middle + 1
      else high = middle
    }
    this.#rank = Math.min(low, Math.max(0, ids.length - 1))
    return ids[low] === id ? low : -1
  }
}
