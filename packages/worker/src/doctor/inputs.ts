import { open, readFile } from 'node:fs/promises'
import type { Config } from '@skyscript/core'
import { messageOf } from '@skyscript/core'
import { formatBytes } from '../terminal/format.ts'
import type { Finding } from './doctor.ts'

/** OSM PBF: a blob header is at most this long (OSM wiki, PBF Format, "File format"). */
const BLOB_HEADER_BYTES = 64 * 1024
/** Enough for the length and the header of the first blob of every real file. */
const HEAD_BYTES = 64

/** Whether an OSM extract is there, can be read, and is a PBF; only its first bytes are looked at. */
export async function checkOsmSource(source: string, signal: AbortSignal): Promise<Finding> {
  const fix = 'Check osm.source in the region file; extracts of any region are at https://download.geofabrik.de.'
  try {
    const { head, size } = await headOf(source, signal)
    if (!isPbf(head)) return { status: 'fail', detail: `${source} is not an OSM PBF file`, fix }
    return { status: 'ok', detail: `${source}${size === null ? '' : ` (${formatBytes(size)})`}` }
  } catch (error) {
    return { status: 'fail', detail: `${source} can't be read: ${messageOf(error)}`, fix }
  }
}

interface Head {
  readonly head: Uint8Array
  readonly size: number | null
}

async function headOf(source: string, signal: AbortSignal): Promise<Head> {
  if (source.startsWith('s3://')) return headFromStorage(source)
  if (/^https?:\/\//i.test(source)) return headFromHttp(source, signal)
  const file = await open(source)
  try {
    const { bytesRead, buffer } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return { head: buffer.subarray(0, bytesRead), size: (await file.stat()).size }
  } finally {
    await file.close()
  }
}

async function headFromHttp(source: string, signal: AbortSignal): Promise<Head> {
  const response = await fetch(source, { headers: { range: `bytes=0-${HEAD_BYTES - 1}` }, signal })
  if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`)
  const total = response.headers.get('content-range')?.split('/')[1] ?? response.headers.get('content-length')
  return { head: await firstBytes(response.body), size: total != null && /^\d+$/.test(total) ? Number(total) : null }
}

async function headFromStorage(source: string): Promise<Head> {
  const { openStorage } = await import('../storages/storages.ts')
  const slash = source.lastIndexOf('/')
  const storage = await openStorage(source.slice(0, slash))
  return { head: await firstBytes(storage.stream(source.slice(slash + 1))), size: null }
}

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

/** A PBF begins with the length of a blob header whose type is OSMHeader. */
function isPbf(head: Uint8Array): boolean {
  if (head.length < 16) return false
  const bytes = Buffer.from(head)
  const length = bytes.readUInt32BE(0)
  return length > 0 && length <= BLOB_HEADER_BYTES && bytes.includes('OSMHeader', 4, 'latin1')
}

/** The smaller files that a region names: clip, captions.tags, captions.rules and credentials. */
export async function checkFiles({ osm, captions, imagery }: Config): Promise<Finding> {
  const files: (readonly [setting: string, path: string, isJson: 'json' | 'any'])[] = []
  if (typeof osm.clip === 'string') files.push(['osm.clip', osm.clip, 'json'])
  if (captions.tags !== null) files.push(['captions.tags', captions.tags, 'any'])
  if (captions.rules !== null) files.push(['captions.rules', captions.rules, 'any'])
  const { credentials } = imagery.earthEngine
  if (credentials !== null) files.push(['imagery.earthEngine.credentials', credentials, 'json'])
  const faults: string[] = []
  for (const [setting, path, kind] of files) {
    try {
      const text = await readFile(path, 'utf8')
      if (kind === 'json') JSON.parse(text)
    } catch (error) {
      // What JSON.parse says quotes the text, which in a key file is the key.
      faults.push(`${setting} (${path}) ${error instanceof SyntaxError ? 'is not JSON' : "can't be read"}`)
    }
  }
  if (faults.length > 0)
    return { status: 'fail', detail: faults.join('; '), fix: 'Correct the paths in the region file.' }
  return { status: 'ok', detail: files.length === 0 ? 'the region names no further files' : `${files.length} read` }
}
