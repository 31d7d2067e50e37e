import { formatBytes, formatCount } from '@skyscript/core'
import { checkDiskSpace } from '../../storages/disk-space.ts'
import { type Check, finding } from '../check.ts'

/** Bytes of a pair on disk: a JPEG of 16 kB (the original's mean), meta, CSV rows and the results of the stages. */
const BYTES_PER_PAIR = 30_000
const LOW = 5e9

export const disk: Check = {
  name: 'disk',
  preflight: true,
  async run({ config }) {
    if (config === null || config.output.startsWith('s3://')) return []
    const look = async () => {
      const { free, folder } = await checkDiskSpace(config.output)
      const room = `${formatBytes(free)} free at ${folder}, room for about ${formatCount(free / BYTES_PER_PAIR)} pairs`
      return free >= LOW ? room : { warning: room, fix: 'Compare with the bytes that `skyscript plan` shows.' }
    }
    return [await finding('disk', look)]
  },
}
