import { benchmarkOptions, exportSets } from './benchmark-sets.ts'
import { defineFormat } from './format.ts'

export const imageFolder = defineFormat({
  name: 'image-folder',
  description: 'benchmark sets as folders of classes',
  options: benchmarkOptions,
  run: (job, { benchmark }) => exportSets(job, benchmark, 'image-folder'),
})
