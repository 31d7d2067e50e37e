/**
 * Image-caption pairs to a dataset: similarity by CLIP, one global ranking, top-percent cuts, splits by place, the
 * CSVs that SkyScript's training code loads, and a Parquet manifest.
 *
 * @example
 * import { openScorer } from '@skyscript/filter'
 * const scorer = await openScorer({ name: 'openai', model: './models/clip', cacheFolder: './cache' })
 * const [similarity] = await scorer.score([{ image: jpegBytes, caption: 'a satellite image of power pole' }])
 */
export { type AssembleInput, type AssembleSummary, assemble, type DatasetRow } from './assemble.ts'
export { type Cut, cutRanking } from './cut.ts'
export { openScorer, type Scorer } from './scorer.ts'
export { createSplitter, type Split, type Splitter, TEST_SHARE, VAL_SHARE } from './splits.ts'
