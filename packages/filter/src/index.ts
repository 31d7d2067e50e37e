/**
 * Turns image-caption pairs into a dataset: CLIP similarity, one global ranking, top-percent cuts, splits by place, the
 * CSVs that SkyScript's training code loads, and a Parquet manifest.
 *
 * @example
 * import { readFile } from 'node:fs/promises'
 * import { openScorer } from '@skyscript/filter'
 * const scorer = await openScorer({ name: 'demo', model: './examples/demo/model', cacheFolder: './cache' })
 * const image = await readFile('image.jpg')
 * const [similarity] = await scorer.score([{ image, caption: 'a satellite image of natural water' }])
 * await scorer.close()
 */

export { checkScorer } from './check-scorer.ts'
export { type CutFile, type CutInput, type CutSummary, cutDataset } from './cut-dataset.ts'
export { type DualEncoder, openDualEncoder } from './dual-encoder.ts'
export { type BenchmarkImages, readBenchmarkImages } from './duplicates/benchmark-images.ts'
export { findDuplicates } from './duplicates/find-duplicates.ts'
export { createHashColumn } from './duplicates/hashes.ts'
export { matchAgainst, nearDuplicates } from './duplicates/near-duplicates.ts'
export { findTrainingOverlap, type Overlap } from './duplicates/training-overlap.ts'
export type { ModelIdentity } from './model/model-identity.ts'
export type { Split } from './plan-files.ts'
export { identifyScorers, openScorer, openScoring, type Scorer } from './scorer.ts'
export type { ScorerOptions } from './scorer-options.ts'
export type { PairScores, ScorePair, ScorerIdentity, Scoring } from './scoring.ts'
export { quantise, textOf } from './semantic/quantise.ts'
export type { Part, Region, Splitter } from './splits/criterion.ts'
export { createSplitter, type Layout, layoutsFor } from './splits/index.ts'
export { type StoredPairs, storePairs } from './store-pairs.ts'
export { openTextEmbedder, openTokenCounter, type TextEmbedder, type TokenCounter } from './text-embedder.ts'
