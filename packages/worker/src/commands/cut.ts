import { type Config, formatCount, getJson, InputError } from '@skyscript/core'
import { MANIFEST } from '@skyscript/dataset'
import {
  type CutOptions,
  cutStored,
  type DatasetLock,
  type DatasetState,
  hasStoredPairs,
  readExclude,
  STATE,
  storedExclude,
  withFilter,
} from '@skyscript/pipeline'
import { optionsClaim } from '@skyscript/pipeline/ownership'
import { openDataset } from '../storages/storages.ts'
import { owning } from './owning.ts'
import { openTerminal, readRegion } from './region.ts'

/** `skyscript cut`: ranking, cuts, splits, CSVs, manifest and report again, from stored scores. */
export async function cutCommand(output: string, options: { config?: string; json?: boolean }): Promise<number> {
  const terminal = openTerminal()
  const storage = await openDataset(output)
  const region = options.config === undefined ? null : await readRegion(options.config)
  const claim = optionsClaim('cut', region && [region.name, region.filter, region.seed])
  const lock = await owning(storage, claim, terminal, (signal) =>
    cutAgain({ storage, terminal, signal }, region, options),
  )
  if (options.json) process.stdout.write(`${JSON.stringify(lock)}\n`)
  else
    for (const [path, rows] of Object.entries(lock.rows))
      process.stdout.write(`${formatCount(rows).padStart(12)}  ${path}\n`)
  for (const note of lock.notes) terminal.note(note)
  return 0
}

async function cutAgain(
  { storage, terminal, signal }: CutOptions,
  region: Config | null,
  options: { config?: string },
): Promise<DatasetLock> {
  const stored = await getJson<DatasetState>(storage, STATE)
  if (stored !== null && (await storage.has(MANIFEST)) && !(await hasStoredPairs(storage)))
    throw new InputError(
      'damaged-manifest',
      `${MANIFEST} or ${STATE} of ${storage.url} is not what the last build wrote; run skyscript build to make it again.`,
    )
  if (stored === null || !(await storage.has(MANIFEST)))
    throw new InputError(
      'no-scores',
      `${storage.url} has no stored scores (${MANIFEST} and ${STATE}); run skyscript build first.`,
    )
  if (stored.report === undefined)
    throw new InputError('old-dataset', `${storage.url} was made by an older version; run skyscript build again.`)
  const exclude = region === null ? await storedExclude(storage) : await readExclude(region.filter.exclude, terminal)
  const settings = region === null ? stored : withFilter(stored, region)
  const state = { ...settings, exclude: exclude?.fingerprint ?? null }
  const missing = state.config.filter.scorers.find(({ name }) => !stored.scorers.some((each) => each.name === name))
  if (missing !== undefined)
    throw new InputError(
      'no-scores',
      `${options.config} names scorer "${missing.name}", for which no scores are stored; run skyscript build to score with it.`,
    )
  return (await cutStored(state, exclude, { storage, terminal, signal })).lock
}
