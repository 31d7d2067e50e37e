import { benchmarkOptions, exportSets } from './benchmark-sets.ts'
import { defineFormat } from './format.ts'

export const huggingFace = defineFormat({
  name: 'hugging-face',
  description: 'benchmark sets for Hugging Face datasets',
  options: benchmarkOptions,
  run: (job, { benchmark }) => exportSets(job, benchmark, 'hugging-face'),
})
