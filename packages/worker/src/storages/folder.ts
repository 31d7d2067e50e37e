import { createReadStream, type Stats, statSync } from 'node:fs'
import { constants, copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  breather,
  InputError,
  type Listed,
  messageOf,
  ServiceError,
  SkyscriptError,
  type Storage,
  systemReason,
} from '@skyscript/core'
import { bytesOf, checkKey } from './keys.ts'
import { createSmallFiles, isSmall } from './local/small-files.ts'
import { isTemporary, removeIfAbandoned, temporaryBeside } from './local/temporary-files.ts'

/** Files whose sizes are read at a time. */
const STATS_AT_ONCE = 128
/** A disk that takes longer for that many is asked through the thread pool. */
const SLOW_DISK_MS = 2
/**
 * File systems behind a network or another process, which may stop answering: NFS, SMB, CIFS, FUSE, 9p, Ceph, Lustre, AFS
 * (https://man7.org/linux/man-pages/man2/statfs.2.html).
 */
const REMOTE = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997, 0x00c36400, 0x0bd00bd0, 0x5346414f,
])

/**
 * A dataset in a folder, made if it isn't there. A put writes a temporary file beside its target and renames it, so a
 * reader sees the old value or the new one. Nothing is synced to disk: after a power cut a build redoes what is lost,
 * and `verify` finds what is cut.
 *
 * @param path absolute, or relative to the working directory
 * @throws InputError `bad-output` where the folder can't be made
 */
export async function openFolder(path: string): Promise<Storage> {
  const root = resolve(path)
  await mkdir(root, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      'bad-output',
      `The folder ${root} can't be made (${systemReason(error)}); choose another output.`,
    )
  })
  const fileOf = (key: string) => {
    checkKey(key)
    return join(root, key)
  }
  const fail = (error: unknown): never => {
    throw asOurs(error, root)
  }

  /** Writes a value beside its target, for `finish` to put it in place; removed if that fails. */
  const withTemporary = async <T>(
    target: string,
    value: Parameters<Storage['put']>[1],
    finish: (temporary: string) => Promise<T>,
  ): Promise<T> => {
    const temporary = temporaryBeside(target)
    const file = await openInFolder(temporary).catch(fail)
    try {
      try {
        if (typeof value === 'string' || value instanceof Uint8Array) await file.writeFile(value).catch(fail)
        // What the value itself throws while it is made goes to the caller as it is.
        else for await (const piece of bytesOf(value)) await file.writeFile(piece).catch(fail)
      } finally {
        await file.close()
      }
      return await finish(temporary)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  }

  const isRemote = await isOnRemote(root)
  const small = createSmallFiles(isRemote)
  const breathe = breather()

  return {
    url: root,
    async get(key) {
      const path = fileOf(key)
      await breathe()
      try {
        const found = small.isFast() ? small.get(path) : 'large'
        return found === 'large' ? await readFile(path) : found
      } catch (error) {
        return isMissing(error) ? null : fail(error)
      }
    },
    async *stream(key) {
      try {
        yield* createReadStream(fileOf(key), { highWaterMark: 1 << 18 })
      } catch (error) {
        if (!isMissing(error)) throw asOurs(error, root)
        throw new ServiceError('missing-key', `${key} is not in ${root}.`, { retry: false, cause: error })
      }
    },
    async put(key, value) {
      const target = fileOf(key)
      await breathe()
      if (isSmall(value) && small.isFast()) {
        try {
          return small.put(target, value)
        } catch (error) {
          fail(error)
        }
      }
      await withTemporary(target, value, async (temporary) => {
        await rename(temporary, target).catch(fail)
      })
    },
    async putIfAbsent(key, value) {
      const target = fileOf(key)
      return withTemporary(target, value, async (temporary) => {
        const isFirst = await linkIfAbsent(temporary, target).catch(fail)
        await rm(temporary, { force: true }).catch(() => {})
        return isFirst
      })
    },
    async has(key) {
      return stat(fileOf(key)).then(
        (found) => found.isFile(),
        (error) => (isMissing(error) ? false : fail(error)),
      )
    },
    async *list(prefix, depth) {
      try {
        const folder = folderOf(prefix)
        if (folder !== null) yield* walk(root, folder, prefix, { depth, isRemote })
      } catch (error) {
        throw asOurs(error, root)
      }
    },
    localPath: fileOf,
    async delete(key) {
      await rm(fileOf(key), { force: true }).catch((error) => (isMissing(error) ? undefined : fail(error)))
    },
  }
}

/** Whether waiting for this file system may stop all else in this process. */
const isOnRemote = (root: string): Promise<boolean> =>
  statfs(root).then(
    ({ type }) => REMOTE.has(type >>> 0),
    () => true,
  )

