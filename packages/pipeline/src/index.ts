/**
 * From a region to a dataset: the stages, what decides and names their results, and the coordinator that runs them. It
 * knows neither Redis nor buckets nor terminals; these come from the caller.
 */
export { ledgerOf } from './context.ts'
export { type BuildOptions, type BuildResult, build, type Prepared, prepare } from './coordinator.ts'
export { eecuHoursOf, type FetchCost, fetchCost, type Probe, probe } from './cost.ts'
export {
  type CutOptions,
  cutStored,
  type DatasetLock,
  type DatasetState,
  hasStoredPairs,
  readExclude,
  STATE,
  storedExclude,
  withFilter,
} from './cut.ts'
export { monthOf } from './eecu-ledger.ts'
export { createExecutor } from './execute.ts'
export { fileKind } from './file-kind.ts'
export { openTagClassifier, type TagJudge } from './learn-tags.ts'
export { type ContextOptions, defaultModelCache, modelOptions } from './models.ts'
export { buildClaim, optionsClaim } from './ownership/claims.ts'
export { guardedStorage, type Lease, type LeaseClaim, takeLease } from './ownership/lease.ts'
export { type PrivateAddresses, withSecrets } from './private-addresses.ts'
export { countIn, type PlanResult, sortedCounts, sortedTable, type TagOutcomes } from './run.ts'
export { createEmbeddedRunner } from './runner/embedded.ts'
export {
  type Execute,
  type Job,
  type JobFailure,
  type Runner,
  resultKey,
  STAGES,
  type StageName,
} from './runner/runner.ts'
export { fetchShardsOf, runPlan } from './shards.ts'
export { readStyles } from './styles.ts'
export { readTagTable, readTextFile } from './text-file.ts'
