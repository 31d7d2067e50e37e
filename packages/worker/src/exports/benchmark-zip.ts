import { benchmarkOptions, exportSets } from './benchmark-sets.ts'
import { defineFormat } from './format.ts'

export const benchmarkZip = defineFormat({
  name: 'benchmark-zip',
  description: "zip files of benchmark sets, as the original's",
  options: benchmarkOptions,
  run: (job, { benchmark }) => exportSets(job, benchmark, 'benchmark-zip'),
})
