/** Ids that share the bits of one chunk: 512 consecutive ones, in 16 words of 32. */
const CHUNK = 512
const WORDS = 16
/** Chunks in a table of a collector before they are sorted and put aside: 16 MB, which a core's cache still helps with. */
const TABLE = 2 ** 18

/** A set of ids of one kind of element: sorted chunks of 512 ids, each with a bit for every id. */
export interface IdSet {
  /** Chunk numbers, id / 512, rising. */
  readonly chunks: Float64Array<ArrayBuffer>
  /** 16 words for each chunk. */
  readonly words: Int32Array<ArrayBuffer>
}

/**
 * Collects ids in any order. Neighbours in a way mostly have neighbouring ids, so that most ids find their chunk at
 * hand; and since chunks without an id take no memory, it serves a town's scattered ids as well as the planet's.
 */
export class IdCollector {
  readonly #slots = new Map<number, number>()
  #words = new Int32Array(1024 * WORDS)
  #chunk = Number.NaN
  #at = 0
  /** Sets put aside, each more than twice as large as the next. */
  readonly #sets: IdSet[] = []
  /** Ids that were added more than once; null where nobody asks for them. */
  readonly #repeated: IdCollector | null

  constructor({ repeats = false } = {}) {
    this.#repeated = repeats ? new IdCollector() : null
  }

