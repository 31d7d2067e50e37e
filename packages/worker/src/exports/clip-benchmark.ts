import { benchmarkOptions, exportSets } from './benchmark-sets.ts'
import { defineFormat, shardOptions } from './format.ts'

export const clipBenchmark = defineFormat({
  name: 'clip-benchmark',
  description: 'benchmark sets for CLIP_benchmark',
  options: { ...benchmarkOptions, ...shardOptions },
  run: (job, { benchmark, ...given }) => exportSets(job, benchmark, 'clip-benchmark', given),
})
