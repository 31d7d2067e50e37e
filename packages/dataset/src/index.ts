/**
 * The published dataset as a contract: the names of its files and columns, and how to read them. `@skyscript/dataset/verify`,
 * `/export`, `/report` and `/diff` check, export, describe and compare datasets.
 *
 * @example
 * import { openManifestFile } from '@skyscript/dataset'
 * const manifest = await openManifestFile('out/manifest.parquet')
 * console.log(manifest.rows, manifest.scorers)
 * await manifest.close()
 */
export type { DatasetRow } from './dataset-row.ts'
export { EMBEDDINGS_HEADER, EMBEDDINGS_MAGIC } from './embeddings.ts'
export { type LocalFile, localFile } from './local-file.ts'
// Types only: the parser loads zod, which a cut's threads don't need.
export type { DatasetLock, DuplicateSummary } from './lock.ts'
export { Lowest } from './lowest.ts'
export { type GroupColumns, type ManifestFile, openManifestFile } from './manifest-file.ts'
export * from './names.ts'
