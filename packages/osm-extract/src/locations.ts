import { closeSync, openSync, readSync, writeSync } from 'node:fs'

/**
 * Positions of needed nodes by rank, in 1e-7 degree, 8 bytes each: in shared memory or in a file. What has not been set
 * is zero, so longitudes are kept less the lowest 32-bit number, which no longitude is.
 */
export interface Locations {
  /** The position that `read` found. */
  longitude: number
  latitude: number
  set(rank: number, longitude: number, latitude: number): void
  /** Puts what was set where the other threads read it. */
  flush(): void
  /** @returns false where the file has no such node */
  read(rank: number): boolean
  close(): void
}

/** Where threads find them: memory that they share, or a file of the same content. */
export type SharedLocations = { readonly places: Int32Array } | { readonly path: string }

const LOWEST = 0x80000000

export function openLocations(shared: SharedLocations): Locations {
  return 'places' in shared ? new LocationsInMemory(shared.places) : new LocationsInFile(shared.path)
}

class LocationsInMemory implements Locations {
  longitude = 0
  latitude = 0
  readonly #places: Int32Array

  constructor(places: Int32Array) {
    this.#places = places
  }

  set(rank: number, longitude: number, latitude: number): void {
    this.#places[2 * rank] = longitude ^ LOWEST
    this.#places[2 * rank + 1] = latitude
  }

  flush(): void {}

  read(rank: number): boolean {
    const kept = this.#places[2 * rank]!
    this.longitude = kept ^ LOWEST
    this.latitude = this.#places[2 * rank + 1]!
    return kept !== 0
  }

  close(): void {}
}

/** Of one position. */
export const PLACE_BYTES = 8
/** Positions that are written or read at once: 32 kB. */
const PAGE = 4096
/** Pages kept, 64 MB: the nodes of successive ways mostly lie close together. */
const PAGES = 2048

class LocationsInFile implements Locations {
  longitude = 0
  latitude = 0
  readonly #file: number
  /** Positions set, of successive ranks. */
  readonly #run = new Int32Array(2 * PAGE)
  #runFrom = 0
  #runLength = 0
  #pages = new Int32Array(0)
  readonly #pageAt = new Float64Array(PAGES).fill(-1)

  constructor(path: string) {
    this.#file = openSync(path, 'r+')
  }

  /** Only what was set is written, since other threads set the positions around it. */
  set(rank: number, longitude: number, latitude: number): void {
    if (rank !== this.#runFrom + this.#runLength || this.#runLength === PAGE) {
      this.flush()
      this.#runFrom = rank
    }
    const at = 2 * this.#runLength++
    this.#run[at] = longitude ^ LOWEST
    this.#run[at + 1] = latitude
  }

  flush(): void {
    const bytes = new Uint8Array(this.#run.buffer, 0, this.#runLength * PLACE_BYTES)
    let done = 0
    while (done < bytes.length)
      done += writeSync(this.#file, bytes, done, bytes.length - done, this.#runFrom * PLACE_BYTES + done)
    this.#runFrom += this.#runLength
    this.#runLength = 0
  }

  read(rank: number): boolean {
    const page = Math.floor(rank / PAGE)
    const slot = page % PAGES
    if (this.#pageAt[slot] !== page) this.#load(page, slot)
    const at = 2 * (slot * PAGE + (rank - page * PAGE))
    const kept = this.#pages[at]!
    this.longitude = kept ^ LOWEST
    this.latitude = this.#pages[at + 1]!
    return kept !== 0
  }

  #load(page: number, slot: number): void {
    if (this.#pages.length === 0) this.#pages = new Int32Array(2 * PAGE * PAGES)
    const bytes = new Uint8Array(this.#pages.buffer, slot * PAGE * PLACE_BYTES, PAGE * PLACE_BYTES)
    let done = 0
    while (done < bytes.length) {
      const read = readSync(this.#file, bytes, done, bytes.length - done, page * PAGE * PLACE_BYTES + done)
      if (read === 0) break
      done += read
    }
    this.#pageAt[slot] = page
  }

  close(): void {
    closeSync(this.#file)
  }
}
