import { formatCount, formatCounted, type Terminal } from '@skyscript/core'
import type { AppliedChanges } from '@skyscript/osm-extract'

const KINDS = ['nodes', 'ways', 'relations'] as const

/** Says what changes did to an extract, and what is not known. */
export function noteChanges(terminal: Terminal, applied: AppliedChanges): void {
  for (const action of ['created', 'modified', 'deleted'] as const) {
    const counts = KINDS.map((kind) => formatCounted(applied[action][kind], kind.slice(0, -1)))
    terminal.note(`${action}: ${counts.join(', ')}`)
  }
  for (const [reason, n] of applied.ignored) terminal.note(`no effect, ${reason}: ${formatCount(n)}`)
  const effective = KINDS.reduce(
    (sum, kind) => sum + applied.created[kind] + applied.modified[kind] + applied.deleted[kind],
    0,
  )
  if (effective === 0 && (applied.ignored.get('outside-extract') ?? 0) > 0)
    terminal.warn("No change is of the extract's area; these may be changes of another region.")
  const { waysLosingNodes, waysMissingNodes, nodesOfUnknownWays } = applied
  const ways = waysLosingNodes + waysMissingNodes
  if (ways > 0)
    terminal.warn(
      `${formatCounted(ways, 'way')} ${ways === 1 ? 'names' : 'name'} nodes that are neither in the extract nor in the changes; objects made of ${ways === 1 ? 'it' : 'them'} are left out.`,
    )
  if (nodesOfUnknownWays > 0)
    terminal.warn(
      `${formatCounted(nodesOfUnknownWays, 'node')} moved into the extract, of ways that neither it nor the changes have; a newer extract has those ways.`,
    )
}
