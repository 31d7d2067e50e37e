/** Exports of a finished dataset to other tools' formats. */
export { CARD, cardOf } from './card.ts'
export { croissantOf, type Publication } from './croissant.ts'
export { chooseSets, type FinishedDataset, openFinished, openManifest, setsOf } from './dataset.ts'
export { exportOpenclip } from './openclip.ts'
export { gatherStatistics } from './statistics.ts'
export { type CAPTIONS, exportWebdataset, SHARD_BYTES } from './webdataset.ts'
export { exportZip } from './zip.ts'
