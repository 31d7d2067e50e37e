import { type Box, InputError } from '@skyscript/core'
import {
  LENGTH,
  openCursor,
  readBytes,
  readLength,
  readMessage,
  readSigned,
  readVarint,
  readZigzag,
  VARINT,
} from './cursor.ts'
import { HISTORY_FEATURE, KNOWN_FEATURES } from './limits.ts'
import type { Origin } from './pbf-fault.ts'

export interface PbfHeader {
  /** ISO 8601 UTC of the newest change in the file, where its maker recorded it. */
  readonly replicationTimestamp: string | null
  readonly replicationSequence: number | null
  /** Base address of the server that publishes the changes after it: `https://download.geofabrik.de/europe/andorra-updates`. */
  readonly replicationServer: string | null
  /** Degrees WGS84, as the file claims. */
  readonly box: Box | null
  readonly writingProgram: string | null
  /** Whether nodes come first, then ways, then relations, each by id. */
  readonly sorted: boolean
}

/**
 * HeaderBlock of osmformat.proto.
 *
 * @param at the time whose map is wanted, which takes a file of histories; null: the map of a file without them
 * @throws InputError `history-file`, `not-a-history` or `unsupported-feature`; PbfFault
 */
export function parseHeader(data: Uint8Array, origin: Origin, at: string | null = null): PbfHeader {
  openCursor(data, origin)
  const required: string[] = []
  const optional: string[] = []
  let replicationTimestamp: string | null = null
  let replicationSequence: number | null = null
  let replicationServer: string | null = null
  let box: Box | null = null
  let writingProgram: string | null = null
  const text = (limit: number) => Buffer.from(readBytes(limit)).toString('utf8')
  readMessage(data.length, (field, wire, limit) => {
    if (field === 1 && wire === LENGTH) box = parseBox(readLength(limit))
    else if (field === 4 && wire === LENGTH) required.push(text(limit))
    else if (field === 5 && wire === LENGTH) optional.push(text(limit))
    else if (field === 16 && wire === LENGTH) writingProgram = text(limit)
    else if (field === 32 && wire === VARINT) replicationTimestamp = isoSeconds(readSigned(limit))
    else if (field === 33 && wire === VARINT) replicationSequence = readVarint(limit)
    else if (field === 34 && wire === LENGTH) replicationServer = text(limit)
    else return false
    return true
  })
  const isHistory = required.includes(HISTORY_FEATURE)
  if (isHistory && at === null) {
    throw new InputError(
      'history-file',
      `${origin.path} is a history file with several versions of each object; set osm.at in the region file, or --at of \`skyscript extract\`, to the date of the map that you want, such as 2023-05-01.`,
    )
  }
  if (!isHistory && at !== null) {
    throw new InputError(
      'not-a-history',
      `${origin.path} has only the newest state of each object, so the map of ${at} can't be read from it; give a history file (.osh.pbf), or remove osm.at or --at.`,
    )
  }
  const unknown = required.find((feature) => feature !== HISTORY_FEATURE && !KNOWN_FEATURES.has(feature))
  if (unknown !== undefined) {
    throw new InputError(
      'unsupported-feature',
      `${origin.path} needs the feature "${unknown.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)}", which is not known here; rewrite it with \`osmium cat\`.`,
    )
  }
  return {
    replicationTimestamp,
    replicationSequence,
    replicationServer,
    box,
    writingProgram,
    sorted: optional.includes('Sort.Type_then_ID'),
  }
}

/** HeaderBBox: left, right, top, bottom in nanodegrees. */
function parseBox(limit: number): Box {
  const sides = [0, 0, 0, 0, 0]
  readMessage(limit, (field, wire, end) => {
    if (field > 4 || wire !== VARINT) return false
    sides[field] = readZigzag(end) / 1e9
    return true
  })
  return [sides[1]!, sides[4]!, sides[2]!, sides[3]!]
}

/** `2024-05-01T12:00:00Z`; null where the number is no time of a year of four digits. */
export function isoSeconds(seconds: number): string | null {
  const date = new Date(seconds * 1000)
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString()
  return text.length === 24 ? `${text.slice(0, 19)}Z` : null
}
