import { formatCount, getJson, InputError } from '@skyscript/core'
import type { CutSettings } from '@skyscript/core/config'
import type { Assembled, CutOptions, DatasetState } from '@skyscript/pipeline'
import { argument, defineCommand, jsonOption, option } from '../command.ts'

export const cut = defineCommand({
  name: 'cut',
  description: 'rank, cut and split again from stored scores, without a model',
  arguments: { output: argument('<output>', 'folder or s3:// URL of a dataset') },
  options: {
    config: option(
      '--config <file>',
      'take name, filter and seed from a region file, or a file with only these (default: those of the last build)',
    ),
    json: jsonOption,
  },
  async run({ output, config, json }) {
    const { readCutSettings } = await import('../region.ts')
    const { owning } = await import('../runs/interruptible.ts')
    const { openDataset } = await import('../storages/storages.ts')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const { optionsClaim } = await import('@skyscript/pipeline/ownership')
    const terminal = openTerminal()
    const storage = await openDataset(output)
    const settings = config === undefined ? null : await readCutSettings(config)
    const claim = optionsClaim('cut', settings && [settings.name, settings.filter, settings.seed])
    const { lock, changes } = await owning(storage, claim, terminal, (signal) =>
      cutAgain({ storage, terminal, signal }, settings, config),
    )
    if (json) process.stdout.write(`${JSON.stringify(lock)}\n`)
    else
      for (const [path, rows] of Object.entries(lock.rows))
        process.stdout.write(`${formatCount(rows).padStart(12)}  ${path}\n`)
    for (const note of lock.notes) terminal.note(note)
    if (changes !== null && !changes.first) {
      const { pairsLine } = await import('@skyscript/dataset/diff')
      terminal.note(`Changed: ${pairsLine(changes)}; details: changes.json`)
    }
  },
})

/** @param file where the settings came from, for messages */
async function cutAgain(
  { storage, terminal, signal }: CutOptions,
  settings: CutSettings | null,
  file: string | undefined,
): Promise<Assembled> {
  const { cutStored, hasStoredPairs, readExclude, STATE, storedExclude, withFilter } = await import(
    '@skyscript/pipeline'
  )
  const { MANIFEST } = await import('@skyscript/dataset')
  const stored = await getJson<DatasetState>(storage, STATE)
  if (stored === null || !(await storage.has(MANIFEST)))
    throw new InputError(
      'no-scores',
      `${storage.url} has no stored scores (${MANIFEST} and ${STATE}); run skyscript build first.`,
    )
  if (!(await hasStoredPairs(storage)))
    throw new InputError(
      'damaged-manifest',
      `${MANIFEST} or ${STATE} of ${storage.url} is not what the last build wrote; run skyscript build to make it again.`,
    )
  if (stored.report === undefined)
    throw new InputError('old-dataset', `${storage.url} was made by an older version; run skyscript build again.`)
  const exclude =
    settings === null ? await storedExclude(storage) : await readExclude(settings.filter.exclude, terminal)
  const state = {
    ...(settings === null ? stored : withFilter(stored, settings)),
    exclude: exclude?.fingerprint ?? null,
  }
  const missing = state.config.filter.scorers.find(({ name }) => !stored.scorers.some((each) => each.name === name))
  if (missing !== undefined)
    throw new InputError(
      'no-scores',
      `${file} names scorer "${missing.name}", for which no scores are stored; run skyscript build to score with it.`,
    )
  return cutStored(state, exclude, { storage, terminal, signal })
}
