import { type Box, IMAGE_PATH, sha256, type Tags } from '@skyscript/core'

/** The part of a manifest row that the checks of CSVs, splits and stray files need later. */
export interface IndexedRow {
  readonly id: string
  readonly filepath: string
  readonly title: string
  readonly titleMultiObjects: string
  readonly split: string | null
  readonly box: Box
  readonly gsd: number
  readonly similarities: readonly number[]
  readonly centerTags: Tags
}

const NO_YEAR = 255

/**
 * All rows of a manifest in memory, as columns of numbers plus a map of ids: about 130 bytes per row and 80 for its id, so
 * 5.2 million rows take about 1 GB. Paths are stored as folder, source and year; captions as 48-bit hashes.
 */
export class RowIndex {
  readonly scorers: readonly string[]
  readonly #rows = new Map<string, number>()
  /** Shares its strings with the keys of the map. */
  readonly #ids: string[] = []
  readonly #folder = bytes()
  readonly #source = bytes()
  readonly #year = bytes()
  readonly #split = bytes()
  readonly #splitNames: (string | null)[] = []
  readonly #sourceNames: string[] = []
  readonly #captions = numbers()
  readonly #titles = numbers()
  readonly #tagCodes = new Map<string, number>()
  readonly #tagNames: string[] = []
  readonly #tagRows: number[] = []
  readonly #tags = numbers()
  readonly #tagEnds = numbers()
  readonly #boxes = numbers()
  readonly #gsds = numbers()
  readonly #blends = new Map<string, Float64Array>()
  readonly #similarities = numbers()

  constructor(scorers: readonly string[]) {
    this.scorers = scorers
  }

  get size(): number {
    return this.#rows.size
  }

  has(id: string): boolean {
    return this.#rows.has(id)
  }

