import type { Box } from '@skyscript/core'
import { ByteBuffer } from './bytes.ts'
import { Numbers } from './cursor.ts'
import type { Element } from './element.ts'
import { isoSeconds } from './header.ts'
import type { IntegerLine, Shape } from './shape.ts'

/** Objects as lines of a GeoJSON text sequence, in bytes that can be written or handed on as they are. */
export interface FeatureChunk {
  /** UTF-8; each line as `toFeatureLine` of the core package has it, with its line end. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Where each line ends, after its line end. */
  readonly ends: Uint32Array<ArrayBuffer>
  /** West, south, east, north of each object in 1e-7 degree; of one on both sides of 180 degrees, of its larger side. */
  readonly boxes: Int32Array<ArrayBuffer>
  /** Index, west, south, east, north of the smaller side of objects on both sides of 180 degrees. */
  readonly otherBoxes: Int32Array<ArrayBuffer>
}

const text = (value: string) => Uint8Array.from(Buffer.from(value))
const ID = text('{"type":"Feature","id":"')
const GEOMETRY = {
  Point: text('","geometry":{"type":"Point","coordinates":'),
  LineString: text('","geometry":{"type":"LineString","coordinates":'),
  MultiLineString: text('","geometry":{"type":"MultiLineString","coordinates":'),
  Polygon: text('","geometry":{"type":"Polygon","coordinates":'),
  MultiPolygon: text('","geometry":{"type":"MultiPolygon","coordinates":'),
}
const TAGS = text('},"properties":{"tags":{')
const VERSION = text('},"version":')
const TIMESTAMP = text(',"timestamp":')
const NULL = text('null')
const END = text('}}\n')

const [QUOTE, COMMA, MINUS, DOT, ZERO, COLON, OPEN, CLOSE] = [0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x3a, 0x5b, 0x5d]
/** The two digits of numbers below 100. */
const TENS = Uint8Array.from({ length: 100 }, (_, i) => ZERO + Math.floor(i / 10))
const ONES = Uint8Array.from({ length: 100 }, (_, i) => ZERO + (i % 10))
/** `[-179.1234567,-89.1234567],` */
const POSITION_BYTES = 28
const DAY = 86_400

/**
 * Writes objects as JSON without making objects or strings of them: digits by hand out of the integers, strings as the
 * bytes that the file has. JSON is most of the work where every tagged object is asked for.
 */
export class FeatureWriter {
  readonly #out = new ByteBuffer()
  readonly #ends = new Numbers()
  readonly #boxes = new Numbers()
  readonly #otherBoxes = new Numbers()
  /** `"2024-05-01T` by days since 1970; null where no calendar has the day. */
  readonly #days = new Map<number, Uint8Array | null>()

