/**
 * From a region to a dataset: the stages, what decides and names their results, and the coordinator that runs them. It
 * knows neither Redis nor buckets nor terminals; these come from the caller. What other commands use of it is apart, so that
 * they load little: `@skyscript/pipeline/files`, `/ownership` and `/runner`.
 */

export { type BenchmarkFacts, readBenchmarks } from './benchmarks.ts'
export { checkSources, type SourceCheck } from './check-sources.ts'
export { readClip } from './clip.ts'
export { ledgerOf } from './context.ts'
export { type BuildResult, build } from './coordinator.ts'
export { eecuHoursOf, type FetchCost, fetchCost, type Probe, probe } from './cost.ts'
export {
  type Assembled,
  type CutOptions,
  cutStored,
  type DatasetState,
  hasStoredPairs,
  readExclude,
  STATE,
  storedExclude,
  withFilter,
} from './cut.ts'
export { createExecutor } from './execute.ts'
export type { HostCost } from './host-costs.ts'
export { readCatalogue, withLayers } from './layer-sources.ts'
export { openTagClassifier, type TagJudge } from './learn-tags.ts'
export { noticesOf } from './map-changes/change-counts.ts'
export type { ContextOptions } from './models.ts'
export type { Lease } from './ownership/lease.ts'
export { type PlanSummary, planRegion } from './plan-region.ts'
export { type BuildOptions, prepare } from './prepare.ts'
export type { PrivateAddresses } from './private-addresses.ts'
export type { ChangesSummary } from './record/publish.ts'
export type { TagOutcomes } from './run.ts'
export { createEmbeddedRunner } from './runner/embedded.ts'
export { type SourceHere, sourcesAt, sourcesOfRegion } from './sources-here.ts'
export { stageConcurrency } from './stages/index.ts'
