import { createReadStream, createWriteStream } from 'node:fs'
import { access, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type Config,
  InputError,
  isMetadataHost,
  messageOf,
  redact,
  ServiceError,
  sha256OfStream,
} from '@skyscript/core'
import { openStorage } from '../storages/storages.ts'

/** A file on this machine's disk, fetched if it was elsewhere. */
export interface LocalFile {
  /** As the config names it. */
  readonly source: string
  readonly path: string
  /** Removes what was fetched; a file that was here before stays. */
  release(): Promise<void>
}

/** An OSM extract of the settings. */
export interface SourceFile extends LocalFile {
  readonly bytes: number
  readonly sha256: string
}

/** Hands all extracts of the settings to `task`, in their order, and removes what was fetched. */
export async function withSources<T>(
  osm: Config['osm'],
  signal: AbortSignal,
  task: (files: readonly SourceFile[]) => Promise<T>,
): Promise<T> {
  const files: SourceFile[] = []
  try {
    for (const source of typeof osm.source === 'string' ? [osm.source] : osm.source) {
      const file = await localFile(source, signal)
      files.push({
        ...file,
        bytes: (await stat(file.path)).size,
        sha256: await sha256OfStream(createReadStream(file.path)),
      })
    }
    return await task(files)
  } finally {
    for (const file of files) await file.release()
  }
}

/**
 * Makes an OSM extract available as a file: a path as it is, an http(s) or s3 URL fetched into a temporary folder.
 *
 * @throws InputError `missing-file` or `bad-url`; ServiceError `download-failed`
 */
export async function localFile(source: string, signal: AbortSignal): Promise<LocalFile> {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) {
    await access(source).catch(() => {
      throw new InputError('missing-file', `${source} can't be read; check osm.source in the region file.`)
    })
    return { source, path: source, release: async () => {} }
  }
  const url = new URL(source)
  if (!['http:', 'https:', 's3:'].includes(url.protocol) || isMetadataHost(url.hostname)) {
    throw new InputError(
      'bad-url',
      `${redact(source)} can't be used as osm.source; give a path, or an http, https or s3 URL.`,
    )
  }
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-download-'))
  const path = join(folder, 'extract.osm.pbf')
  try {
    if (url.protocol === 's3:') await fromS3(source, path)
    else await fromHttp(source, path, signal)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  return {
    source: redact(url.origin === 'null' ? source : `${url.origin}${url.pathname}`),
    path,
    release: () => rm(folder, { recursive: true, force: true }),
  }
}

async function fromS3(source: string, path: string): Promise<void> {
  const slash = source.lastIndexOf('/')
  const storage = await openStorage(source.slice(0, slash))
  await pipeline(Readable.from(storage.stream(source.slice(slash + 1))), createWriteStream(path))
}

async function fromHttp(source: string, path: string, signal: AbortSignal): Promise<void> {
  const failed = (why: string, retry: boolean, cause?: unknown) =>
    new ServiceError(
      'download-failed',
      `${redact(source)} could not be downloaded (${why}); check the URL and run again.`,
      { retry, cause },
    )
  let response: Response
  try {
    response = await fetch(source, { signal })
  } catch (error) {
    throw failed(messageOf(error), true, error)
  }
  if (!response.ok || !response.body) throw failed(`HTTP ${response.status}`, response.status >= 500)
  let received = 0
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      received += chunk.length
      yield chunk
    }
  }
  try {
    await pipeline(response.body, counted, createWriteStream(path))
  } catch (error) {
    throw failed(messageOf(error), true, error)
  }
  const length = response.headers.get('content-length')
  if (length !== null && !response.headers.has('content-encoding') && Number(length) !== received) {
    throw failed(`${received} of ${length} bytes came`, true)
  }
}