async function openInFolder(path: string) {
  try {
    return await open(path, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await mkdir(dirname(path), { recursive: true })
    return open(path, 'wx')
  }
}

/** A hard link is made whole or not at all, over NFS too. */
async function linkIfAbsent(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // An answer that was lost on the way makes NFS try again, and find the link that it made.
    if (code === 'EEXIST') return (await stat(temporary)).nlink > 1
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error
  }
  // A file system without hard links.
  return copyFile(temporary, target, constants.COPYFILE_EXCL).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
}

/** The deepest folder that holds every key with this prefix, '' or with a slash at its end; null where there is none. */
function folderOf(prefix: string): string | null {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (folder === '') return folder
  const isOrdinary = folder
    .slice(0, -1)
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..')
  return isOrdinary && !folder.includes('\0') ? folder : null
}

/** Files under a folder in the order of their keys: a folder sorts as if its name ended in a slash. */
async function* walk(
  root: string,
  folder: string,
  prefix: string,
  { depth, isRemote }: { readonly depth?: 'shallow' | 'names' | undefined; readonly isRemote: boolean },
): AsyncGenerator<Listed> {
  // One generator with the folders that are open, because each file would pass through a generator of every folder it is in.
  const open = [{ folder, names: await namesIn(root, folder, prefix), at: 0 }]
  for (let inner = open.at(-1); inner; inner = open.at(-1)) {
    const { names } = inner
    const from = inner.at
    while (inner.at < names.length && inner.at < from + STATS_AT_ONCE && !names[inner.at]!.endsWith('/')) inner.at++
    const keys = names.slice(from, inner.at).map((name) => inner.folder + name)
    if (depth === 'names') for (const key of keys) yield { key, size: 0 }
    else {
      const paths = keys.map((key) => `${root}/${key}`)
      for (const [i, found] of (await statsOf(paths, isRemote ? 0 : SLOW_DISK_MS)).entries())
        if (found?.isFile()) yield { key: keys[i]!, size: found.size, version: String(found.mtimeMs) }
    }
    if (inner.at === names.length) open.pop()
    else if (names[inner.at]!.endsWith('/')) {
      const next = inner.folder + names[inner.at++]
      if (depth !== undefined) yield { key: next, size: 0 }
      else open.push({ folder: next, names: await namesIn(root, next, prefix), at: 0 })
    }
  }
}

/** Names in a folder whose keys have a prefix, sorted; those of folders end in a slash. */
async function namesIn(root: string, folder: string, prefix: string): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(join(root, folder), { withFileTypes: true }).catch(emptyIfMissing)) {
    const { name } = entry
    if (isTemporary(name)) await removeIfAbandoned(join(root, folder, name), name)
    else if ((folder + name).startsWith(prefix)) {
      // A folder of images may be a link to another disk.
      const isFolder = entry.isSymbolicLink() ? await isLinkedFolder(join(root, folder, name)) : entry.isDirectory()
      names.push(isFolder ? `${name}/` : name)
    }
  }
  return names.sort()
}

/** Null for what has gone since its folder was read. */
async function statsOf(paths: readonly string[], directMs: number): Promise<(Stats | null)[]> {
  const stats: (Stats | null)[] = []
  // Through the thread pool a file costs 10 us of processor time, directly 2. Other work gets its turn in between.
  await nextTurn()
  const start = performance.now()
  for (const path of paths) {
    if (performance.now() - start >= directMs) break
    stats.push(statSync(path, { throwIfNoEntry: false }) ?? null)
  }
  const rest = paths.slice(stats.length).map((path) => stat(path).catch(nullIfMissing))
  return [...stats, ...(await Promise.all(rest))]
}

async function isLinkedFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

function isMissing(error: unknown): boolean {
  // EISDIR: a folder is at that place, and a folder holds keys but is none.
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function emptyIfMissing(error: unknown): [] {
  if (isMissing(error)) return []
  throw error
}

function nullIfMissing(error: unknown): null {
  if (isMissing(error)) return null
  throw error
}

function asOurs(error: unknown, root: string): unknown {
  if (error instanceof SkyscriptError) return error
  const { code } = error as NodeJS.ErrnoException
  // EFBIG is what a process gets that reached its own limit (ulimit -f).
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new ServiceError('disk-full', `There is no space left in ${root}; free some and run the command again.`, {
      retry: false,
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new InputError(
      'access-denied',
      `${root} can't be used (${systemReason(error)}); change its permissions or choose another output.`,
    )
  }
  return new ServiceError('storage-failed', `${root} failed (${messageOf(error)}).`, { retry: true, cause: error })
}
