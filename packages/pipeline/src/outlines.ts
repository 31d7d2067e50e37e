import {
  type Box,
  boxOf,
  type Edit,
  fromFeatureLine,
  type Geometry,
  HALF_TURN,
  type OsmObject,
  type Tags,
} from '@skyscript/core'

/** What choosing and planning an object needs of it, read off its line without making an object of it. */
export interface Outline {
  readonly id: string
  readonly isArea: boolean
  /** As `boxOf` has it. */
  readonly box: Box
  /** The JSON of its tags with each byte as a character: objects with the same tags have the same text. */
  readonly tagsText: string
  readonly tags: Tags
  /** When it was last edited, milliseconds since 1970 UTC; null if the extract doesn't say. */
  readonly edited: number | null
  /** Read from the line by each call. */
  geometry(): Geometry
  /** All of it. */
  object(): OsmObject
  /** Its line in UTF-8, with the line end. */
  line(): Buffer
  /** The part of its line that says what it is and where: id, geometry and tags. */
  content(): Buffer
}

/** Length of what a line begins with. */
export const BEFORE_ID = '{"type":"Feature","id":"'.length
const GEOMETRY = '","geometry":'.length
const TYPE = '","geometry":{"type":"'.length
const COORDINATES = '","coordinates":'.length
const TAGS = ',"properties":{"tags":'.length
const VERSION = ',"version":'.length
const TIMESTAMP = ',"timestamp":'.length
const END = '}}'.length

const [LINE_END, QUOTE, COMMA, MINUS, DOT, ZERO, NINE, CLOSE, P, L] = [10, 34, 44, 45, 46, 48, 57, 125, 80, 108]
const MULTI = 'Multi'.length
const UNITS_PER_DEGREE = 1e7
const POWERS = [1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1]

/**
 * Reads lines as the extraction writes them.
 *
 * @param bytes lines with their line ends
 * @param isWanted by id; other lines are skipped
 */
export function* outlinesOf(bytes: Buffer, isWanted?: (id: string) => boolean): Generator<Outline> {
  for (let start = 0; start < bytes.length; ) {
    const idEnd = bytes.indexOf(QUOTE, start + BEFORE_ID)
    const id = bytes.toString('latin1', start + BEFORE_ID, idEnd)
    const end = bytes.indexOf(LINE_END, idEnd)
    if (isWanted === undefined || isWanted(id)) yield new LineOutline(bytes, start, end, id)
    start = end + 1
  }
}

class LineOutline implements Outline {
  readonly id: string
  readonly isArea: boolean
  readonly box: Box
  readonly #bytes: Buffer
  readonly #start: number
  readonly #end: number
  /** Where the geometry ends, and where the comma after the tags is. */
  readonly #geometryEnd: number
  readonly #tagsEnd: number

  constructor(bytes: Buffer, start: number, end: number, id: string) {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.id = id
    const type = start + BEFORE_ID + id.length + TYPE
    const kind = bytes[type] === P ? type : type + MULTI
    this.isArea = bytes[kind] === P && bytes[kind + 2] === L
    const box: Box = [0, 0, 0, 0]
    this.#geometryEnd = readBox(bytes, bytes.indexOf(QUOTE, kind) + COORDINATES, box)
    this.box = box[2] - box[0] > HALF_TURN ? boxOf(this.geometry()) : box
    this.#tagsEnd = editStart(bytes, end)
  }

  get tagsText(): string {
    return this.#bytes.toString('latin1', this.#geometryEnd + TAGS, this.#tagsEnd)
  }

  get tags(): Tags {
    return JSON.parse(this.#bytes.toString('utf8', this.#geometryEnd + TAGS, this.#tagsEnd)) as Tags
  }

  get edited(): number | null {
    const { timestamp } = readEdit(this.#bytes, this.#tagsEnd, this.#end)
    return timestamp === null ? null : Date.parse(timestamp)
  }

  geometry(): Geometry {
    const from = this.#start + BEFORE_ID + this.id.length + GEOMETRY
    return JSON.parse(this.#bytes.toString('latin1', from, this.#geometryEnd)) as Geometry
  }

  object(): OsmObject {
    return fromFeatureLine(this.#bytes.toString('utf8', this.#start, this.#end))
  }

  line(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end + 1)
  }

  content(): Buffer {
    return this.#bytes.subarray(this.#start, this.#tagsEnd)
  }
}

/**
 * Reads only ids, versions and timestamps off lines as the extraction writes them.
 *
 * @param bytes lines with their line ends
 * @param isWanted by id; other lines are skipped
 */
export function* editsOf(bytes: Buffer, isWanted: (id: string) => boolean): Generator<[id: string, edit: Edit]> {
  for (let start = 0; start < bytes.length; ) {
    const idEnd = bytes.indexOf(QUOTE, start + BEFORE_ID)
    const id = bytes.toString('latin1', start + BEFORE_ID, idEnd)
    const end = bytes.indexOf(LINE_END, idEnd)
    if (isWanted(id)) yield [id, readEdit(bytes, editStart(bytes, end), end)]
    start = end + 1
  }
}

/** Where version and timestamp of a line begin, with their comma: what comes before them is the line's content. */
export const editStart = (bytes: Buffer, end: number): number => commaBefore(bytes, commaBefore(bytes, end))

function readEdit(bytes: Buffer, start: number, end: number): Edit {
  const comma = bytes.indexOf(COMMA, start + VERSION)
  const version = Number(bytes.toString('latin1', start + VERSION, comma))
  const timestamp = bytes.toString('latin1', comma + TIMESTAMP, end - END)
  return { version: version === 0 ? null : version, timestamp: timestamp === 'null' ? null : timestamp.slice(1, -1) }
}

/** The last comma before a place. After its tags, an object's line has no other commas than those before its members. */
function commaBefore(bytes: Buffer, place: number): number {
  let at = place - 1
  while (bytes[at] !== COMMA) at--
  return at
}

/**
 * The box of some coordinates. Digits are read in place, since making objects of all positions takes ten times as long;
 * the quotient of two exact numbers is the same double as the decimal text has.
 *
 * @returns the place after the geometry
 */
function readBox(bytes: Buffer, from: number, box: Box): number {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
  let at = from
  for (let value = 0, digits = 0, decimals = -1, sign = 1, isLongitude = true; ; at++) {
    const byte = bytes[at]!
    if (byte >= ZERO && byte <= NINE) {
      value = value * 10 + byte - ZERO
      digits++
      if (decimals >= 0) decimals++
    } else if (byte === DOT) decimals = 0
    else if (byte === MINUS) sign = -1
    else {
      if (digits > 0) {
        const units = sign * value * POWERS[decimals < 0 ? 0 : decimals]!
        if (isLongitude) {
          if (units < west) west = units
          if (units > east) east = units
        } else {
          if (units < south) south = units
          if (units > north) north = units
        }
        isLongitude = !isLongitude
        value = digits = 0
        decimals = -1
        sign = 1
      }
      if (byte === CLOSE) break
    }
  }
  box[0] = west / UNITS_PER_DEGREE
  box[1] = south / UNITS_PER_DEGREE
  box[2] = east / UNITS_PER_DEGREE
  box[3] = north / UNITS_PER_DEGREE
  return at + 1
}
