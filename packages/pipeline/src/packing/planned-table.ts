import { canonicalJson, type ImageCandidate, type PlannedImage, type Position } from '@skyscript/core'
import { Column, doubles, IdColumn, integers } from '../column.ts'

/** What the candidates of one source image have in common, and the JSON of it, as it is and with sorted keys. */
interface SourceImage extends Omit<ImageCandidate, 'box' | 'width' | 'height'> {
  readonly beforeBox: string
  readonly sorted: readonly [afterBox: string, rest: string]
}

/** The planned images of a map tile in columns: some 40 bytes an image and 48 a candidate, where objects take a kilobyte. */
export class PlannedTable {
  readonly #ids: IdColumn
  readonly #ends: Column<Uint32Array>
  /** Number of each candidate's source image, and of its box: candidates of one source have the same. */
  readonly #images: Column<Uint32Array>
  readonly #places: Column<Uint32Array>
  readonly #boxes: Column<Float64Array>
  readonly #sizes: Column<Uint32Array>
  readonly #sourceImages: SourceImage[]
  /** Their numbers by source, GSD, id and origin. */
  readonly #numbers = new Map<string, Map<number, Map<string, Map<string, number>>>>()

  /** @param data of a table that has all its images: those that are added are not told from the ones it has */
  constructor(data?: PlannedTable['data']) {
    this.#ids = new IdColumn(data?.ids)
    this.#ends = new Column(integers, data?.ends)
    this.#images = new Column(integers, data?.images)
    this.#places = new Column(integers, data?.places)
    this.#boxes = new Column(doubles, data?.boxes)
    this.#sizes = new Column(integers, data?.sizes)
    this.#sourceImages = data?.sourceImages ?? []
  }

  /** What another thread makes the same table of. */
  get data() {
    return {
      ids: this.#ids.data,
      ends: this.#ends.data,
      images: this.#images.data,
      places: this.#places.data,
      boxes: this.#boxes.data,
      sizes: this.#sizes.data,
      sourceImages: this.#sourceImages,
    }
  }

  get size(): number {
    return this.#ends.length
  }

  add({ id, candidates }: PlannedImage): void {
    this.#ids.push(id)
    let last: ImageCandidate['box'] | null = null
    for (const candidate of candidates) {
      const { box, width, height } = candidate
      if (box !== last) {
        for (const degrees of box) this.#boxes.push(degrees)
        this.#sizes.push(width)
        this.#sizes.push(height)
        last = box
      }
      this.#images.push(this.#numberOf(candidate))
      this.#places.push(this.#sizes.length / 2 - 1)
    }
    this.#ends.push(this.#images.length)
  }

  id(image: number): string {
    return this.#ids.at(image)
  }

  /** The centre of an image's first candidate. */
  position(image: number): Position {
    const [west, south, east, north] = this.#box(this.#places.at(this.#start(image)))
    return [(west + east) / 2, (south + north) / 2]
  }

  /** The candidate that is tried first. */
  first(image: number): ImageCandidate {
    const start = this.#start(image)
    const { source, imageId, origin, time, facts, gsd } = this.#sourceImages[this.#images.at(start)]!
    const place = this.#places.at(start)
    const [width, height] = [this.#sizes.at(2 * place), this.#sizes.at(2 * place + 1)]
    return { source, imageId, origin, time, ...(facts && { facts }), gsd, box: this.#box(place), width, height }
  }

  /**
   * JSON of some planned images, and the same with sorted keys. It is put together from what was written before, since
   * a tile has few source images, and several candidates have the same box.
   */
  json(images: readonly number[]): { readonly text: string; readonly canonical: string } {
    const [texts, sorted]: [string[], string[]] = [[], []]
    for (const image of images) {
      const id = `"id":"${this.#ids.at(image)}"`
      let [text, canonical] = ['', '']
      let [last, box, width, height] = [-1, '', 0, 0]
      for (let at = this.#start(image); at < this.#ends.at(image); at++) {
        const place = this.#places.at(at)
        if (place !== last) {
          last = place
          box = `"box":[${this.#box(place).join(',')}]`
          width = this.#sizes.at(2 * place)
          height = this.#sizes.at(2 * place + 1)
        }
        const { beforeBox, sorted: [afterBox, rest] } = this.#sourceImages[this.#images.at(at)]! // biome-ignore format: one line
        const comma = text === '' ? '' : ','
        text += `${comma}${beforeBox}${box},"width":${width},"height":${height}}`
        canonical += `${comma}{${box},${afterBox},"height":${height},${rest},"width":${width}}`
      }
      texts.push(`{${id},"candidates":[${text}]}`)
      sorted.push(`{"candidates":[${canonical}],${id}}`)
    }
    return { text: `[${texts.join(',')}]`, canonical: `[${sorted.join(',')}]` }
  }

  #start(image: number): number {
    return image === 0 ? 0 : this.#ends.at(image - 1)
  }

  #box(place: number): ImageCandidate['box'] {
    const at = 4 * place
    return [this.#boxes.at(at), this.#boxes.at(at + 1), this.#boxes.at(at + 2), this.#boxes.at(at + 3)]
  }

  #numberOf({ source, imageId, origin, time, facts, gsd }: ImageCandidate): number {
    let gsds = this.#numbers.get(source)
    if (gsds === undefined) this.#numbers.set(source, (gsds = new Map()))
    let images = gsds.get(gsd)
    if (images === undefined) gsds.set(gsd, (images = new Map()))
    let origins = images.get(imageId)
    if (origins === undefined) images.set(imageId, (origins = new Map()))
    let number = origins.get(origin)
    if (number === undefined) {
      const common = { source, imageId, origin, time, ...(facts && { facts }), gsd }
      const beforeBox = `${JSON.stringify(common).slice(0, -1)},`
      const afterBox = canonicalJson({ ...(facts && { facts }), gsd }).slice(1, -1)
      const rest = canonicalJson({ imageId, origin, source, time }).slice(1, -1)
      number = this.#sourceImages.push({ ...common, beforeBox, sorted: [afterBox, rest] }) - 1
      origins.set(origin, number)
    }
    return number
  }
}
