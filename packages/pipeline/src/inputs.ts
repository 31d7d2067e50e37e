import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import {
  type Config,
  InputError,
  isRefusedHost,
  isUrl,
  redact,
  type Storage,
  sha256OfStream,
  type Terminal,
} from '@skyscript/core'
import { localFile } from '@skyscript/dataset'
import { PbfFault } from '@skyscript/osm-extract'
import { checkExtractFile } from './check-extract.ts'
import { cachedExtract } from './extract-cache.ts'
import { openChanges } from './map-changes/index.ts'
import { defaultModelCache } from './models.ts'
import type { ExtractFile, SourceFile } from './source-file.ts'
import type { CacheOptions } from './url-cache.ts'

export interface SourceOptions {
  readonly signal: AbortSignal
  /** Opens the bucket of an s3 URL. */
  readonly openStorage: (url: string) => Promise<Storage>
  readonly terminal?: Terminal
  /** Where extracts of http(s) URLs are kept, default: the user's cache. */
  readonly cacheFolder?: string | undefined
  /** `osm.at`, for which a file must be of histories. */
  readonly at?: string | undefined
  /** Takes a copy of the cache, whatever the server has by now. */
  readonly keep?: boolean
  /** Before a second try, see `download`. */
  readonly pauseMs?: number
}

/**
 * Hands all extracts of the settings to `task`, in their order and with the changes of the settings applied, and removes
 * temporary copies.
 *
 * @throws as `extractFile` and `openChanges`, and what the task throws
 */
export async function withSources<T>(
  osm: Config['osm'],
  options: SourceOptions,
  task: (files: readonly SourceFile[]) => Promise<T>,
): Promise<T> {
  const opened: ExtractFile[] = []
  const { cacheFolder = defaultModelCache() } = options
  const changes = osm.changes === undefined ? null : await openChanges(osm.changes, { ...options, cacheFolder })
  const open = async (source: string, how: { readonly keep: boolean }): Promise<SourceFile> => {
    const file = await extractFile(source, { ...options, ...how, at: osm.at })
    opened.push(file)
    const hash = file.sha256 ?? (await sha256OfStream(createReadStream(file.path)))
    return { ...file, bytes: (await stat(file.path)).size, sha256: hash }
  }
  const current = async (source: string): Promise<SourceFile> => {
    if (changes === null) return open(source, { keep: false })
    const updated = await changes.update((how) => open(source, how))
    opened.push(updated)
    return updated
  }
  try {
    const files: SourceFile[] = []
    for (const source of typeof osm.source === 'string' ? [osm.source] : osm.source) files.push(await current(source))
    return await task(files)
  } catch (error) {
    throw await namedBySource(error, opened)
  } finally {
    for (const file of opened) await file.release()
    await changes?.release()
  }
}

/** Faults of a file name its source, not its path in the cache; a faulty download is downloaded again by the next build. */
async function namedBySource(error: unknown, files: readonly ExtractFile[]): Promise<unknown> {
  const file = error instanceof PbfFault ? files.find(({ path }) => path === error.origin.path) : undefined
  if (!(error instanceof PbfFault) || file === undefined) return error
  await file.discard?.()
  return new PbfFault(error.code, error.what, { ...error.origin, path: file.source })
}

/**
 * Makes an OSM extract available as a file: a path as it is, an http(s) URL from the cache, an s3 URL in a temporary
 * folder.
 *
 * @throws InputError `missing-file`, `bad-url` or `not-a-pbf`; ServiceError `download-failed`
 */
export async function extractFile(
  source: string,
  { signal, openStorage, terminal, cacheFolder = defaultModelCache(), at, keep = false, pauseMs }: SourceOptions,
): Promise<ExtractFile> {
  if (!isUrl(source)) {
    await checkExtractFile(source, at ?? null)
    return { source, path: source, release: async () => {} }
  }
  const url = URL.parse(source)
  if (url === null || !['http:', 'https:', 's3:'].includes(url.protocol) || isRefusedHost(url.hostname)) {
    throw new InputError(
      'bad-url',
      `${redact(source)} can't be used as osm.source; give a path, or an http, https or s3 URL.`,
    )
  }
  if (url.protocol === 's3:') return fromS3(source, openStorage)
  const { path, sha256, discard } = await fromCache(source, {
    cacheFolder,
    signal,
    keep,
    ...(terminal && { terminal }),
    ...(pauseMs !== undefined && { pauseMs }),
  })
  return { source: redact(`${url.origin}${url.pathname}`), path, sha256, discard, release: async () => {} }
}

async function fromCache(url: string, options: CacheOptions) {
  const stage = options.terminal?.stage('download', 'bytes')
  const found = await cachedExtract(url, { ...options, ...(stage && { progress: stage }) }).catch((error) => {
    stage?.end('failed')
    throw error
  })
  stage?.end(found.isNew ? redact(url) : `${redact(url)} ${options.keep ? 'is kept' : 'is unchanged'}`)
  return found
}

async function fromS3(source: string, openStorage: SourceOptions['openStorage']): Promise<ExtractFile> {
  const slash = source.lastIndexOf('/')
  const storage = await openStorage(source.slice(0, slash))
  return { source: redact(source), ...(await localFile(storage, source.slice(slash + 1))) }
}
