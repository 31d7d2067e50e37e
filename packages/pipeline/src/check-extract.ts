import { open, stat } from 'node:fs/promises'
import { InputError, isUrl, redact, ServiceError, SkyscriptError, type Storage, systemReason } from '@skyscript/core'
import { httpFetch, reasonOf } from '@skyscript/http'
import { readHeader } from '@skyscript/osm-extract'
import { fileKind } from './file-kind.ts'

/** Enough to tell what a file is. */
const HEAD_BYTES = 1024
const CHECK_SOURCE = 'check osm.source in the region file, or get an extract from https://download.geofabrik.de'

/** What an extract says of itself. */
export interface ExtractFacts {
  /** As it may be shown: without login and query. */
  readonly name: string
  /** null where the server doesn't say. */
  readonly bytes: number | null
  /** ISO 8601 UTC of its newest change, where its header has it. */
  readonly newestChange: string | null
}

/**
 * Sees whether an extract of the settings can be read: a file by its header, a URL by its first bytes.
 *
 * @param at `osm.at`, where the map of a time is wanted
 * @throws InputError `missing-file`, `not-a-pbf`, `history-file`, `not-a-history` or `unsupported-feature`; PbfFault;
 * ServiceError `download-failed`
 */
export async function checkExtract(
  source: string,
  at: string | null,
  { signal, openStorage }: { readonly signal: AbortSignal; readonly openStorage: (url: string) => Promise<Storage> },
): Promise<ExtractFacts> {
  if (!isUrl(source)) return checkExtractFile(source, at)
  const name = redact(source)
  if (source.startsWith('s3://')) {
    const slash = source.lastIndexOf('/')
    const storage = await openStorage(source.slice(0, slash))
    checkPbfHead(await firstBytes(storage.stream(source.slice(slash + 1))), null, name)
    return { name, bytes: null, newestChange: null }
  }
  const bytes = await checkUrl(source, name, signal)
  return { name, bytes, newestChange: null }
}

/** @throws as `checkExtract` */
export async function checkExtractFile(path: string, at: string | null): Promise<ExtractFacts> {
  const missing = (error: unknown) => {
    throw new InputError('missing-file', `${path} can't be read (${systemReason(error)}); ${CHECK_SOURCE}.`)
  }
  const file = await open(path).catch(missing)
  try {
    const { bytesRead, buffer } = await file
      .read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
      .catch((error: unknown) => missing(error))
    checkPbfHead(buffer.subarray(0, bytesRead), null, path)
  } finally {
    await file.close()
  }
  return { name: path, bytes: (await stat(path)).size, newestChange: readHeader(path, at).replicationTimestamp }
}

/** @throws InputError `not-a-pbf` for what begins like another kind of file */
export function checkPbfHead(head: Uint8Array, contentType: string | null, name: string): void {
  const kind = fileKind(head, contentType)
  if (kind !== 'OSM PBF') throw new InputError('not-a-pbf', `${name} is ${kind}, not an OSM PBF file; ${CHECK_SOURCE}.`)
}

async function checkUrl(url: string, name: string, signal: AbortSignal): Promise<number | null> {
  try {
    const headers = { range: `bytes=0-${HEAD_BYTES - 1}`, 'accept-encoding': 'identity' }
    const response = await httpFetch(url, { headers, signal })
    if (!response.ok || response.body === null) throw failed(name, `HTTP ${response.status}`)
    const total = response.headers.get('content-range')?.split('/')[1] ?? response.headers.get('content-length')
    checkPbfHead(await firstBytes(response.body), response.headers.get('content-type'), name)
    return total != null && /^\d+$/.test(total) ? Number(total) : null
  } catch (error) {
    throw error instanceof SkyscriptError ? error : failed(name, reasonOf(error))
  }
}

const failed = (name: string, why: string) =>
  new ServiceError('download-failed', `${name} can't be downloaded (${why}); ${CHECK_SOURCE}.`, { retry: true })

/** Ends the stream early: a server that ignores ranges would send a whole planet. */
async function firstBytes(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    parts.push(chunk)
    length += chunk.length
    if (length >= HEAD_BYTES) break
  }
  return Buffer.concat(parts).subarray(0, HEAD_BYTES)
}
