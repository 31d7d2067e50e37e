import { getJson, InputError, type Storage, type Terminal } from '@skyscript/core'
import { EVALUATIONS } from '@skyscript/dataset'
import { openFinished } from '@skyscript/dataset/export'
import { writeEvaluationsPage } from '@skyscript/dataset/report'
import { optionsClaim } from '@skyscript/pipeline/ownership'
import { owning } from '../runs/interruptible.ts'
import { openDataset } from '../storages/storages.ts'
import type { Evaluation } from './evaluations.ts'

/** What is kept of a result, and by which it is replaced: set, column and model. */
type Saved = Omit<Evaluation, 'split' | 'skipped' | 'textsCut'>

/**
 * Finds out before the work whether results can be saved beside a dataset.
 *
 * @param output folder or s3:// URL
 * @returns what saves those that belong to this dataset's sets, and writes the page of results
 * @throws InputError `no-dataset`, `unfinished-dataset`
 */
export async function openSaving(
  output: string,
  terminal: Terminal,
): Promise<(evaluations: readonly Evaluation[]) => Promise<void>> {
  const storage = await openDataset(output)
  const { fingerprint } = (await openFinished(storage)).lock
  await readSaved(storage)
  return async (evaluations) => {
    const own = evaluations.filter(({ dataset }) => dataset === fingerprint)
    if (own.length < evaluations.length)
      terminal.warn(
        `${evaluations.length - own.length} results are of sets that ${output} doesn't have, and are not saved`,
      )
    if (own.length === 0) return
    await owning(storage, optionsClaim('evaluate', null), terminal, async (signal) => {
      const list = merged(await readSaved(storage), own.map(forSaving))
      signal.throwIfAborted()
      await storage.put(EVALUATIONS, `${JSON.stringify(list, null, 2)}\n`)
      // Another command may have changed the sets meanwhile.
      await writeEvaluationsPage(storage, (await openFinished(storage)).lock)
    })
  }
}

/** Where several sets have one name, they are told apart by the folders above, which the dataset doesn't know. */
const forSaving = ({ split: _, skipped: __, textsCut: ___, ...kept }: Evaluation): Saved => ({
  ...kept,
  set: kept.set.slice(kept.set.lastIndexOf('/') + 1),
})

const keyOf = ({ set, column, model }: Saved) => JSON.stringify([set, column, model])

/** Ordered by set, column and model. Models of one comparison that have the same name are all kept. */
function merged(before: readonly Saved[], added: readonly Saved[]): Saved[] {
  const replaced = new Set(added.map(keyOf))
  const all = new Map<string, Saved>()
  for (const each of before) if (!replaced.has(keyOf(each))) all.set(keyOf(each), each)
  for (const each of added) all.set(`${keyOf(each)} ${each.fingerprint}`, each)
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}

async function readSaved(storage: Storage): Promise<Saved[]> {
  const saved = await getJson<unknown>(storage, EVALUATIONS).catch(() => undefined)
  if (saved === null) return []
  const isWhole =
    Array.isArray(saved) && saved.every((each) => typeof each === 'object' && each !== null && 'set' in each)
  if (isWhole) return saved as Saved[]
  throw new InputError(
    'bad-evaluations',
    `${EVALUATIONS} of ${storage.url} is not a list of results; delete it, then measure again.`,
  )
}
