import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { temporaryBeside } from './temporary-files.ts'

/** Values of at most this many bytes are small: metas, images, results. */
const SMALL_BYTES = 1 << 18
/** A disk that takes longer for a small value, on average, is slow: its files go through the thread pool. */
const SLOW_MS = 2
/** Weight of each new time in that average: one slow value, as on a busy machine, doesn't make a disk slow. */
const SHARE = 0.1
/** How long a slow disk counts as slow. */
const SLOW_FOR_MS = 100

/** Reads and writes small values synchronously, which costs a third of the processor time of the thread pool. */
export interface SmallFiles {
  /** Whether the disk answers so fast that waiting for it holds up nothing else in this process. */
  isFast(): boolean
  /** Writes a temporary file and renames it. Fails with the system's error and leaves nothing. */
  put(target: string, value: Uint8Array | string): void
  /** The value; null where there is no such file, `large` for a file of more than 256 KB, which isn't read. */
  get(path: string): Uint8Array | null | 'large'
}

/** @param isRemote whether waiting for this file system may stop all else in this process: it never counts as fast */
export function createSmallFiles(isRemote: boolean): SmallFiles {
  let slowUntil = isRemote ? Number.POSITIVE_INFINITY : 0
  let mean = 0
  const timed = <T>(work: () => T): T => {
    const start = performance.now()
    try {
      return work()
    } finally {
      const end = performance.now()
      mean += SHARE * (end - start - mean)
      if (mean > SLOW_MS) {
        slowUntil = end + SLOW_FOR_MS
        mean = 0
      }
    }
  }
  return {
    isFast: () => performance.now() >= slowUntil,
    put: (target, value) => timed(() => putNow(target, value)),
    get: (path) => timed(() => getNow(path)),
  }
}

export const isSmall = (value: unknown): value is Uint8Array | string =>
  (typeof value === 'string' || value instanceof Uint8Array) && value.length <= SMALL_BYTES

function putNow(target: string, value: Uint8Array | string): void {
  const temporary = temporaryBeside(target)
  try {
    const file = openInFolder(temporary)
    try {
      writeFileSync(file, value)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, target)
  } catch (error) {
    try {
      rmSync(temporary, { force: true })
    } catch {}
    throw error
  }
}

function getNow(path: string): Uint8Array | null | 'large' {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return null
  return found.size > SMALL_BYTES ? 'large' : readFileSync(path)
}

function openInFolder(path: string): number {
  try {
    return openSync(path, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    mkdirSync(dirname(path), { recursive: true })
    return openSync(path, 'wx')
  }
}
