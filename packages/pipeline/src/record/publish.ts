import { InputError, type Storage, seededFraction } from '@skyscript/core'
import { CHANGES, CHANGES_REPORT, type DatasetLock, LOCK, Lowest } from '@skyscript/dataset'
import {
  type Changes,
  type Chosen,
  changesJson,
  compareDatasets,
  type PairChanges,
  readExamples,
  type Side,
  sideOf,
} from '@skyscript/dataset/diff'
import { setsOf } from '@skyscript/dataset/export'
import { type ChangeExample, changesPage, thumbnail } from '@skyscript/dataset/report'
import { forgetBefore, keepDataset, keptImage, keptImages, lockBefore, openBefore, restoreRecord } from './before.ts'

/** What a build changed of the dataset. */
export interface ChangesSummary extends Pick<PairChanges, 'counts' | 'reasons'> {
  /** There was no dataset before. */
  readonly first: boolean
}

/** Before the first change of a published file: from here on the dataset is not whole until its lock is written again. */
export async function beginChanges(storage: Storage): Promise<void> {
  // A build that was stopped right after it had published has recorded its changes.
  if (await storage.has(LOCK)) await forgetBefore(storage)
  await keepDataset(storage)
  await storage.delete(LOCK)
}

export const lockText = (lock: DatasetLock): string => `${JSON.stringify(lock, null, 2)}\n`

/**
 * Writes the lock of a dataset whose other files are there, and before it what was changed since the last one:
 * `changes.json` and its page. If the lock is the same as before, they stay what they were.
 *
 * @returns null if nothing was changed
 */
export async function publish(storage: Storage, lock: DatasetLock): Promise<ChangesSummary | null> {
  const before = await lockBefore(storage)
  const text = lockText(lock)
  const isChanged = before !== undefined && before !== text
  const changes = isChanged ? await recordChanges(storage, before, lock) : null
  // A build that was stopped may have recorded what was never published.
  if (before === text) await restoreRecord(storage)
  await storage.put(LOCK, text)
  await forgetBefore(storage)
  return changes
}

async function recordChanges(storage: Storage, text: string | null, lock: DatasetLock): Promise<ChangesSummary> {
  await using opened = new AsyncDisposableStack()
  const open = (side: Side | null) => {
    if (side !== null) opened.defer(() => side.close())
    return side
  }
  const now = await sideOf({ storage, lock, sets: setsOf(lock) })
  open(now)
  const before = text === null ? null : open(await openBefore(storage, text).catch(unlessUnreadable))
  const { changes, old } = await compare(before, now)
  const examples = await examplesOf(storage, changes, old, now)
  await storage.put(CHANGES_REPORT, changesPage(changes, examples))
  await storage.put(CHANGES, changesJson(changes))
  const { counts, reasons } = changes.pairs!
  return { first: changes.before === null, counts, reasons }
}

function unlessUnreadable(error: unknown): null {
  if (error instanceof InputError) return null
  throw error
}

/** A manifest before that can't be compared, of an older version or damaged, counts as none. */
async function compare(
  before: Side | null,
  now: Side,
): Promise<{ readonly changes: Changes; readonly old: Side | null }> {
  try {
    return { changes: await compareDatasets(before, now), old: before }
  } catch (error) {
    if (before === null || !(error instanceof InputError)) throw error
    return { changes: await compareDatasets(null, now), old: null }
  }
}

/** Pairs on the page, by what happened to them. */
const SHOWN = { replaced: 12, rewritten: 8, added: 8, removed: 8 } as const

async function examplesOf(
  storage: Storage,
  changes: Changes,
  before: Side | null,
  now: Side,
): Promise<ChangeExample[]> {
  if (before === null) return []
  const kept = await keptImages(storage)
  const { changed, added, removed } = changes.pairs!
  const { seed } = now.lock.config
  const replaced = createSample(seed, SHOWN.replaced, kept)
  const rewritten = createSample(seed, SHOWN.rewritten, kept)
  for (const { id, reasons } of changed)
    (reasons.includes('image') ? replaced : rewritten).offer({ id, kind: 'changed', reasons })
  const others = { added: createSample(seed, SHOWN.added, kept), removed: createSample(seed, SHOWN.removed, kept) }
  for (const id of added) others.added.offer({ id, kind: 'added', reasons: [] })
  for (const id of removed) others.removed.offer({ id, kind: 'removed', reasons: [] })
  const chosen = [replaced, rewritten, others.added, others.removed].flatMap((sample) => sample.chosen())
  const examples: ChangeExample[] = []
  for (const example of await readExamples(chosen, before, now)) {
    const { id, kind, reasons, after } = example
    const isShownTwice = kind === 'removed' || reasons.includes('image')
    examples.push({
      ...example,
      imageBefore: isShownTwice ? await keptImage(storage, id) : null,
      imageAfter: after && (await thumbnail(storage, after.filepath)),
    })
  }
  return examples
}

/** Some of many pairs: those whose picture was kept first, then by seeded chance. */
function createSample(seed: number, size: number, kept: ReadonlySet<string>) {
  const lowest = new Lowest<{ readonly rank: number; readonly pair: Chosen }>(size, (a, b) => a.rank < b.rank)
  return {
    offer(pair: Chosen): void {
      lowest.offer({ rank: seededFraction(seed, 'changes', pair.id) + (kept.has(pair.id) ? 0 : 1), pair })
    },
    chosen: () => lowest.items.map(({ pair }) => pair),
  }
}
