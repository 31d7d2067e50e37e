import { open, readFile } from 'node:fs/promises'
import type { Config } from '@skyscript/core'
import { formatBytes } from '@skyscript/core'
import { httpFetch, reasonOf } from '@skyscript/http'
import { fileKind } from '@skyscript/pipeline/files'
import type { Finding } from './doctor.ts'

/** Enough to tell what a file is. */
const HEAD_BYTES = 1024

/** Whether an OSM extract is there, can be read, and is a PBF; only its first bytes are looked at. */
export async function checkOsmSource(source: string, signal: AbortSignal): Promise<Finding> {
  const fix = 'Check osm.source in the region file; extracts of any region are at https://download.geofabrik.de.'
  try {
    const { head, size, type = null } = await headOf(source, signal)
    const kind = fileKind(head, type)
    if (kind !== 'OSM PBF') return { status: 'fail', detail: `${source} is ${kind}, not an OSM PBF file`, fix }
    return { status: 'ok', detail: `${source}${size === null ? '' : ` (${formatBytes(size)})`}` }
  } catch (error) {
    return { status: 'fail', detail: `${source} can't be read: ${reasonOf(error)}`, fix }
  }
}

interface Head {
  readonly head: Uint8Array
  readonly size: number | null
  /** As the server calls it. */
  readonly type?: string | null
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
  const headers = { range: `bytes=0-${HEAD_BYTES - 1}`, 'accept-encoding': 'identity' }
  const response = await httpFetch(source, { headers, signal })
  if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`)
  const total = response.headers.get('content-range')?.split('/')[1] ?? response.headers.get('content-length')
  const size = total != null && /^\d+$/.test(total) ? Number(total) : null
  return { head: await firstBytes(response.body), size, type: response.headers.get('content-type') }
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
