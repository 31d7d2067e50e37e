import { type Stats, statSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Listed, Storage } from '@skyscript/core'
import { isMissing } from './missing.ts'
import { NO_FILE, type Stamps, stampsOf } from './stamps.ts'
import { stampsInThreads } from './stat-threads.ts'
import { isTemporary, removeIfAbandoned } from './temporary-files.ts'

/** Files whose sizes are read at a time. */
const STATS_AT_ONCE = 128
/** Once a batch takes longer than this, the rest of it goes through the thread pool. */
const SLOW_DISK_MS = 2
/** Sizes of more files in a folder are read in threads of their own, which halves the time on two cores. */
const WORTH_THREADS = 20_000
/** Keys without sizes in a batch; other work gets its turn between batches. */
const NAMES_AT_ONCE = 4096

export interface ListingOptions {
  readonly depth: Parameters<Storage['list']>[1]
  /** Whether waiting for this file system may stop all else in this process. */
  readonly isRemote: boolean
  /** Files in a folder from which threads read their sizes. */
  readonly worthThreads?: number
}

/**
 * Files under a folder in the order of their keys: a folder sorts as if its name ended in a slash. In batches, since a
 * generator takes a microsecond for each item.
 *
 * Memory: the names in the folders on the way down to the current one.
 *
 * @param root absolute
 */
export async function* listFolder(
  root: string,
  prefix: string,
  options: ListingOptions,
): AsyncGenerator<readonly Listed[]> {
  const folder = folderOf(prefix)
  if (folder === null) return
  const { depth } = options
  const open = [{ folder, names: await namesIn(root, folder, prefix), at: 0 }]
  for (let inner = open.at(-1); inner; inner = open.at(-1)) {
    const { names } = inner
    const from = inner.at
    while (inner.at < names.length && !names[inner.at]!.endsWith('/')) inner.at++
    const files = { root, folder: inner.folder, names, from, to: inner.at }
    yield* depth === 'names' ? onlyNames(files) : withSizes(files, options)
    if (inner.at === names.length) open.pop()
    else {
      const next = inner.folder + names[inner.at++]
      if (depth !== undefined) yield [{ key: next, size: 0 }]
      else open.push({ folder: next, names: await namesIn(root, next, prefix), at: 0 })
    }
  }
}

/** Items of batches one by one. */
export function eachOf<T>(batches: AsyncGenerator<readonly T[]>): AsyncIterableIterator<T> {
  let batch: readonly T[] = []
  let at = 0
  const end = { done: true, value: undefined } as const
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      while (at === batch.length) {
        const { done, value } = await batches.next()
        if (done) return end
        batch = value
        at = 0
      }
      return { done: false, value: batch[at++]! }
    },
    async return() {
      await batches.return(undefined)
      return end
    },
  }
}

/** Files of one folder: some of its sorted names. */
interface Files {
  readonly root: string
  readonly folder: string
  readonly names: readonly string[]
  readonly from: number
  readonly to: number
}

async function* onlyNames({ folder, names, from, to }: Files): AsyncGenerator<Listed[]> {
  for (let at = from; at < to; at += NAMES_AT_ONCE) {
    if (at > from) await nextTurn()
    yield names.slice(at, Math.min(to, at + NAMES_AT_ONCE)).map((name) => ({ key: folder + name, size: 0 }))
  }
}

async function* withSizes(files: Files, { isRemote, worthThreads = WORTH_THREADS }: ListingOptions) {
  const { root, folder, names, from, to } = files
  const read = to - from >= worthThreads && !isRemote ? stampsInThreads : stampsHere
  const path = join(root, folder)
  for await (const { first, stamps } of read(path, names, from, to, isRemote ? 0 : SLOW_DISK_MS)) {
    const listed: Listed[] = []
    for (let i = 0; i < stamps.length; i += 2) {
      const size = stamps[i]!
      if (size !== NO_FILE) listed.push({ key: folder + names[first + i / 2]!, size, version: String(stamps[i + 1]) })
    }
    yield listed
  }
}

async function* stampsHere(
  folder: string,
  names: readonly string[],
  from: number,
  to: number,
  directMs: number,
): AsyncGenerator<Stamps> {
  for (let first = from; first < to; first += STATS_AT_ONCE) {
    const paths = names.slice(first, Math.min(to, first + STATS_AT_ONCE)).map((name) => join(folder, name))
    yield { first, stamps: stampsOf(await statsOf(paths, directMs)) }
  }
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

async function isLinkedFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

function emptyIfMissing(error: unknown): [] {
  if (isMissing(error)) return []
  throw error
}

function nullIfMissing(error: unknown): null {
  if (isMissing(error)) return null
  throw error
}
