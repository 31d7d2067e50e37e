import { BENCHMARK_RULES } from '@skyscript/benchmark/sets'
import { getJson, InputError } from '@skyscript/core'
import type { CutSettings } from '@skyscript/core/config'
import { MANIFEST } from '@skyscript/dataset'
import {
  type Assembled,
  type CutOptions,
  cutStored,
  type DatasetState,
  hasStoredPairs,
  readBenchmarks,
  readExclude,
  STATE,
  storedExclude,
  withFilter,
} from '@skyscript/pipeline'

/**
 * Ranks, cuts and splits a dataset from its stored scores.
 *
 * @param settings what to take instead of the settings of the last build, and the file that they came from; null for nothing
 * @param change changes what is cut
 * @throws InputError `no-scores`, `damaged-manifest`, `old-dataset`
 */
export async function cutAgain(
  { storage, terminal, signal }: CutOptions,
  settings: { readonly file: string; readonly from: CutSettings } | null,
  change: (state: DatasetState) => DatasetState = (state) => state,
): Promise<Assembled> {
  const stored = await getJson<DatasetState>(storage, STATE)
  if (stored === null || !(await storage.has(MANIFEST)))
    throw new InputError(
      'no-scores',
      `${storage.url} has no stored scores (${MANIFEST} and ${STATE}); run skyscript build first.`,
    )
  if (!(await hasStoredPairs(storage)))
    throw new InputError(
      'damaged-manifest',
      `${MANIFEST} or a file in state/ of ${storage.url} is not what the last build wrote; run skyscript build to make it again.`,
    )
  if (stored.report === undefined)
    throw new InputError('old-dataset', `${storage.url} was made by an older version; run skyscript build again.`)
  const exclude =
    settings === null ? await storedExclude(storage) : await readExclude(settings.from.filter.exclude, terminal)
  const chosen =
    settings === null ? stored : withFilter(stored, settings.from, await readBenchmarks(settings.from.benchmarks))
  const state = withRules(change({ ...chosen, exclude: exclude?.fingerprint ?? null }))
  const missing = state.config.filter.scorers.find(({ name }) => !stored.scorers.some((each) => each.name === name))
  if (missing !== undefined)
    throw new InputError(
      'no-scores',
      `${settings?.file} names scorer "${missing.name}", for which no scores are stored; run skyscript build to score with it.`,
    )
  return cutStored(state, exclude, { storage, terminal, signal })
}

/** Stored settings may be of a version with other rules for benchmark sets. */
function withRules(state: DatasetState): DatasetState {
  const { benchmarks } = state.config
  if (benchmarks === undefined) return state
  return { ...state, config: { ...state.config, benchmarks: { ...benchmarks, rules: BENCHMARK_RULES } } }
}
