import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  InputError,
  type Progress,
  redact,
  ServiceError,
  sha256,
  sha256OfStream,
  systemReason,
  unsignedUrl,
} from '@skyscript/core'
import { download, type Validators } from '@skyscript/http'
import { openPbf, PbfFault } from '@skyscript/osm-extract'
import { checkPbfHead } from './check-extract.ts'

/** An older version of a file is kept this long after its last use: another build may still read it. */
const KEEP_OLD_MS = 24 * 3600_000

export interface CacheOptions {
  /** Extracts are kept below `extracts/` in it. */
  readonly cacheFolder: string
  readonly signal: AbortSignal
  readonly progress?: Progress
  readonly onRetry?: (why: string, pauseMs: number) => void
  /** See `download`. */
  readonly pauseMs?: number
}

export interface CachedExtract {
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
 * The OSM extract of an http(s) URL from the cache, downloaded if the server has another version than the cache: one
 * conditional request if it has not. The cache holds `extracts/<hash of the URL>/<sha256>.osm.pbf` and `entry.json`.
 *
 * @throws InputError `not-a-pbf` for what is something else, a web page for example; `bad-cache`, `disk-full`;
 * ServiceError `download-failed`
 */
export async function cachedExtract(url: string, options: CacheOptions): Promise<CachedExtract> {
  const { cacheFolder } = options
  // A link that is signed anew is still the same file's.
  const folder = join(cacheFolder, 'extracts', sha256(unsignedUrl(url)).slice(0, 16))
  try {
    await mkdir(folder, { recursive: true })
    const entry = await readEntry(folder)
    const known = entry !== null && (await isIntact(folder, entry)) ? entry : null
    const found = await fetchExtract(url, folder, known, options)
    const path = fileOf(folder, found.sha256)
    const now = new Date()
    await utimes(path, now, now).catch(() => undefined)
    await removeOld(folder, path)
    const discard = () => rm(join(folder, 'entry.json'), { force: true })
    return { path, bytes: found.bytes, sha256: found.sha256, isNew: found !== known, discard }
  } catch (error) {
    throw asCacheFault(error, cacheFolder)
  }
}

const fileOf = (folder: string, hash: string) => join(folder, `${hash}.osm.pbf`)

async function fetchExtract(url: string, folder: string, known: Entry | null, options: CacheOptions): Promise<Entry> {
  const { signal, progress, onRetry, pauseMs } = options
  const got = await download({
    url,
    path: join(folder, 'extract'),
    known,
    signal,
    onBytes: (done, total) => progress?.update(done, total ?? undefined),
    ...(onRetry && { onRetry }),
    ...(pauseMs !== undefined && { pauseMs }),
    checkHead(head, response) {
      checkPbfHead(head, response.headers.get('content-type'), redact(response.url || url))
    },
    checkWhole: pbfFault,
  })
  if (got === null) return known!
  const entry: Entry = {
    etag: got.etag,
    modified: got.modified,
    bytes: got.bytes,
    sha256: await sha256OfStream(createReadStream(got.file)),
  }
  await rename(got.file, fileOf(folder, entry.sha256))
  const temporary = `${got.file}.json`
  await writeFile(temporary, `${JSON.stringify(entry, null, 2)}\n`)
  await rename(temporary, join(folder, 'entry.json'))
  return entry
}

/** Whether the blobs fill the file: the only sign that a body without a length is complete. */
function pbfFault(path: string): string | null {
  const file = openPbf(path)
  try {
    file.index()
    return null
  } catch (error) {
    if (!(error instanceof PbfFault)) throw error
    return error.code === 'pbf-truncated'
      ? `the file ends within the blob at byte ${error.offset}`
      : `the file ${error.what} (at byte ${error.offset})`
  } finally {
    file.close()
  }
}

async function readEntry(folder: string): Promise<Entry | null> {
  try {
    const { etag, modified, sha256: hash, bytes } = JSON.parse(await readFile(join(folder, 'entry.json'), 'utf8'))
    const isText = (value: unknown) => value === null || typeof value === 'string'
    if (!isText(etag) || !isText(modified) || !/^[0-9a-f]{64}$/.test(hash) || !Number.isSafeInteger(bytes)) return null
    return { etag, modified, sha256: hash, bytes }
  } catch {
    // Never downloaded, or damaged: the extract is downloaded.
    return null
  }
}

async function isIntact(folder: string, { sha256: hash, bytes }: Entry): Promise<boolean> {
  const path = fileOf(folder, hash)
  const found = await stat(path).catch(() => null)
  if (found?.size === bytes && (await sha256OfStream(createReadStream(path))) === hash) return true
  await rm(path, { force: true })
  return false
}

async function removeOld(folder: string, current: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (!name.endsWith('.osm.pbf') || path === current) continue
    const found = await stat(path).catch(() => null)
    if (found !== null && Date.now() - found.mtimeMs > KEEP_OLD_MS) await rm(path, { force: true })
  }
}

/** Errors of the disk, as errors that tell the user what to do. */
function asCacheFault(error: unknown, cacheFolder: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new ServiceError(
      'disk-full',
      `The disk of ${cacheFolder} is full; free some space, and the download resumes where it stopped.`,
      { retry: false, cause: error },
    )
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code ?? '')) return error
  return new InputError(
    'bad-cache',
    `Extracts can't be kept in ${cacheFolder} (${systemReason(error)}); set SKYSCRIPT_CACHE to a folder that can be written to.`,
    { cause: error },
  )
}
