/** The benchmark sets of a dataset: their names and files, and what is recorded of each. */
export * from './names.ts'
export { type BenchmarkRecord, parseBenchmarkRecord } from './record.ts'
