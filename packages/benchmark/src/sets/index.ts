/**
 * Makes benchmark sets out of a finished dataset: `SkyScript_cls`, `roof_shape`, `smoothness`, `surface`, a retrieval set, and those
 * that a user describes by a table of tags and classes.
 */
export { type ClassTable, createLabeller, parseClassTable } from './class-table.ts'
export { type BenchmarkSettings, definitionsOf, type OwnSet, shippedTable } from './definitions.ts'
export { type LabelObject, labellersOf } from './label-objects.ts'
export { BENCHMARK_RULES, type MadeSets, makeBenchmarks } from './make-sets.ts'
