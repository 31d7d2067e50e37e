import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Storage } from '@skyscript/core'

/** A stored value as a local file, for random access. */
export interface LocalFile {
  readonly path: string
  /** Removes the file if it is a copy. */
  release(): Promise<void>
}

/**
 * The file itself if the storage is a folder; else a copy in the system's temporary folder.
 *
 * @throws ServiceError `missing-key`
 */
export async function localFile(storage: Storage, key: string): Promise<LocalFile> {
  const path = storage.localPath?.(key)
  if (path !== undefined) return { path, release: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-'))
  const release = () => rm(folder, { recursive: true, force: true })
  try {
    const copy = join(folder, 'copy')
    await pipeline(storage.stream(key), createWriteStream(copy))
    return { path: copy, release }
  } catch (error) {
    await release()
    throw error
  }
}
