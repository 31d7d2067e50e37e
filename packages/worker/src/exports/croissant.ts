import { defineFormat, publicationOptions } from './format.ts'
import { publicationOf, withStatistics } from './statistics.ts'

export const croissant = defineFormat({
  name: 'croissant',
  description: 'a Croissant description',
  options: publicationOptions,
  async run({ dataset, target, terminal }, given) {
    const { CROISSANT } = await import('@skyscript/dataset')
    const { croissantOf } = await import('@skyscript/dataset/export')
    const publication = publicationOf(given)
    const json = await withStatistics(dataset, terminal, (statistics, columns) =>
      croissantOf(dataset, columns, statistics, publication),
    )
    await target.put(CROISSANT, `${JSON.stringify(json, null, 2)}\n`)
    const missing = Object.entries(publication).flatMap(([name, value]) => (value === null ? [`--${name}`] : []))
    if (missing.length > 0) terminal.note(`Before you publish, complete the description with ${missing.join(', ')}.`)
    terminal.note('Its paths are relative to the dataset: publish it in the same folder as manifest.parquet.')
    return { json: { files: [CROISSANT] }, lines: [CROISSANT] }
  },
})
