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
  /** Of the first id that is not below the last one asked for. */
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

  /** Ids mostly come in rising order, and few nodes are needed: the next needed one is at hand or a few steps away. */
  #find(id: number): number {
    const ids = this.#ids
    let low = this.#rank
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
    this.#rank = low
    return ids[low] === id ? low : -1
  }
}
