import { type Box, boxOf, fromFeatureLine, HALF_TURN, type OsmObject, type Tags } from '@skyscript/core'

/** What choosing objects needs of one, read off its line without making an object of it. */
export interface Outline {
  readonly id: string
  readonly isArea: boolean
  /** As `boxOf` has it. */
  readonly box: Box
  readonly tags: Tags
  /** All of it. */
  object(): OsmObject
  /** Its line in UTF-8, with the line end. */
  line(): Buffer
}

/** Length of what a line begins with. */
export const BEFORE_ID = '{"type":"Feature","id":"'.length
const TYPE = '","geometry":{"type":"'.length
const COORDINATES = '","coordinates":'.length
const PROPERTIES = '},"properties":'.length
const END = '}'.length

const [LINE_END, QUOTE, MINUS, DOT, ZERO, NINE, CLOSE, P, L] = [10, 34, 45, 46, 48, 57, 125, 80, 108]
const MULTI = 'Multi'.length
const UNITS_PER_DEGREE = 1e7
const POWERS = [1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1]

/** Id of the object whose line begins at a place. */
export const idOfLine = (lines: Buffer, start: number): string =>
  lines.toString('latin1', start + BEFORE_ID, lines.indexOf(QUOTE, start + BEFORE_ID))

/**
 * Reads lines as the extraction writes them: digits in place, since making objects of all positions takes ten times as
 * long. The quotient of two exact numbers is the same double as the decimal text has.
 *
 * @param bytes lines with their line ends
 */
export function* outlinesOf(bytes: Buffer): Generator<Outline> {
  for (let start = 0; start < bytes.length; ) {
    const idEnd = bytes.indexOf(QUOTE, start + BEFORE_ID)
    const type = idEnd + TYPE
    const kind = bytes[type] === P ? type : type + MULTI
    const isArea = bytes[kind] === P && bytes[kind + 2] === L
    let at = bytes.indexOf(QUOTE, kind) + COORDINATES
    let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
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
    const end = bytes.indexOf(LINE_END, at)
    const from = start
    const object = () => fromFeatureLine(bytes.toString('utf8', from, end))
    const { tags } = JSON.parse(bytes.toString('utf8', at + PROPERTIES, end - END)) as { tags: Tags }
    const box: Box = [
      west / UNITS_PER_DEGREE,
      south / UNITS_PER_DEGREE,
      east / UNITS_PER_DEGREE,
      north / UNITS_PER_DEGREE,
    ]
    yield {
      id: bytes.toString('latin1', start + BEFORE_ID, idEnd),
      isArea,
      box: east - west > HALF_TURN * UNITS_PER_DEGREE ? boxOf(object().geometry) : box,
      tags,
      object,
      line: () => bytes.subarray(from, end + 1),
    }
    start = end + 1
  }
}
