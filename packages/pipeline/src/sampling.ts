import { breather, seededFraction, sortInTurns } from '@skyscript/core'
import { Column, IdColumn, integers } from './column.ts'

/** Objects that are gone through before others may have their turn. */
const TURN = 512

/** What sampling needs of each object, in columns: 17 bytes, and 4 for each tag. */
export class ObjectTable {
  /** `key=value` by number. */
  readonly tags: string[] = []
  readonly #tagNumbers = new Map<string, number>()
  readonly #ids = new IdColumn()
  readonly #cells = new Column(integers)
  readonly #tagEnds = new Column(integers)
  readonly #objectTags = new Column(integers)

  get size(): number {
    return this.#cells.length
  }

  /** @param cell number of the cell that it belongs to @param tags `key=value` of its groundable tags */
  add(id: string, cell: number, tags: readonly string[]): void {
    this.#ids.push(id)
    this.#cells.push(cell)
    for (const tag of tags) {
      let number = this.#tagNumbers.get(tag)
      if (number === undefined) this.#tagNumbers.set(tag, (number = this.tags.push(tag) - 1))
      this.#objectTags.push(number)
    }
    this.#tagEnds.push(this.#objectTags.length)
  }

  id(object: number): string {
    return this.#ids.at(object)
  }

  cell(object: number): number {
    return this.#cells.at(object)
  }

  /** Calls with the number of each tag of an object, until one is true. */
  someTag(object: number, test: (tag: number) => unknown): boolean {
    const end = this.#tagEnds.at(object)
    for (let at = object === 0 ? 0 : this.#tagEnds.at(object - 1); at < end; at++)
      if (test(this.#objectTags.at(at)) === true) return true
    return false
  }

  /** By number of tag, the objects that have it. @param counts whether an object counts */
  async tagCounts(counts: (object: number) => boolean): Promise<Uint32Array> {
    const totals = new Uint32Array(this.tags.length)
    const breathe = breather()
    for (let object = 0; object < this.size; object++) {
      if (object % TURN === 0) await breathe()
      if (counts(object)) this.someTag(object, (tag) => void totals[tag]!++)
    }
    return totals
  }
}

/** By object, 1 for those that are kept. */
export type Kept = Uint8Array

/**
 * Every object of `cells` random cells among those that hold objects, and every object with a tag rare in those.
 *
 * @param nameOf the text by which a cell is drawn
 */
export async function sampleCells(
  table: ObjectTable,
  cells: number,
  rareTagsBelow: number,
  seed: number,
  nameOf: (cell: number) => string,
): Promise<Kept> {
  const breathe = breather()
  const all = new Uint32Array(table.size)
  for (let object = 0; object < all.length; object++) all[object] = table.cell(object)
  all.sort()
  const held = all.filter((cell, i) => i === 0 || cell !== all[i - 1])
  const draws = new Float64Array(held.length)
  for (let i = 0; i < held.length; i++) {
    if (i % TURN === 0) await breathe()
    draws[i] = seededFraction(seed, 'cell', nameOf(held[i]!))
  }
  const drawn = await sortInTurns(
    Uint32Array.from(held.keys()),
    (a, b) => draws[a]! - draws[b]! || (nameOf(held[a]!) < nameOf(held[b]!) ? -1 : 1),
  )
  const taken = new Set(Array.from(drawn.subarray(0, cells), (i) => held[i]!))
  const inCells = await table.tagCounts((object) => taken.has(table.cell(object)))
  const kept = new Uint8Array(table.size)
  for (let object = 0; object < kept.length; object++) {
    if (object % TURN === 0) await breathe()
    const isKept = taken.has(table.cell(object)) || table.someTag(object, (tag) => inCells[tag]! < rareTagsBelow)
    kept[object] = isKept ? 1 : 0
  }
  return kept
}

/**
 * At most `limit` objects for each tag. Objects whose rarest tag is rarest come first, so that a common tag which comes
 * with a rare one doesn't use up its places on objects that have nothing else; among equals the seed decides.
 *
 * @param among those to choose from
 */
export async function capPerTag(table: ObjectTable, among: Kept, limit: number, seed: number): Promise<Kept> {
  const breathe = breather()
  const frequency = await table.tagCounts((object) => among[object] === 1)
  const rarest = new Uint32Array(table.size).fill(2 ** 32 - 1)
  const draws = new Float64Array(table.size)
  const objects = Uint32Array.from(among.keys()).filter((object) => among[object] === 1)
  for (const [i, object] of objects.entries()) {
    if (i % TURN === 0) await breathe()
    table.someTag(object, (tag) => {
      rarest[object] = Math.min(rarest[object]!, frequency[tag]!)
    })
    draws[object] = seededFraction(seed, 'max-per-tag', table.id(object))
  }
  const ranked = await sortInTurns(
    objects,
    (a, b) => rarest[a]! - rarest[b]! || draws[a]! - draws[b]! || (table.id(a) < table.id(b) ? -1 : 1),
  )
  const used = new Uint32Array(table.tags.length)
  const kept = new Uint8Array(table.size)
  for (const [i, object] of ranked.entries()) {
    if (i % TURN === 0) await breathe()
    if (table.someTag(object, (tag) => used[tag]! >= limit)) continue
    table.someTag(object, (tag) => void used[tag]!++)
    kept[object] = 1
  }
  return kept
}
