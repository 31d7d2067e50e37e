/** Paths are known by 52 bits of hash: among 10 million a chance of 1 in 100 that any two share one. */
const HIGH = 2 ** 20

export const FNV_OFFSET = 0x811c9dc5

/**
 * FNV-1a, 32 bits, of the characters in [from, to): it detects changes, and offers no protection against attackers. With the
 * hash of one text as the seed, it gives the hash of both texts joined.
 */
export function hash32(text: string, seed = FNV_OFFSET, from = 0, to = text.length): number {
  let value = seed
  for (let i = from; i < to; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

/** Never 0, which stands for a free place. */
const hashOf = (path: string) => hash32(path) * HIGH + (hash32(path, 0x9747b28c) % HIGH) + 1

/**
 * Maps millions of paths to numbers. An entry takes 16 bytes in typed arrays that are at most two thirds full; in a Map of
 * strings it takes about 150.
 */
export class PathTable {
  #hashes = new Float64Array(1024)
  #values = new Float64Array(1024)
  #size = 0

  get size(): number {
    return this.#size
  }

  set(path: string, value: number): void {
    if (this.#size * 3 >= this.#hashes.length * 2) this.#grow()
    this.#put(hashOf(path), value)
  }

  get(path: string): number | undefined {
    const place = this.#placeOf(hashOf(path))
    return this.#hashes[place] === 0 ? undefined : this.#values[place]
  }

  has(path: string): boolean {
    return this.get(path) !== undefined
  }

  #put(hash: number, value: number): void {
    const place = this.#placeOf(hash)
    if (this.#hashes[place] === 0) this.#size++
    this.#hashes[place] = hash
    this.#values[place] = value
  }

  #placeOf(hash: number): number {
    const { length } = this.#hashes
    let place = hash % length
    while (this.#hashes[place] !== 0 && this.#hashes[place] !== hash) place = (place + 1) % length
    return place
  }

  #grow(): void {
    const [hashes, values] = [this.#hashes, this.#values]
    this.#hashes = new Float64Array(2 * hashes.length)
    this.#values = new Float64Array(2 * hashes.length)
    this.#size = 0
    for (const [i, hash] of hashes.entries()) if (hash !== 0) this.#put(hash, values[i]!)
  }
}