  /**
   * @param prefix `n`, `w` or `a`
   * @param boxes of the shape
   */
  write(prefix: string, id: number, shape: Shape, [box, other]: readonly Box[], element: Element): void {
    const out = this.#out
    out.copy(ID)
    out.room(24)
    out.bytes[out.length++] = prefix.charCodeAt(0)
    out.length = putInteger(out.bytes, out.length, id)
    this.#putGeometry(shape)
    out.copy(TAGS)
    const { strings, keyIds, valueIds, from, to, step, valueShift } = element
    for (let i = from; i < to; i += step) {
      if (i > from) this.#put(COMMA)
      strings.putJson(keyIds.values[i]!, out)
      this.#put(COLON)
      strings.putJson(valueIds.values[i + valueShift]!, out)
    }
    out.copy(VERSION)
    out.room(24)
    out.length = putInteger(out.bytes, out.length, element.version)
    out.copy(TIMESTAMP)
    this.#putTimestamp(element.seconds)
    out.copy(END)
    if (other) for (const number of [this.#ends.length, ...other]) this.#otherBoxes.push(number)
    for (const side of box!) this.#boxes.push(side)
    this.#ends.push(out.length)
  }

  /** What was written since the last time; null where that is nothing. */
  take(): FeatureChunk | null {
    if (this.#ends.length === 0) return null
    const chunk = {
      bytes: this.#out.take(),
      ends: new Uint32Array(this.#ends.values.subarray(0, this.#ends.length)),
      boxes: new Int32Array(this.#boxes.values.subarray(0, this.#boxes.length)),
      otherBoxes: new Int32Array(this.#otherBoxes.values.subarray(0, this.#otherBoxes.length)),
    }
    this.#ends.clear()
    this.#boxes.clear()
    this.#otherBoxes.clear()
    return chunk
  }

  #put(byte: number): void {
    this.#out.room(1)
    this.#out.bytes[this.#out.length++] = byte
  }

  #putGeometry({ type, polygons }: Shape): void {
    if (type !== 'Area') {
      const lines = polygons[0]!
      this.#out.copy(lines.length > 1 ? GEOMETRY.MultiLineString : GEOMETRY[type])
      if (lines.length > 1) this.#putLines(lines)
      else this.#putPositions(lines[0]!, type === 'LineString')
      return
    }
    const isMulti = polygons.length > 1
    this.#out.copy(isMulti ? GEOMETRY.MultiPolygon : GEOMETRY.Polygon)
    if (isMulti) this.#put(OPEN)
    for (const [i, rings] of polygons.entries()) {
      if (i > 0) this.#put(COMMA)
      this.#putLines(rings)
    }
    if (isMulti) this.#put(CLOSE)
  }

  #putLines(lines: readonly IntegerLine[]): void {
    this.#put(OPEN)
    for (const [i, line] of lines.entries()) {
      if (i > 0) this.#put(COMMA)
      this.#putPositions(line, true)
    }
    this.#put(CLOSE)
  }

  #putPositions(line: IntegerLine, isList: boolean): void {
    const out = this.#out
    out.room((line.length / 2) * POSITION_BYTES + 2)
    const { bytes } = out
    let at = out.length
    if (isList) bytes[at++] = OPEN
    for (let i = 0; i < line.length; i += 2) {
      if (i > 0) bytes[at++] = COMMA
      bytes[at++] = OPEN
      at = putDegrees(bytes, at, line[i]!)
      bytes[at++] = COMMA
      at = putDegrees(bytes, at, line[i + 1]!)
      bytes[at++] = CLOSE
    }
    if (isList) bytes[at++] = CLOSE
    out.length = at
  }

  #putTimestamp(seconds: number): void {
    const day = Math.floor(seconds / DAY)
    let date = this.#days.get(day)
    if (date === undefined) {
      const iso = isoSeconds(day * DAY)
      this.#days.set(day, (date = iso === null ? null : text(`"${iso.slice(0, 11)}`)))
    }
    const out = this.#out
    if (date === null) {
      out.copy(NULL)
      return
    }
    out.copy(date)
    out.room(10)
    const time = Math.floor(seconds - day * DAY)
    const minutes = Math.floor(time / 60)
    this.#putPair(Math.floor(minutes / 60), COLON)
    this.#putPair(minutes % 60, COLON)
    this.#putPair(time % 60, 0x5a)
    out.bytes[out.length++] = QUOTE
  }

  #putPair(value: number, after: number): void {
    const { bytes, length } = this.#out
    bytes[length] = TENS[value]!
    bytes[length + 1] = ONES[value]!
    bytes[length + 2] = after
    this.#out.length += 3
  }
}

/** A whole number below 2^53 in decimal digits. @returns where it ends */
function putInteger(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  if (rest < 0) {
    bytes[at++] = MINUS
    rest = -rest
  }
  let digits = 1
  for (let power = 10; power <= rest; power *= 10) digits++
  const end = at + digits
  for (let i = end - 1; i >= at; i--) {
    const next = Math.floor(rest / 10)
    bytes[i] = ZERO + (rest - next * 10)
    rest = next
  }
  return end
}

/** An integer of 1e-7 degree as decimal degrees without trailing zeros. @returns where it ends */
function putDegrees(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  if (rest < 0) {
    bytes[at++] = MINUS
    rest = -rest
  }
  const whole = (rest / 10_000_000) | 0
  rest -= whole * 10_000_000
  if (whole >= 100) bytes[at++] = ZERO + 1
  const below = whole >= 100 ? whole - 100 : whole
  if (whole >= 10) bytes[at++] = TENS[below]!
  bytes[at++] = ONES[below]!
  if (rest === 0) return at
  bytes[at] = DOT
  const first = (rest / 100_000) | 0
  rest -= first * 100_000
  const second = (rest / 1000) | 0
  rest -= second * 1000
  const third = (rest / 10) | 0
  bytes[at + 1] = TENS[first]!
  bytes[at + 2] = ONES[first]!
  bytes[at + 3] = TENS[second]!
  bytes[at + 4] = ONES[second]!
  bytes[at + 5] = TENS[third]!
  bytes[at + 6] = ONES[third]!
  bytes[at + 7] = ZERO + rest - third * 10
  at += 8
  while (bytes[at - 1] === ZERO) at--
  return at
}
