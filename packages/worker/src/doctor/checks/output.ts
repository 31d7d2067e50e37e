import { redact } from '@skyscript/core'
import { openStorage } from '../../storages/storages.ts'
import { tryStorage } from '../../storages/try-storage.ts'
import { type Check, finding } from '../check.ts'

/**
 * Whether the output can be written, read and cleaned up. A build needs no such check, since taking ownership of the output
 * is its first act and does the same.
 */
export const output: Check = {
  name: 'output',
  async run({ config }) {
    if (config === null) return []
    const look = async () => {
      // The disk check looks at folders, without making them.
      if (!config.output.startsWith('s3://')) return config.output
      await tryStorage(await openStorage(config.output))
      return `${redact(config.output)} can be written, read and deleted from`
    }
    return [await finding('output', look)]
  },
}