  add(id: number): void {
    const chunk = Math.floor(id / CHUNK)
    if (chunk !== this.#chunk) this.#open(chunk)
    const low = id - chunk * CHUNK
    const word = this.#at + (low >> 5)
    const bit = 1 << (low & 31)
    if (this.#repeated !== null && (this.#words[word]! & bit) !== 0) this.#repeated.add(id)
    this.#words[word]! |= bit
  }

  #open(chunk: number): void {
    let slot = this.#slots.get(chunk)
    if (slot === undefined) {
      if (this.#slots.size === TABLE) this.#putAside()
      slot = this.#slots.size
      this.#slots.set(chunk, slot)
      if ((slot + 1) * WORDS > this.#words.length) {
        const larger = new Int32Array(this.#words.length * 2)
        larger.set(this.#words)
        this.#words = larger
      }
    }
    this.#chunk = chunk
    this.#at = slot * WORDS
  }

  #putAside(): void {
    const chunks = Float64Array.from(this.#slots.keys()).sort()
    const words = new Int32Array(chunks.length * WORDS)
    for (const [i, chunk] of chunks.entries()) {
      const from = this.#slots.get(chunk)! * WORDS
      words.set(this.#words.subarray(from, from + WORDS), i * WORDS)
    }
    this.#slots.clear()
    this.#words.fill(0)
    this.#chunk = Number.NaN
    this.#sets.push({ chunks, words })
    this.#merge()
  }

  #merge(): void {
    while (this.#sets.length > 1 && this.#sets.at(-1)!.chunks.length * 2 > this.#sets.at(-2)!.chunks.length)
      this.#sets.push(this.#join(this.#sets.pop()!, this.#sets.pop()!))
  }

  #join(a: IdSet, b: IdSet): IdSet {
    if (this.#repeated !== null) this.#repeated.#addSet(intersectionOf(a, b))
    return unionOf(a, b)
  }

  #addSet(set: IdSet): void {
    this.#putAside()
    this.#sets.push(set)
    this.#merge()
  }

  /** The ids so far; the collector is empty then. */
  take(): IdSet {
    this.#putAside()
    const set = this.#sets.splice(0).reduceRight((a, b) => this.#join(a, b))
    this.#words = new Int32Array(1024 * WORDS)
    return set
  }

  /** Likewise, of a collector of repeats, the ids that were added more than once. After `take`. */
  takeRepeated(): IdSet {
    return this.#repeated === null ? { chunks: new Float64Array(0), words: new Int32Array(0) } : this.#repeated.take()
  }
}

/** Ids that are in one set or the other. */
export function unionOf(a: IdSet, b: IdSet): IdSet {
  const chunks = new Float64Array(a.chunks.length + b.chunks.length)
  const words = new Int32Array(chunks.length * WORDS)
  let [i, j, count] = [0, 0, 0]
  while (i < a.chunks.length || j < b.chunks.length) {
    const [x, y] = [a.chunks[i] ?? Infinity, b.chunks[j] ?? Infinity]
    chunks[count] = Math.min(x, y)
    const at = count++ * WORDS
    if (x <= y) {
      for (let k = 0; k < WORDS; k++) words[at + k] = a.words[i * WORDS + k]!
      i++
    }
    if (y <= x) {
      for (let k = 0; k < WORDS; k++) words[at + k]! |= b.words[j * WORDS + k]!
      j++
    }
  }
  return { chunks: chunks.slice(0, count), words: words.slice(0, count * WORDS) }
}

/** Ids that are in both sets. */
export function intersectionOf(a: IdSet, b: IdSet): IdSet {
  const chunks = new Float64Array(Math.min(a.chunks.length, b.chunks.length))
  const words = new Int32Array(chunks.length * WORDS)
  let [i, j, count] = [0, 0, 0]
  while (i < a.chunks.length && j < b.chunks.length) {
    const [x, y] = [a.chunks[i]!, b.chunks[j]!]
    if (x === y) {
      let any = 0
      for (let k = 0; k < WORDS; k++)
        any |= words[count * WORDS + k] = a.words[i * WORDS + k]! & b.words[j * WORDS + k]!
      if (any !== 0) chunks[count++] = x
    }
    if (x <= y) i++
    if (y <= x) j++
  }
  return { chunks: chunks.slice(0, count), words: words.slice(0, count * WORDS) }
}

function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** What threads need to find the rank of an id; in memory that they share. */
export interface IdRanks {
  readonly chunks: Float64Array
  readonly words: Int32Array
  /** Number of ids before each chunk. */
  readonly ranks: Float64Array
  readonly count: number
}

export function rankIds({ chunks, words }: IdSet): IdRanks {
  const shared = {
    chunks: new Float64Array(new SharedArrayBuffer(chunks.byteLength)),
    words: new Int32Array(new SharedArrayBuffer(words.byteLength)),
    ranks: new Float64Array(new SharedArrayBuffer(chunks.byteLength)),
  }
  shared.chunks.set(chunks)
  shared.words.set(words)
  let count = 0
  for (let i = 0; i < chunks.length; i++) {
    shared.ranks[i] = count
    for (let k = i * WORDS; k < (i + 1) * WORDS; k++) count += bitsIn(words[k]!)
  }
  return { ...shared, count }
}

/** Slots of the table of places to start searching from. */
const SLOTS = 2 ** 16

/** Looks up ids; one for each thread, since it keeps where it was. */
export class RankFinder {
  readonly #chunks: Float64Array
  readonly #words: Int32Array
  readonly #ranks: Float64Array
  /** The first chunk at or after the start of every equal part of the range of ids. */
  readonly #starts = new Float64Array(SLOTS + 1)
  readonly #first: number
  readonly #width: number
  /** The chunk that was asked for last, and where it is or, where it isn't, -1. */
  #chunk = Number.NaN
  #at = -1
  /** The id found last; NaN where it wasn't. */
  #last = Number.NaN
  #lastRank = -1

  constructor({ chunks, words, ranks }: IdRanks) {
    this.#chunks = chunks
    this.#words = words
    this.#ranks = ranks
    this.#first = chunks[0] ?? 0
    this.#width = ((chunks.at(-1) ?? 0) - this.#first + 1) / SLOTS
    let at = 0
    for (let slot = 0; slot <= SLOTS; slot++) {
      while (at < chunks.length && this.#slotOf(chunks[at]!) < slot) at++
      this.#starts[slot] = at
    }
  }

  #slotOf(chunk: number): number {
    return Math.min(SLOTS - 1, Math.floor((chunk - this.#first) / this.#width))
  }

  /** Visits those of a list that are in the set, by their index in the list; quick where the list rises. */
  forEachKnown(ids: Float64Array, count: number, visit: (i: number, rank: number) => void): void {
    const words = this.#words
    let first = Number.NaN
    let at = -1
    for (let i = 0; i < count; i++) {
      let low = ids[i]! - first
      if (!(low >= 0 && low < CHUNK)) {
        const chunk = Math.floor(ids[i]! / CHUNK)
        first = chunk * CHUNK
        at = this.#find(chunk)
        low = ids[i]! - first
      }
      if (at !== -1 && (words[at * WORDS + (low >> 5)]! & (1 << (low & 31))) !== 0) visit(i, this.#rankIn(at, low))
    }
  }

  /** How many ids of the set are lower; -1 where it isn't in the set. */
  rankOf(id: number): number {
    // Nodes of a way mostly follow each other.
    const rank = id === this.#last + 1 ? this.#rankAfter(id) : this.#lookUp(id)
    this.#last = rank === -1 ? Number.NaN : id
    this.#lastRank = rank
    return rank
  }

  #rankAfter(id: number): number {
    const low = id - this.#chunk * CHUNK
    if (low === CHUNK) return this.#lookUp(id)
    return (this.#words[this.#at * WORDS + (low >> 5)]! & (1 << (low & 31))) === 0 ? -1 : this.#lastRank + 1
  }

  #lookUp(id: number): number {
    const chunk = Math.floor(id / CHUNK)
    if (chunk !== this.#chunk) {
      this.#chunk = chunk
      this.#at = this.#find(chunk)
    }
    const at = this.#at
    if (at === -1) return -1
    const low = id - chunk * CHUNK
    return (this.#words[at * WORDS + (low >> 5)]! & (1 << (low & 31))) === 0 ? -1 : this.#rankIn(at, low)
  }

  #rankIn(at: number, low: number): number {
    const words = this.#words
    const end = at * WORDS + (low >> 5)
    let rank = this.#ranks[at]! + bitsIn(words[end]! & ((1 << (low & 31)) - 1))
    for (let k = at * WORDS; k < end; k++) rank += bitsIn(words[k]!)
    return rank
  }

  #find(chunk: number): number {
    const slot = this.#slotOf(chunk)
    if (!(slot >= 0)) return -1
    const chunks = this.#chunks
    let low = this.#starts[slot]!
    let high = this.#starts[slot + 1]!
    while (low < high) {
      const middle = (low + high) >>> 1
      if (chunks[middle]! < chunk) low = middle + 1
      else high = middle
    }
    return chunks[low] === chunk ? low : -1
  }
}
