import { formatCount } from '@skyscript/core'
import { flag } from '../command.ts'
import { defineFormat, pairOptions } from './format.ts'

export const openclip = defineFormat({
  name: 'openclip',
  description: 'tables for OpenCLIP',
  options: {
    ...pairOptions,
    absolute: flag('--absolute', 'absolute image paths, which work from any folder'),
  },
  async run({ dataset, target, signal }, { set, caption = 'title', absolute = false }) {
    const { chooseSets, exportOpenclip } = await import('@skyscript/dataset/export')
    const files = await exportOpenclip(dataset, target, { sets: chooseSets(dataset, set), caption, absolute, signal })
    return { json: { files }, lines: files.map(({ path, rows }) => `${formatCount(rows).padStart(12)}  ${path}`) }
  },
})
