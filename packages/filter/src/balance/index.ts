import type { Quota } from '@skyscript/core'
import type { GroupColumns } from '@skyscript/dataset'
import type { Limits } from './choose.ts'
import { objectClass } from './class.ts'
import type { ClassOf, GroupCollector, Grouping, NamedGroups } from './grouping.ts'
import { gsd } from './gsd.ts'
import { place } from './place.ts'
import { source } from './source.ts'
import { tag } from './tag.ts'

/** Everything that pairs can be balanced by. */
export const GROUPINGS: readonly Grouping[] = [source, gsd, place, tag, objectClass]

const groupingOf = ({ by }: Quota): Grouping => GROUPINGS.find((each) => each.by === by)!

/** Columns of the manifest that quotas need. */
export const columnsFor = (quotas: readonly Quota[]): string[] => quotas.flatMap((quota) => groupingOf(quota).columns)

export interface Balance {
  readonly limits: readonly Limits[]
  /** What the user should know about the settings. */
  readonly notes: readonly string[]
}

/** The quotas of the settings over the pairs of a manifest. */
export function collectBalance(
  quotas: readonly Quota[],
  rows: number,
  classOf: ClassOf | null,
): { add(columns: GroupColumns): void; end(): Balance } {
  const collectors = quotas.map((quota): GroupCollector => groupingOf(quota).collect(rows, quota, classOf))
  return {
    add(columns) {
      for (const collector of collectors) collector.add(columns)
    },
    end() {
      const groups = collectors.map((collector) => collector.end())
      return {
        limits: quotas.map((quota, i) => limitsOf(quota, groups[i]!)),
        notes: quotas.flatMap((quota, i) => unknownNotes(quota, groups[i]!)),
      }
    },
  }
}

function limitsOf({ by, most, share }: Quota, { of, names }: NamedGroups): Limits {
  const column = (setting: Quota['most'], none: number) =>
    Float64Array.from(names, (name) =>
      typeof setting === 'object' ? (Object.hasOwn(setting, name) ? setting[name]! : none) : (setting ?? none),
    )
  return { by, of, most: column(most, Number.POSITIVE_INFINITY), share: column(share, 1) }
}

/** A value that no pair has is probably misspelt. */
function unknownNotes({ by, most, share }: Quota, { names }: NamedGroups): string[] {
  const named = [most, share].flatMap((setting) => (typeof setting === 'object' ? Object.keys(setting) : []))
  return [...new Set(named)]
    .filter((name) => !names.includes(name))
    .map((name) => `filter.balance limits the ${by} ${name}, which no pair has.`)
}
