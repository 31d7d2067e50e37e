/** Exports of a dataset's benchmark sets to other tools' formats. */
import { benchmarkZip } from './benchmark-zip.ts'
import { clipBenchmark } from './clip-benchmark.ts'
import { huggingFace } from './hugging-face.ts'
import { imageFolder } from './image-folder.ts'

export type { SetLayout } from './layout.ts'
export { type BenchmarkSet, benchmarksOf, chooseBenchmarks, type LabelObject, openSets, readSetCsv } from './sets.ts'
export { writeSets } from './write-sets.ts'

export const SET_LAYOUTS = {
  'benchmark-zip': benchmarkZip,
  'clip-benchmark': clipBenchmark,
  'hugging-face': huggingFace,
  'image-folder': imageFolder,
} as const
