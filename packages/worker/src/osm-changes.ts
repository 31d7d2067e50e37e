import { formatCount, formatCounted, type Terminal } from '@skyscript/core'
import type { AppliedChanges } from '@skyscript/osm-extract'
import { noticesOf } from '@skyscript/pipeline'

const KINDS = ['nodes', 'ways', 'relations'] as const

/** Says what changes did to an extract, what had no effect, and what is missing. */
export function noteChanges(terminal: Terminal, applied: AppliedChanges): void {
  for (const action of ['created', 'modified', 'deleted'] as const) {
    const counts = KINDS.map((kind) => formatCounted(applied[action][kind], kind.slice(0, -1)))
    terminal.note(`${action}: ${counts.join(', ')}`)
  }
  for (const [reason, n] of applied.ignored) terminal.note(`no effect, ${reason}: ${formatCount(n)}`)
  for (const notice of noticesOf(applied, 'the extract')) terminal.warn(notice)
}
