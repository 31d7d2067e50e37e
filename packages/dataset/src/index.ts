/**
 * The published dataset as a contract: the names of its files, their columns, and how they are read back. What checks,
 * exports and describes a dataset is at `@skyscript/dataset/verify`, `/export` and `/report`.
 *
 * @example
 * import { openManifestFile } from '@skyscript/dataset'
 * const manifest = await openManifestFile('out/manifest.parquet')
 * console.log(manifest.rows, manifest.scorers)
 * await manifest.close()
 */
export type { DatasetRow } from './dataset-row.ts'
export { type LocalFile, localFile } from './local-file.ts'
// Its parser loads zod, which threads of a cut need not.
export type { DatasetLock, DuplicateSummary } from './lock.ts'
export { type ManifestFile, openManifestFile } from './manifest-file.ts'
export * from './names.ts'
