/** The benchmark sets that come with the pipeline, in the order in which they are made and shown. */
export const BENCHMARK_SETS = ['SkyScript_cls', 'roof_shape', 'smoothness', 'surface', 'SkyScript_retrieval'] as const
export type BenchmarkSet = (typeof BENCHMARK_SETS)[number]
