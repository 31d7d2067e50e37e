import { formatBytes, formatCount } from '@skyscript/core'
import { defineFormat, pairOptions, shardOptions } from './format.ts'

export const webdataset = defineFormat({
  name: 'webdataset',
  description: 'tar shards',
  options: {
    ...pairOptions,
    ...shardOptions,
  },
  async run({ dataset, target, terminal, signal }, { set: asked, shardBytes, caption }) {
    const { chooseSets, exportWebdataset, SHARD_BYTES } = await import('@skyscript/dataset/export')
    const sets = await exportWebdataset(dataset, target, {
      // The default sets go to train, val and test; a set chosen by name keeps its name, so that none replaces another.
      sets: chooseSets(dataset, asked).map((set) => ({ set, folder: asked.length > 0 ? set.name : set.part })),
      shardBytes: shardBytes ?? SHARD_BYTES,
      caption: caption ?? 'title',
      signal,
      progress: ({ name }) => terminal.stage(name, 'pairs'),
    })
    const lines = sets.map(
      ({ set, samples, bytes, urls }) =>
        `${formatCount(samples).padStart(12)}  ${set}: ${urls ?? 'no pairs'} (${formatBytes(bytes)})`,
    )
    return { json: { sets }, lines }
  },
})
