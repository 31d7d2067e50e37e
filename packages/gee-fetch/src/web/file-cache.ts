import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '@skyscript/core'

/** A file as a server sent it, with the ETag by which it says whether it still sends the same. */
export interface CachedFile {
  readonly etag: string
  readonly bytes: Buffer
}

/** Files of servers that were asked for before. A cache that can't be read or written is an empty one. */
export interface FileCache {
  /** @param name address without secrets */
  get(name: string): Promise<CachedFile | null>
  put(name: string, file: CachedFile): Promise<void>
}

export interface FileCacheOptions {
  readonly folder: string
  /** Largest size of all files; those used last stay. */
  readonly mostBytes: number
}

/** After this share of the limit was written, the folder is looked through. */
const SHARE = 0.05
/** What is left of the limit then, so that it is not looked through again at once. */
const LEFT = 0.9

/**
 * A cache in a folder that several processes may share: a file appears whole, under the hash of its address, and begins
 * with a line that says what it holds; one that doesn't hold it counts as absent.
 */
export function openFileCache({ folder, mostBytes }: FileCacheOptions): FileCache {
  let written = Infinity
  let clearing: Promise<void> | null = null
  const pathOf = (name: string) => {
    const hash = sha256(name)
    return join(folder, hash.slice(0, 2), hash.slice(2))
  }
  const clear = async () => {
    written = 0
    await removeOldest(folder, mostBytes * LEFT, mostBytes)
  }
  return {
    async get(name) {
      const path = pathOf(name)
      const file = await readFile(path).then(parsed, () => null)
      // Files used last stay longest.
      if (file !== null) await utimes(path, new Date(), new Date()).catch(() => {})
      return file
    },
    async put(name, { etag, bytes }) {
      const path = pathOf(name)
      const own = `${path}.${randomUUID()}`
      try {
        await mkdir(join(path, '..'), { recursive: true })
        await writeFile(
          own,
          Buffer.concat([Buffer.from(`${JSON.stringify({ etag, sha256: sha256(bytes) })}\n`), bytes]),
        )
        await rename(own, path)
      } catch {
        await rm(own, { force: true }).catch(() => {})
        return
      }
      written += bytes.length
      if (written < mostBytes * SHARE) return
      clearing ??= clear().finally(() => {
        clearing = null
      })
      await clearing
    },
  }
}

/** null for a file that is cut off or damaged. */
function parsed(file: Buffer): CachedFile | null {
  const end = file.indexOf('\n')
  if (end === -1) return null
  try {
    const { etag, sha256: own } = JSON.parse(file.toString('utf8', 0, end)) as { etag?: unknown; sha256?: unknown }
    const bytes = file.subarray(end + 1)
    return typeof etag === 'string' && own === sha256(bytes) ? { etag, bytes } : null
  } catch {
    return null
  }
}

/** Removes the files that were not used for longest, if there is more than the limit. */
async function removeOldest(folder: string, left: number, limit: number): Promise<void> {
  const files: { readonly path: string; readonly size: number; readonly used: number }[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    // Another process may have removed it.
    const found = await stat(path).catch(() => null)
    if (found) files.push({ path, size: found.size, used: found.mtimeMs })
  }
  let size = files.reduce((sum, file) => sum + file.size, 0)
  if (size <= limit) return
  files.sort((a, b) => a.used - b.used)
  for (const file of files) {
    if (size <= left) return
    await rm(file.path, { force: true }).catch(() => {})
    size -= file.size
  }
}