  /** @param row its path must match IMAGE_PATH, and its id must be new */
  add({ id, filepath, title, titleMultiObjects, split, box, gsd, similarities, centerTags }: IndexedRow): void {
    const place = placeOf(filepath)
    if (place === null) throw new TypeError(`"${filepath}" is not the path of an image.`)
    this.#rows.set(id, this.#rows.size)
    this.#ids.push(id)
    this.#folder.push(place.folder)
    if (!this.#sourceNames.includes(place.source)) this.#sourceNames.push(place.source)
    this.#source.push(this.#sourceNames.indexOf(place.source))
    this.#year.push(place.year)
    if (!this.#splitNames.includes(split)) this.#splitNames.push(split)
    this.#split.push(this.#splitNames.indexOf(split))
    this.#captions.push(captionHash(title, titleMultiObjects))
    this.#titles.push(captionHash(title, ''))
    this.#addTags(centerTags)
    for (const side of box) this.#boxes.push(side)
    this.#gsds.push(gsd)
    for (let s = 0; s < this.scorers.length; s++) this.#similarities.push(similarities[s] ?? Number.NaN)
  }

  /** Number of the row with exactly this image path, or -1. */
  find(filepath: string): number {
    const place = placeOf(filepath)
    const row = place === null ? undefined : this.#rows.get(place.id)
    if (place === null || row === undefined) return -1
    const same =
      this.#folder.at(row) === place.folder &&
      this.#sourceNames[this.#source.at(row)] === place.source &&
      this.#year.at(row) === place.year
    return same ? row : -1
  }

  /** Number of the row with this id, or -1. */
  rowOf(id: string): number {
    return this.#rows.get(id) ?? -1
  }

  saysOf(row: number, title: string, titleMultiObjects: string): boolean {
    return this.#captions.at(row) === captionHash(title, titleMultiObjects)
  }

  hasTitle(row: number, title: string): boolean {
    return this.#titles.at(row) === captionHash(title, '')
  }

  #addTags(tags: Tags): void {
    for (const [key, value] of Object.entries(tags)) {
      const name = `${key}=${value}`
      let code = this.#tagCodes.get(name)
      if (code === undefined) {
        code = this.#tagNames.push(name) - 1
        this.#tagCodes.set(name, code)
        this.#tagRows.push(0)
      }
      this.#tagRows[code]!++
      this.#tags.push(code)
    }
    this.#tagEnds.push(this.#tags.length)
  }

  /** Tags of the row's object. */
  tags(row: number): Tags {
    const from = row === 0 ? 0 : this.#tagEnds.at(row - 1)
    const names = Array.from(
      { length: this.#tagEnds.at(row) - from },
      (_, i) => this.#tagNames[this.#tags.at(from + i)]!,
    )
    return Object.fromEntries(
      names.map((name) => [name.slice(0, name.indexOf('=')), name.slice(name.indexOf('=') + 1)]),
    )
  }

  /** The rarest of the row's tags, the one that the fewest rows have; ties go to the first by name; null without tags. */
  rarestTag(row: number): string | null {
    const tags: number[] = []
    for (let at = row === 0 ? 0 : this.#tagEnds.at(row - 1); at < this.#tagEnds.at(row); at++)
      tags.push(this.#tags.at(at))
    const fewest = Math.min(...tags.map((tag) => this.#tagRows[tag]!))
    const rarest = tags.filter((tag) => this.#tagRows[tag] === fewest).map((tag) => this.#tagNames[tag]!)
    return rarest.sort()[0] ?? null
  }

  /** A number that is equal for equal titles. */
  title(row: number): number {
    return this.#titles.at(row)
  }

  /** Adds a ranking that the manifest has no column of. */
  addBlend(name: string, values: Float64Array): void {
    this.#blends.set(name, values)
  }

  ranksBy(scorer: string): boolean {
    return this.#blends.has(scorer) || this.scorers.includes(scorer)
  }

  /** @param scorer a scorer or a blend */
  similarity(row: number, scorer: string): number {
    const blend = this.#blends.get(scorer)
    return blend === undefined
      ? this.#similarities.at(row * this.scorers.length + this.scorers.indexOf(scorer))
      : blend[row]!
  }

  split(row: number): string | null {
    return this.#splitNames[this.#split.at(row)] ?? null
  }

  box(row: number): Box {
    const at = row * 4
    return [this.#boxes.at(at), this.#boxes.at(at + 1), this.#boxes.at(at + 2), this.#boxes.at(at + 3)]
  }

  /** Metres per pixel. */
  gsd(row: number): number {
    return this.#gsds.at(row)
  }

  /** Alias of the imagery source. */
  source(row: number): string {
    return this.#sourceNames[this.#source.at(row)]!
  }

  filepath(row: number): string {
    const year = this.#year.at(row) === NO_YEAR ? '' : String(this.#year.at(row)).padStart(2, '0')
    return `images${this.#folder.at(row)}/${this.#ids[row]}_${this.#sourceNames[this.#source.at(row)]}_${year}.jpg`
  }
}

function placeOf(filepath: string): { id: string; folder: number; source: string; year: number } | null {
  if (!IMAGE_PATH.test(filepath)) return null
  const [folder = '', name = ''] = filepath.split('/')
  const [id = '', source = '', year = ''] = name.slice(0, -'.jpg'.length).split('_')
  return {
    id,
    folder: Number(folder.slice('images'.length)),
    source,
    year: year === '' ? NO_YEAR : Number(year),
  }
}

/** 48 bits: the chance that a different caption counts as equal is 1 in 10^14. */
function captionHash(title: string, titleMultiObjects: string): number {
  return Number.parseInt(sha256(`${title}\0${titleMultiObjects}`).slice(0, 12), 16)
}

/** A growing column of numbers. */
class Column<T extends Uint8Array | Float64Array> {
  readonly #create: (length: number) => T
  #values: T
  #length = 0

  constructor(create: (length: number) => T) {
    this.#create = create
    this.#values = create(1024)
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = this.#create(this.#length * 2)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.#length++] = value
  }

  get length(): number {
    return this.#length
  }

  at(index: number): number {
    const value = this.#values[index]
    if (value === undefined || index >= this.#length) throw new RangeError(`There is no row ${index}.`)
    return value
  }
}

const bytes = () => new Column((length) => new Uint8Array(length))
const numbers = () => new Column((length) => new Float64Array(length))
