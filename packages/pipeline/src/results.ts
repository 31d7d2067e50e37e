/**
 * How results are stored: `work/<stage>/<shard>.<fingerprint>.jsonl`, two lines of JSON, the head and the result itself.
 * Both are written in one step, and a head is read without the rest.
 */
import { getJson, ServiceError, type Storage } from '@skyscript/core'
import type { Job } from './runner/job.ts'

export const resultKey = ({ stage, shard, fingerprint }: Pick<Job, 'stage' | 'shard' | 'fingerprint'>): string =>
  `work/${stage}/${shard}.${fingerprint}.jsonl`

const LINE_FEED = 10

export async function putResult(storage: Storage, key: string, head: object, result: unknown): Promise<void> {
  const body = JSON.stringify(result)
  // The size detects a truncated file without reading all of it.
  const first = JSON.stringify({ ...head, bytes: Buffer.byteLength(body) })
  await storage.put(key, `${first}\n${body}\n`)
}

/** A head, and the bytes that the file of its result has if nothing was cut off. */
export interface StoredHead<H> {
  readonly head: H
  readonly size: number
}

/** Reads the head of a result; null if there is none, or if it is damaged. */
export async function readHead<H>(storage: Storage, key: string): Promise<StoredHead<H> | null> {
  const pieces: Uint8Array[] = []
  try {
    for await (const piece of storage.stream(key)) {
      const end = piece.indexOf(LINE_FEED)
      pieces.push(end < 0 ? piece : piece.subarray(0, end))
      if (end >= 0) break
    }
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'missing-key') return null
    throw error
  }
  const line = Buffer.concat(pieces)
  const parsed = parse<H & { bytes: number }>(line.toString('utf8'))
  if (parsed === null) return null
  const { bytes, ...head } = parsed
  return { head: head as unknown as H, size: line.length + bytes + 2 }
}

/** A result and its head; null where there is none, or where the file is damaged. */
async function readBoth<H, T>(storage: Storage, key: string): Promise<{ readonly head: H; readonly result: T } | null> {
  const bytes = await storage.get(key)
  if (bytes === null) return null
  const text = Buffer.from(bytes).toString('utf8')
  const end = text.indexOf('\n')
  const head = parse<H>(text.slice(0, end))
  const result = parse<T>(text.slice(end + 1))
  return head === null || result === null ? null : { head, result }
}

/** The result itself; null where there is none, or where the file is damaged. */
export async function readResult<T>(storage: Storage, key: string): Promise<T | null> {
  const bytes = await storage.get(key)
  if (bytes === null) return null
  const text = Buffer.from(bytes).toString('utf8')
  // Files that end in .json are of an earlier version, which had no heads.
  return parse<T>(key.endsWith('.json') ? text : text.slice(text.indexOf('\n') + 1))
}

/**
 * The result that a job reads. A damaged one is removed, so that the next build makes it again.
 *
 * @throws ServiceError `missing-result`
 */
export async function inputOf<T>(storage: Storage, key: string): Promise<T> {
  return required(storage, key, await readResult<T>(storage, key))
}

/** The same with its head. */
export async function inputWithHead<H, T>(
  storage: Storage,
  key: string,
): Promise<{ readonly head: H; readonly result: T }> {
  return required(storage, key, await readBoth<H, T>(storage, key))
}

async function required<T>(storage: Storage, key: string, found: T | null): Promise<T> {
  if (found !== null) return found
  await storage.delete(key)
  throw new ServiceError('missing-result', `${key} is gone from ${storage.url} or damaged; run the build again.`, {
    retry: false,
  })
}

/** As `getJson`, and null where the value is no JSON, such as a file that a power cut emptied: it can be made again. */
export async function getWhole<T>(storage: Storage, key: string): Promise<T | null> {
  return getJson<T>(storage, key).catch((error) => {
    if (error instanceof SyntaxError) return null
    throw error
  })
}

function parse<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}
