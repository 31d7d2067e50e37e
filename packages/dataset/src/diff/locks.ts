import { canonicalJson, redact } from '@skyscript/core'
import type { DatasetLock } from '../lock.ts'

type Json = unknown

export interface Difference {
  readonly before: Json
  readonly after: Json
}

/** The differences between two locks; a part without any is empty or null. */
export interface LockChanges {
  /** `filter.top`; a value that is not set is null. */
  readonly settings: readonly (Difference & { readonly setting: string })[]
  /** The extracts, with the dates and sequence numbers of their maps. */
  readonly inputs: Difference | null
  /** By scorer. */
  readonly models: readonly (Difference & { readonly scorer: string })[]
  /** Fingerprints of the tag tables and caption rules. */
  readonly tables: Difference | null
  /** By source of image files, a hash of their addresses and versions. */
  readonly origins: readonly (Difference & { readonly source: string })[]
  readonly tool: Difference | null
  /** Numbers of objects: `objects`, `kept`, `dropped.<reason>`, `failed.<code>`. */
  readonly counts: readonly (Difference & { readonly count: string })[]
  /** Numbers of rows, by file. */
  readonly rows: readonly (Difference & { readonly file: string })[]
  /** Files by path, whose sha256 is null where there is none. */
  readonly files: readonly (Difference & { readonly file: string })[]
}

/** Where there was nothing before, nothing differs from it. */
export const NO_LOCK_CHANGES: LockChanges = {
  ...{ settings: [], inputs: null, models: [], tables: null, origins: [] },
  ...{ tool: null, counts: [], rows: [], files: [] },
}

export function compareLocks(before: DatasetLock, after: DatasetLock): LockChanges {
  const both = (part: (lock: DatasetLock) => unknown) => [part(before), part(after)] as const
  const named = <K extends string>(key: K, part: (lock: DatasetLock) => unknown) =>
    differences(...both(part)).map(({ path, ...each }) => ({ [key]: path, ...each }) as Difference & Record<K, string>)
  const whole = (part: (lock: DatasetLock) => unknown): Difference | null => {
    const [old, now] = both(part)
    return isSame(old, now) ? null : { before: shown(old), after: shown(now) }
  }
  return {
    settings: named('setting', (lock) => lock.config),
    inputs: whole(({ inputs }) => inputs),
    models: differences(
      ...both(({ models }) => Object.fromEntries(models.map(({ name, ...model }) => [name, model]))),
      1,
    ).map(({ path, ...each }) => ({ scorer: path, ...each })),
    tables: whole(({ tables }) => tables),
    origins: named('source', ({ origins }) => origins),
    tool: whole(({ tool }) => tool),
    counts: named('count', ({ counts }) => counts),
    rows: differences(...both(({ rows }) => rows), 1).map(({ path, ...each }) => ({ file: path, ...each })),
    files: differences(...both(({ files }) => files), 1).map(({ path, ...each }) => ({ file: path, ...each })),
  }
}

/** Whether no part has a difference. */
export const isEmpty = (changes: LockChanges): boolean =>
  Object.values(changes).every((part: readonly unknown[] | Difference | null) =>
    Array.isArray(part) ? part.length === 0 : part === null,
  )

/** A setting that a dataset lacks, such as an older one, equals one that is null. */
const isSame = (a: unknown, b: unknown) => canonicalJson(withoutNulls(a)) === canonicalJson(withoutNulls(b))

const withoutNulls = (value: unknown): Json =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => each ?? undefined) ?? 'null')

interface At extends Difference {
  readonly path: string
}

/**
 * The values at which two trees differ, by path, in the order of the paths. Lists of objects that have names or aliases
 * are trees of these; any other list is a value.
 *
 * @param depth levels that are opened; what is below is a value
 */
function differences(before: unknown, after: unknown, depth = Number.POSITIVE_INFINITY, path = ''): At[] {
  if (isSame(before, after)) return []
  const [old, now] = [treeOf(before), treeOf(after)]
  const whole = [{ path, before: shown(before), after: shown(after) }]
  if (depth === 0 || (old === null && now === null) || isValue(before, old) || isValue(after, now)) return whole
  const keys = [...new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})])].sort()
  const parts = keys.flatMap((key) =>
    differences(old?.[key], now?.[key], depth - 1, path === '' ? key : `${path}.${key}`),
  )
  // Lists may have the same members in another order.
  return parts.length > 0 || !Array.isArray(before) ? parts : whole
}

const isValue = (value: unknown, tree: object | null) => tree === null && value !== null && value !== undefined

function treeOf(value: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null) return null
  if (!Array.isArray(value)) return value as Record<string, unknown>
  const names = value.map((each: { name?: unknown; alias?: unknown } | null) => each?.name ?? each?.alias)
  const areNamed = value.length > 0 && names.every((name) => typeof name === 'string')
  return areNamed && new Set(names).size === names.length
    ? Object.fromEntries(value.map((each, i) => [names[i], each]))
    : null
}

/** Without secrets: the locks that we write have none, but other tools may write locks too. */
const shown = (value: unknown): Json =>
  value === undefined
    ? null
    : JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? redact(each) : each)))
