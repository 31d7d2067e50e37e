/** The benchmark sets of a dataset: their names and files, and what is recorded of each. */

export { type ContentRow, contentHash } from './content.ts'
export { createDoubts, type Doubt } from './doubt.ts'
export * from './names.ts'
export { type BenchmarkRecord, parseBenchmarkText } from './record.ts'
export { type BenchmarkSheet, readSheets } from './sheets.ts'
