import { type Box, byKey, type Tags } from '@skyscript/core'
import { type Fault, quoted } from './faults.ts'
import { PickleError, type PickleValue, readPickle } from './pickle.ts'

/** What the manifest says a meta must contain. */
export interface ExpectedMeta {
  readonly box: Box
  /** Milliseconds since 1970 UTC; null if the source has no time. */
  readonly time: number | null
  readonly centerTags: Tags
  readonly surroundingTags: readonly Tags[]
}

const KEYS = ['box', 'time', 'center_tags', 'surrounding_tags'] as const

/** Checks a meta pickle: plain data, exactly the original's four keys with their types, and equal to the manifest. */
export function checkMeta(path: string, bytes: Uint8Array, expected: ExpectedMeta): Fault[] {
  let members: Map<string, PickleValue>
  try {
    members = membersOf(readPickle(bytes))
  } catch (error) {
    if (!(error instanceof PickleError || error instanceof ShapeError)) throw error
    return [{ check: 'meta-shape', path, message: error.message }]
  }
  const missing = KEYS.filter((key) => !members.has(key))
  const extra = [...members.keys()].filter((key) => !(KEYS as readonly string[]).includes(key))
  if (missing.length > 0 || extra.length > 0) {
    return [{ check: 'meta-shape', path, message: `has the keys ${quoted([...members.keys()])}, not ${quoted(KEYS)}` }]
  }
  const faults: Fault[] = []
  const compare = (key: (typeof KEYS)[number], read: (value: PickleValue) => unknown, due: unknown) => {
    try {
      const actual = read(members.get(key)!)
      if (stableJson(actual) !== stableJson(due)) {
        faults.push({
          check: 'meta-differs',
          path,
          message: `${key} is ${quoted(actual)}, the manifest says ${quoted(due)}`,
        })
      }
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error
      faults.push({ check: 'meta-shape', path, message: `${key} ${error.message}` })
    }
  }
  compare('box', (value) => numbersOf(value, 'float'), expected.box)
  compare('time', (value) => numbersOf(value, 'int'), timeFields(expected.time))
  compare('center_tags', tagsOf, expected.centerTags)
  compare('surrounding_tags', listOfTags, expected.surroundingTags)
  return faults
}

/** Year, month, day, hour, minute in UTC; empty if the source has no time. */
function timeFields(time: number | null): number[] {
  if (time === null) return []
  const date = new Date(time)
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()]
}

class ShapeError extends Error {}

function membersOf(value: PickleValue): Map<string, PickleValue> {
  if (value.type !== 'dict') throw new ShapeError(`is a ${value.type}, not a dict`)
  const members = new Map<string, PickleValue>()
  for (const [key, member] of value.entries) {
    if (key.type !== 'str') throw new ShapeError(`has a key that is a ${key.type}, not a str`)
    if (members.has(key.value)) throw new ShapeError(`has the key ${quoted(key.value)} twice`)
    members.set(key.value, member)
  }
  return members
}

function numbersOf(value: PickleValue, type: 'int' | 'float'): number[] {
  if (value.type !== 'tuple') throw new ShapeError(`is a ${value.type}, not a tuple`)
  return value.items.map((item) => {
    if (item.type !== type) throw new ShapeError(`holds a ${item.type}, not a ${type}`)
    return item.value
  })
}

function tagsOf(value: PickleValue): Tags {
  const entries = [...membersOf(value)].map(([key, member]) => {
    if (member.type !== 'str') throw new ShapeError(`has a value that is a ${member.type}, not a str`)
    return [key, member.value] as const
  })
  return Object.fromEntries(entries)
}

function listOfTags(value: PickleValue): Tags[] {
  if (value.type !== 'list') throw new ShapeError(`is a ${value.type}, not a list`)
  return value.items.map(tagsOf)
}

/** Tags are equal in any key order; lists are not. NaN and infinities differ from every number. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === 'number' && !Number.isFinite(member)) return String(member)
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
    return Object.entries(member).sort(byKey)
  })
}
