import { createReadStream } from 'node:fs'
import {
  type Box,
  boxesOf,
  fromFeatureLine,
  type Geometry,
  InputError,
  linesOf,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  type OsmObject,
  radians,
  readLines,
} from '@skyscript/core'
import Flatbush from 'flatbush'
import { hashText } from './hash.ts'
import { grownBox, reachOf } from './reach.ts'
import { styleOf } from './styles/classify.ts'
import type { Style } from './styles/style.ts'

/** OSM's own precision: 1e-7 degree. */
export const UNITS_PER_DEGREE = 1e7

/**
 * All features to draw, in painting order, as flat arrays in memory that threads share. Feature `i` has the lines
 * `lineStart[i]` to `lineStart[i + 1]`, line `j` the positions `pointStart[j]` to `pointStart[j + 1]` of `positions`
 * (longitude, latitude in units of 1e-7 degree).
 */
export interface Features {
  readonly count: number
  readonly styles: readonly Style[]
  readonly style: Uint32Array
  /** Hash of the object's id. */
  readonly seed: Int32Array
  /** Square metres; 0 for points and lines. */
  readonly area: Float32Array
  readonly lineStart: Uint32Array
  readonly pointStart: Uint32Array
  readonly positions: Int32Array
  /** The feature of each box in the index: one on both sides of 180 degrees has two. */
  readonly owners: Uint32Array
  /** Flatbush's own bytes; null without features. */
  readonly index: SharedArrayBuffer | null
}

/** Features that can be searched. */
export interface FeatureStore extends Features {
  /** Indexes of the features that may show in a box, shadows included; ascending, which is their painting order. */
  find(box: Box): Uint32Array
}

/** Makes features searchable, also in another thread than the one that read them. */
export function openFeatures(features: Features): FeatureStore {
  const { index, owners, count } = features
  const boxes = index && Flatbush.from(index)
  return {
    ...features,
    find(box) {
      if (!boxes) return new Uint32Array()
      const found = Uint32Array.from(boxes.search(...box), (entry) => owners[entry]!).sort()
      return owners.length === count ? found : found.filter((feature, i) => feature !== found[i - 1])
    },
  }
}

/** A typed array that grows. */
function growing() {
  let values = new Int32Array(1024)
  let length = 0
  return {
    push(value: number) {
      if (length === values.length) {
        const larger = new Int32Array(length * 2)
        larger.set(values)
        values = larger
      }
      values[length++] = value
    },
    get length() {
      return length
    },
    view: () => values.subarray(0, length),
  }
}

/**
 * Reads features as `toFeatureLine` of core writes them, one per line; a leading record separator (RFC 8142) is
 * allowed. An object that appears again, in whatever file, is left out.
 *
 * @throws InputError `unreadable-features` with file and line
 */
export async function loadFeatures(paths: readonly string[]): Promise<Features> {
  const builder = featureBuilder()
  for (const path of paths) {
    let number = 0
    try {
      for await (const line of readLines(createReadStream(path))) {
        number++
        const text = line.startsWith('\u001e') ? line.slice(1) : line
        if (text !== '') builder.add(fromFeatureLine(text))
      }
    } catch (error) {
      throw new InputError(
        'unreadable-features',
        `${path} can't be read as GeoJSON features (line ${number}); write it with skyscript extract.`,
        { cause: error },
      )
    }
  }
  return builder.build()
}

interface DrawnObject {
  readonly id: string
  /** Number of its style. */
  readonly style: number
  readonly seed: number
  /** Square metres; 0 for points and lines. */
  readonly area: number
  readonly firstLine: number
  readonly lines: number
  readonly boxes: readonly Box[]
}

