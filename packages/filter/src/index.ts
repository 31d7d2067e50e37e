/**
 * Image-caption pairs to a dataset: similarity by CLIP, one global ranking, top-percent cuts, splits by place, the
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
export { type AssembleInput, type AssembleSummary, assemble, type DatasetRow } from './assemble.ts'
export { type Cut, cutRanking } from './cut.ts'
export type { Split } from './evaluation.ts'
export type { ScoreStatistics } from './score-statistics.ts'
export { type ModelIdentity, openScorer, type ScorePair, type Scorer, type ScorerOptions } from './scorer.ts'
export { createSplitter, type Part, type Splitter, TEST_SHARE, VAL_SHARE } from './splits.ts'
export { openTextEmbedder, openTokenCounter, type TextEmbedder, type TokenCounter } from './text-embedder.ts'
