import { getJson, InputError } from '@skyscript/core'
import { assembleDataset, type DatasetState, STATE } from '../pipeline/assemble.ts'
import { openDataset } from '../storages/storages.ts'
import { formatCount } from '../terminal/terminal.ts'
import { interruptSignal, openTerminal, readRegion } from './region.ts'

/** `skyscript cut`: ranking, cuts, splits, CSVs, manifest and report again, from stored scores. */
export async function cutCommand(output: string, options: { config?: string; json?: boolean }): Promise<number> {
  const terminal = openTerminal()
  const storage = await openDataset(output)
  const stored = await getJson<DatasetState>(storage, STATE)
  if (stored === null)
    throw new InputError('no-scores', `${storage.url} has no stored scores (${STATE}); run skyscript build first.`)
  const interrupt = interruptSignal(terminal)
  try {
    const state = options.config === undefined ? stored : await withSettings(stored, options.config)
    const { lock } = await assembleDataset(state, { storage, terminal, signal: interrupt.signal })
    if (options.json) process.stdout.write(`${JSON.stringify(lock)}\n`)
    else
      for (const [path, rows] of Object.entries(lock.rows))
        process.stdout.write(`${formatCount(rows).padStart(12)}  ${path}\n`)
    for (const note of lock.notes) terminal.note(note)
    return 0
  } finally {
    interrupt.release()
  }
}

/** The filter settings of a region file over stored results; the scorers must be those whose scores are stored. */
async function withSettings(state: DatasetState, file: string): Promise<DatasetState> {
  const { name, filter, seed } = await readRegion(file)
  const names = filter.scorers.map((scorer) => scorer.name)
  const places = names.map((each) => state.scorers.findIndex((scorer) => scorer.name === each))
  const missing = names.find((_, i) => places[i] === -1)
  if (missing !== undefined)
    throw new InputError(
      'no-scores',
      `${file} names scorer "${missing}", for which no scores are stored; run skyscript build to score with it.`,
    )
  return {
    ...state,
    config: { ...state.config, name, filter, seed },
    scorers: places.map((place) => state.scorers[place]!),
    leaves: state.leaves.map((leaf) => ({ ...leaf, scores: places.map((place) => leaf.scores[place]!) })),
  }
}
