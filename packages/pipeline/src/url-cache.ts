import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  formatCount,
  InputError,
  type Progress,
  redact,
  ServiceError,
  sha256,
  sha256OfStream,
  systemReason,
  type Terminal,
  unsignedUrl,
} from '@skyscript/core'
import { type Download, download, type Validators } from '@skyscript/http'

/** An older version of a file is kept this long after its last use: another build may still read it. */
export const KEEP_OLD_MS = 24 * 3600_000

/** What is downloaded: where it is kept, and how it is told from something else. */
export interface FileKind {
  /** A folder of the cache. */
  readonly folder: string
  /** What names of its files end with. */
  readonly suffix: string
  readonly checkHead: NonNullable<Download['checkHead']>
  readonly checkWhole: NonNullable<Download['checkWhole']>
}

export interface CacheOptions {
  readonly cacheFolder: string
  readonly signal: AbortSignal
  readonly progress?: Progress
  /** Where retries are noted. */
  readonly terminal?: Terminal
  /** See `download`. */
  readonly pauseMs?: number
  /** A copy that is there is taken as it is, whatever the server has by now. */
  readonly keep?: boolean
}

export interface CachedFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  /** Whether it had to be downloaded. */
  readonly isNew: boolean
  /** Forgets it, so that the next build downloads it whatever the server says of its version. */
  discard(): Promise<void>
}

/** `entry.json`: which file of the folder is the URL's, and what the server called that version. */
interface Entry extends Validators {
  readonly sha256: string
  readonly bytes: number
}

/**
 * The file of an http(s) URL from the cache, downloaded if the server has another version than the cache: one
 * conditional request if it has not. A folder of the cache holds `<hash of the URL>/<sha256><suffix>` and `entry.json`.
 *
 * @throws what the kind's checks throw; InputError `bad-cache`; ServiceError `disk-full`, `download-failed`
 */
export async function cachedFile(url: string, kind: FileKind, options: CacheOptions): Promise<CachedFile> {
  const { cacheFolder } = options
  // A link that is signed anew is still the same file's.
  const folder = join(cacheFolder, kind.folder, sha256(unsignedUrl(url)).slice(0, 16))
  try {
    await mkdir(folder, { recursive: true })
    const entry = await readEntry(folder)
    const pathOf = ({ sha256: hash }: Entry) => join(folder, `${hash}${kind.suffix}`)
    const known = entry !== null && (await isIntact(pathOf(entry), entry)) ? entry : null
    const found = known !== null && options.keep ? known : await fetchFile(url, folder, kind, known, options)
    const path = pathOf(found)
    await touch(path)
    await removeOld(folder, kind.suffix, path)
    const discard = () => rm(join(folder, 'entry.json'), { force: true })
    return { path, bytes: found.bytes, sha256: found.sha256, isNew: found !== known, discard }
  } catch (error) {
    throw asCacheFault(error, cacheFolder)
  }
}

/** Notes that a file of the cache was used. */
export async function touch(path: string): Promise<void> {
  const now = new Date()
  await utimes(path, now, now).catch(() => undefined)
}

async function fetchFile(
  url: string,
  folder: string,
  kind: FileKind,
  known: Entry | null,
  options: CacheOptions,
): Promise<Entry> {
  const { signal, progress, terminal, pauseMs } = options
  const got = await download({
    url,
    path: join(folder, 'download'),
    known,
    signal,
    onBytes: (done, total) => progress?.update(done, total ?? undefined),
    onRetry: retryNote(url, terminal),
    ...(pauseMs !== undefined && { pauseMs }),
    checkHead: kind.checkHead,
    checkWhole: kind.checkWhole,
  })
  if (got === null) return known!
  const entry: Entry = {
    etag: got.etag,
    modified: got.modified,
    bytes: got.bytes,
    sha256: await sha256OfStream(createReadStream(got.file)),
  }
  await rename(got.file, join(folder, `${entry.sha256}${kind.suffix}`))
  await writeWhole(join(folder, 'entry.json'), entry)
  return entry
}

/** Notes why, and in how many seconds, a download is tried again. */
export const retryNote =
  (url: string, terminal: Terminal | undefined) =>
  (why: string, pauseMs: number): void =>
    terminal?.note(`${redact(url)}: ${why}; asking again in ${formatCount(Math.ceil(pauseMs / 1000))} s`)

/** Writes a file of JSON that appears whole. */
export async function writeWhole(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function readEntry(folder: string): Promise<Entry | null> {
  try {
    const { etag, modified, sha256: hash, bytes } = JSON.parse(await readFile(join(folder, 'entry.json'), 'utf8'))
    const isText = (value: unknown) => value === null || typeof value === 'string'
    if (!isText(etag) || !isText(modified) || !/^[0-9a-f]{64}$/.test(hash) || !Number.isSafeInteger(bytes)) return null
    return { etag, modified, sha256: hash, bytes }
  } catch {
    // Never downloaded, or damaged: the file is downloaded.
    return null
  }
}

/** Whether a file is as it was noted; what is not is removed. */
export async function isIntact(
  path: string,
  { sha256: hash, bytes }: { readonly sha256: string; readonly bytes: number },
): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  if (found?.size === bytes && (await sha256OfStream(createReadStream(path))) === hash) return true
  await rm(path, { force: true })
  return false
}

/** What nothing has used for this long is removed; it can be downloaded or made again. */
const UNUSED_MS = 30 * 24 * 3600_000

/** Removes the files and folders in a folder that nothing has used for a month; `touch` notes a use. */
export async function removeUnused(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    if (await isUnusedFor(path, UNUSED_MS)) await rm(path, { recursive: true, force: true })
  }
}

/** Whether the last use of a file or folder was longer ago than this; false if there is none. */
export async function isUnusedFor(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  return found !== null && Date.now() - found.mtimeMs > ms
}

async function removeOld(folder: string, suffix: string, current: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (!name.endsWith(suffix) || path === current) continue
    if (await isUnusedFor(path, KEEP_OLD_MS)) await rm(path, { force: true })
  }
}

/** Errors of the disk, as errors that tell the user what to do. */
export function asCacheFault(error: unknown, cacheFolder: string): unknown {
  const own = error instanceof InputError && error.code === 'unwritable-output' ? error.cause : error
  const { code } = (own ?? error) as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new ServiceError(
      'disk-full',
      `The disk of ${cacheFolder} is full; free some space and run the same command again: it resumes.`,
      { retry: false, cause: error },
    )
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code ?? '')) return error
  return new InputError(
    'bad-cache',
    `Downloads can't be kept in ${cacheFolder} (${systemReason(error)}); set SKYSCRIPT_CACHE to a folder that can be written to.`,
    { cause: error },
  )
}
