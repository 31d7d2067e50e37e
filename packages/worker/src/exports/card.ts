import { defineFormat } from './format.ts'
import { withStatistics } from './statistics.ts'

export const card = defineFormat({
  name: 'card',
  description: 'a dataset card',
  options: {},
  async run({ dataset, target, terminal }) {
    const { CARD, cardOf, readCardBenchmarks } = await import('@skyscript/dataset/export')
    const benchmarks = await readCardBenchmarks(dataset)
    const text = await withStatistics(dataset, terminal, async (statistics) => cardOf(dataset, statistics, benchmarks))
    await target.put(CARD, text)
    return { json: { files: [CARD] }, lines: [CARD] }
  },
})
