import { defineFormat } from './format.ts'
import { withStatistics } from './statistics.ts'

export const card = defineFormat({
  name: 'card',
  description: 'a dataset card',
  options: {},
  async run({ dataset, target, terminal }) {
    const { CARD, cardOf } = await import('@skyscript/dataset/export')
    await target.put(CARD, await withStatistics(dataset, terminal, async (statistics) => cardOf(dataset, statistics)))
    return { json: { files: [CARD] }, lines: [CARD] }
  },
})
