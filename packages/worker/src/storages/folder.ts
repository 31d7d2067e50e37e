import { createReadStream } from 'node:fs'
import { constants, copyFile, link, mkdir, open, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  breather,
  InputError,
  messageOf,
  ServiceError,
  SkyscriptError,
  type Storage,
  systemReason,
} from '@skyscript/core'
import { bytesOf, checkKey } from './keys.ts'
import { eachOf, listFolder } from './local/listing.ts'
import { isMissing } from './local/missing.ts'
import { createSmallFiles, isSmall } from './local/small-files.ts'
import { temporaryBeside } from './local/temporary-files.ts'

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

  async function* listed(prefix: string, depth: Parameters<Storage['list']>[1]) {
    try {
      yield* listFolder(root, prefix, { depth, isRemote })
    } catch (error) {
      throw asOurs(error, root)
    }
  }

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
    list: (prefix, depth) => eachOf(listed(prefix, depth)),
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