/** Collects objects and arranges those that are drawn. An id that comes again is left out. */
export function featureBuilder(): { add(object: OsmObject): void; build(): Features } {
  const seen = new Set<string>()
  const styles: Style[] = []
  const styleNumbers = new Map<string, number>()
  const objects: DrawnObject[] = []
  const lineLengths = growing()
  const coordinates = growing()

  return {
    add(object) {
      if (seen.has(object.id)) return
      seen.add(object.id)
      const style = styleOf(object.tags, object.geometry.type)
      if (style === null) return
      const key = JSON.stringify(style)
      let number = styleNumbers.get(key)
      if (number === undefined) {
        number = styles.push(style) - 1
        styleNumbers.set(key, number)
      }
      const firstLine = lineLengths.length
      for (const line of linesOf(object.geometry)) {
        lineLengths.push(line.length)
        for (const [longitude, latitude] of line) {
          coordinates.push(Math.round(longitude * UNITS_PER_DEGREE))
          coordinates.push(Math.round(latitude * UNITS_PER_DEGREE))
        }
      }
      objects.push({
        style: number,
        seed: hashText(object.id),
        area: areaOf(object.geometry),
        firstLine,
        lines: lineLengths.length - firstLine,
        boxes: boxesOf(object.geometry),
        id: object.id,
      })
    },
    build() {
      const lengths = lineLengths.view()
      const offsets = new Uint32Array(lengths.length + 1)
      for (let i = 0; i < lengths.length; i++) offsets[i + 1] = offsets[i]! + lengths[i]!
      // Of one layer, larger areas lie below smaller ones; ids break ties, so that the order of files doesn't matter.
      objects.sort(
        (a, b) => styles[a.style]!.layer - styles[b.style]!.layer || b.area - a.area || (a.id < b.id ? -1 : 1),
      )
      return arrange(objects, styles, offsets, coordinates.view())
    },
  }
}

function arrange(
  objects: readonly DrawnObject[],
  styles: readonly Style[],
  offsets: Uint32Array,
  coordinates: Int32Array,
): Features {
  const count = objects.length
  const boxes = objects.reduce((sum, object) => sum + object.boxes.length, 0)
  const features = {
    count,
    styles,
    style: new Uint32Array(new SharedArrayBuffer(count * 4)),
    seed: new Int32Array(new SharedArrayBuffer(count * 4)),
    area: new Float32Array(new SharedArrayBuffer(count * 4)),
    lineStart: new Uint32Array(new SharedArrayBuffer((count + 1) * 4)),
    pointStart: new Uint32Array(new SharedArrayBuffer(offsets.length * 4)),
    positions: new Int32Array(new SharedArrayBuffer(coordinates.length * 4)),
    owners: new Uint32Array(new SharedArrayBuffer(boxes * 4)),
  }
  const index = boxes === 0 ? null : new Flatbush(boxes, 16, Float64Array, SharedArrayBuffer)
  let line = 0
  for (const [i, object] of objects.entries()) {
    features.style[i] = object.style
    features.seed[i] = object.seed
    features.area[i] = object.area
    for (const box of object.boxes) features.owners[index!.add(...grownBox(box, reachOf(styles[object.style]!)))] = i
    for (let j = object.firstLine; j < object.firstLine + object.lines; j++) {
      const part = coordinates.subarray(offsets[j]! * 2, offsets[j + 1]! * 2)
      features.positions.set(part, features.pointStart[line]! * 2)
      features.pointStart[line + 1] = features.pointStart[line]! + part.length / 2
      line++
    }
    features.lineStart[i + 1] = line
  }
  index?.finish()
  return { ...features, index: index && (index.data as SharedArrayBuffer) }
}

/** Square metres of an area, holes taken off; 0 for points and lines. */
function areaOf(geometry: Geometry): number {
  if (geometry.type !== 'Polygon' && geometry.type !== 'MultiPolygon') return 0
  let area = 0
  for (const ring of linesOf(geometry)) {
    const [first] = ring
    if (!first) continue
    let doubled = 0
    for (let i = 1; i < ring.length; i++) {
      const [[x0, y0], [x1, y1]] = [ring[i - 1]!, ring[i]!]
      doubled += (x0 - first[0]) * (y1 - first[1]) - (x1 - first[0]) * (y0 - first[1])
    }
    area += (doubled / 2) * METRES_PER_DEGREE_LONGITUDE * Math.cos(radians(first[1])) * METRES_PER_DEGREE_LATITUDE
  }
  return Math.abs(area)
}
