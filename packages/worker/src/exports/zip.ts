import { formatBytes, InputError } from '@skyscript/core'
import { defineFormat, publicationOptions } from './format.ts'
import { publicationOf } from './statistics.ts'

export const zip = defineFormat({
  name: 'zip',
  description: 'zip files, as the original is distributed',
  options: publicationOptions,
  async run({ dataset, target, terminal, signal }, publication) {
    if (target.url === dataset.storage.url)
      throw new InputError('bad-output', "Zip files can't be written into the dataset itself; use --to <folder>.")
    const { exportZip } = await import('@skyscript/dataset/export')
    const progress = terminal.stage('zip', 'files')
    try {
      const files = await exportZip(dataset, target, { signal, progress, publication: publicationOf(publication) })
      return { json: { files }, lines: files.map(({ path, bytes }) => `${formatBytes(bytes).padStart(12)}  ${path}`) }
    } finally {
      progress.end()
    }
  },
})
