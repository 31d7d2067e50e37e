import { access, constants, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { formatBytes, InputError } from '@skyscript/core'

/** Less than this is too little for anything; in bytes. */
const LEAST = 2e8

/**
 * Sees whether a folder, which need not exist yet, can be written and has room.
 *
 * @returns free bytes, and the folder itself or the nearest above it that exists
 * @throws InputError `bad-output` or `disk-full`
 */
export async function checkDiskSpace(path: string): Promise<{ readonly free: number; readonly folder: string }> {
  const folder = await nearestFolder(path)
  if (folder === null)
    throw new InputError('bad-output', `${path} can't be a folder, since a file is in the way; choose another output.`)
  await access(folder, constants.W_OK).catch(() => {
    throw new InputError('bad-output', `${folder} can't be written; choose another output, or change its rights.`)
  })
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free < LEAST)
    throw new InputError(
      'disk-full',
      `Only ${formatBytes(free)} are free at ${folder}; free some space, or choose another output.`,
    )
  return { free, folder }
}

/** null where a file is in the way. */
async function nearestFolder(path: string): Promise<string | null> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error.code ?? '')
    if (typeof found !== 'string') return found.isDirectory() ? folder : null
    if (found === 'ENOTDIR') return null
    if (folder === dirname(folder)) return folder
  }
}
