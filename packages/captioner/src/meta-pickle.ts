import type { Box, Tags } from '@skyscript/core'

/** What SkyScript's meta files hold, before it becomes Python. */
export interface Meta {
  readonly box: Box
  /** Milliseconds since 1970 UTC; null where the source has no time, which gives an empty tuple. */
  readonly time: number | null
  readonly centerTags: Tags
  readonly surroundingTags: readonly Tags[]
}

/** Opcodes of pickle protocol 4 (Python's Lib/pickletools.py); data only, so that loading one can run nothing. */
const OP = {
  proto: 0x80,
  stop: 0x2e,
  mark: 0x28,
  emptyDict: 0x7d,
  setItems: 0x75,
  emptyList: 0x5d,
  appends: 0x65,
  tuple: 0x74,
  emptyTuple: 0x29,
  binFloat: 0x47,
  binInt: 0x4a,
  shortText: 0x8c,
  text: 0x58,
} as const

/**
 * `pickle.load` gives `{'box': (west, south, east, north), 'time': (year, month, day, hour, minute),
 * 'center_tags': dict, 'surrounding_tags': list of dict}`; floats in degrees WGS84, ints in UTC.
 */
export function metaPickle({ box, time, centerTags, surroundingTags }: Meta): Buffer {
  const parts: Uint8Array[] = []
  const byte = (...bytes: number[]) => parts.push(Uint8Array.from(bytes))
  const text = (value: string) => {
    const utf8 = Buffer.from(value.toWellFormed(), 'utf8')
    if (utf8.length < 256) byte(OP.shortText, utf8.length)
    else byte(OP.text, ...int32(utf8.length))
    parts.push(utf8)
  }
  const dict = (entries: readonly (readonly [string, () => void])[]) => {
    byte(OP.emptyDict)
    if (entries.length === 0) return
    byte(OP.mark)
    for (const [key, value] of entries) {
      text(key)
      value()
    }
    byte(OP.setItems)
  }
  const tags = (values: Tags) => dict(Object.entries(values).map(([key, value]) => [key, () => text(value)]))
  const tuple = (items: readonly (() => void)[]) => {
    if (items.length === 0) return byte(OP.emptyTuple)
    byte(OP.mark)
    for (const item of items) item()
    return byte(OP.tuple)
  }
  byte(OP.proto, 4)
  dict([
    ['box', () => tuple(box.map((degrees) => () => byte(OP.binFloat, ...float64(degrees))))],
    ['time', () => tuple(timeFields(time).map((field) => () => byte(OP.binInt, ...int32(field))))],
    ['center_tags', () => tags(centerTags)],
    [
      'surrounding_tags',
      () => {
        byte(OP.emptyList)
        if (surroundingTags.length === 0) return
        byte(OP.mark)
        for (const each of surroundingTags) tags(each)
        byte(OP.appends)
      },
    ],
  ])
  byte(OP.stop)
  return Buffer.concat(parts)
}

function timeFields(time: number | null): number[] {
  if (time === null) return []
  const date = new Date(time)
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()]
}

/** Little-endian, as BININT and BINUNICODE want it. */
function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

/** Big-endian, as BINFLOAT wants it. */
function float64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}
