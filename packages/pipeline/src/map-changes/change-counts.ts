import { formatCounted } from '@skyscript/core'
import type { AppliedChanges } from '@skyscript/osm-extract'

type ByKind = AppliedChanges['created']

/** Elements of the map that changes touched. */
export interface ChangeCounts {
  readonly created: ByKind
  readonly modified: ByKind
  readonly deleted: ByKind
  /** Elements of change files that had no effect, by reason. */
  readonly ignored: Readonly<Record<string, number>>
}

const NONE: ByKind = { nodes: 0, ways: 0, relations: 0 }

export const noCounts: ChangeCounts = { created: NONE, modified: NONE, deleted: NONE, ignored: {} }

export const countsOf = ({ created, modified, deleted, ignored }: AppliedChanges): ChangeCounts => ({
  ...{ created, modified, deleted },
  ignored: Object.fromEntries(ignored),
})

export function addCounts(a: ChangeCounts, b: ChangeCounts): ChangeCounts {
  const add = (key: 'created' | 'modified' | 'deleted'): ByKind => ({
    nodes: a[key].nodes + b[key].nodes,
    ways: a[key].ways + b[key].ways,
    relations: a[key].relations + b[key].relations,
  })
  const ignored = { ...a.ignored }
  for (const [reason, elements] of Object.entries(b.ignored)) ignored[reason] = (ignored[reason] ?? 0) + elements
  return { created: add('created'), modified: add('modified'), deleted: add('deleted'), ignored }
}

/** What users should know of changes that were applied to an extract, in sentences: what had no effect or is missing. */
export function noticesOf(applied: AppliedChanges, name: string): string[] {
  const { waysLosingNodes, waysMissingNodes, nodesOfUnknownWays } = applied
  const touched = [applied.created, applied.modified, applied.deleted].flatMap(Object.values<number>)
  const elsewhere = applied.ignored.has('outside-extract') ? '; they may be changes of another region' : ''
  const ways = waysLosingNodes + waysMissingNodes
  const [refer, them] = ways === 1 ? ['refers', 'it'] : ['refer', 'them']
  return [
    ...(touched.every((n) => n === 0) ? [`None of the changes had an effect on ${name}${elsewhere}.`] : []),
    ...(ways > 0
      ? [
          `${formatCounted(ways, 'way')} ${refer} to nodes that are neither in ${name} nor in the changes; objects made of ${them} are left out.`,
        ]
      : []),
    ...(nodesOfUnknownWays > 0
      ? [
          `${formatCounted(nodesOfUnknownWays, 'node')} moved into the area of ${name}, but their ways are neither in it nor in the changes, so those ways are missing; a newer extract has them.`,
        ]
      : []),
  ]
}
