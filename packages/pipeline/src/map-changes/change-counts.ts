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
