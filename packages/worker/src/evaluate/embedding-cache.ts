import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { systemReason, type Terminal } from '@skyscript/core'

/**
 * Embeddings of images that are kept between runs, so that a second benchmark with the same images costs only its texts. They are
 * kept by the model's fingerprint, which covers all that decides an embedding, and by the sha256 of the image file.
 *
 * `<cache>/embeddings/<fingerprint>/<uuid>.embeddings` holds some of them: a header, their hashes, their vectors, and a checksum of
 * each. A file appears whole and never changes, so any number of processes may read and add. The files used longest ago are
 * removed when all of them have more than `LIMIT`.
 */

/** Embeddings by the hash of an image file. */
export interface EmbeddingStore {
  /** In the order of the hashes (64 hex digits); undefined where there is none. */
  get(hashes: readonly string[]): Promise<(Float32Array | undefined)[]>
  add(sha256: string, embedding: Float32Array): Promise<void>
  /** Called when a set was measured: what is only in memory may go. */
  flush(): Promise<void>
}

/** Keeps the embeddings of the set that is measured. */
export function memoryStore(): EmbeddingStore {
  const known = new Map<string, Float32Array>()
  return {
    get: async (hashes) => hashes.map((sha256) => known.get(sha256)),
    add: async (sha256, embedding) => void known.set(sha256, embedding),
    flush: async () => known.clear(),
  }
}

/** Most bytes in `<cache>/embeddings`: 700,000 embeddings of ViT-L/14. */
const LIMIT = 2 * 1024 ** 3
/** A file is written when this many embeddings are new, or the first of them has waited this long. */
const MOST = 4096
const WAIT_MS = 60_000

const SUFFIX = '.embeddings'
const MAGIC = Buffer.from('SKYEMB1\0', 'latin1')
/** The magic, numbers in a vector, and vectors, as 32-bit little-endian integers. */
const HEADER = MAGIC.length + 8
const HASH = 32
const CHECKSUM = 4

interface Segment {
  readonly path: string
  readonly length: number
  readonly count: number
}

interface Place {
  readonly segment: Segment
  readonly at: number
}

/**
 * Opens the stored embeddings of a model. Files that are damaged are removed and noted, and their images are embedded again; so are
 * all if the folder can't be read or written.
 *
 * @param cacheFolder of the user, which also has downloaded models
 * @param fingerprint of the model
 */
export async function openEmbeddingCache(
  cacheFolder: string,
  fingerprint: string,
  terminal: Terminal,
  { limit = LIMIT }: { readonly limit?: number } = {},
): Promise<EmbeddingStore> {
  const all = join(cacheFolder, 'embeddings')
  const folder = join(all, fingerprint.slice(0, 32))
  const places = new Map<string, Place>()
  const pending = new Map<string, Float32Array>()
  const touched = new Set<string>()
  let since = 0
  let isWritable = true

  const discard = async (path: string) => {
    await rm(path, { force: true }).catch(() => undefined)
    terminal.warn(`${path} was damaged and is removed: its images are embedded again`)
  }
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith(SUFFIX)) continue
    const path = join(folder, name)
    const handle = await open(path).catch(() => null)
    // Another process may have removed it, or it belongs to another user.
    if (handle === null) continue
    const read = await readHashes(path, handle).catch(() => null)
    await handle.close()
    if (read === null) await discard(path)
    else for (const [at, hash] of read.hashes.entries()) places.set(hash, { segment: read.segment, at })
  }

  const write = async () => {
    if (pending.size === 0 || !isWritable) return
    const temporary = join(folder, `${randomUUID()}.partial`)
    const path = join(folder, `${randomUUID()}${SUFFIX}`)
    try {
      await mkdir(folder, { recursive: true })
      await writeFile(temporary, bytesOf(pending))
      await rename(temporary, path)
      const segment = { path, length: pending.values().next().value!.length, count: pending.size }
      for (const [at, hash] of [...pending.keys()].entries()) places.set(hash, { segment, at })
      touched.add(path)
      pending.clear()
      await removeOldest(all, limit, touched)
    } catch (error) {
      isWritable = false
      await rm(temporary, { force: true }).catch(() => undefined)
      terminal.warn(`embeddings can't be kept in ${folder} (${systemReason(error)}): the next run computes them again`)
    }
  }

  return {
    async get(hashes) {
      const found = hashes.map((hash) => pending.get(hash))
      const wanted = hashes.flatMap((hash, i) => {
        const place = found[i] === undefined ? places.get(hash) : undefined
        return place === undefined ? [] : [{ i, hash, ...place }]
      })
      for (const [segment, some] of Map.groupBy(wanted, (each) => each.segment)) {
        const handle = await open(segment.path).catch(() => null)
        // Another process may have removed it.
        if (handle === null) continue
        let isWhole = true
        for (const { i, hash, at } of some) {
          const vector = await readVector(handle, segment, hash, at).catch(() => null)
          if (vector !== null) found[i] = vector
          else isWhole = false
        }
        await handle.close()
        if (!isWhole) {
          for (const [hash, place] of places) if (place.segment === segment) places.delete(hash)
          await discard(segment.path)
        } else if (!touched.has(segment.path)) {
          touched.add(segment.path)
          const now = new Date()
          await utimes(segment.path, now, now).catch(() => undefined)
        }
      }
      return found
    },
    async add(sha256, embedding) {
      if (pending.size === 0) since = performance.now()
      pending.set(sha256, embedding)
      if (pending.size >= MOST || performance.now() - since > WAIT_MS) await write()
    },
    async flush() {
      await write()
      pending.clear()
    },
  }
}

const checksumOf = (hash: Uint8Array, vector: Uint8Array): number => crc32(vector, crc32(hash))

const bytesIn = (vector: Float32Array) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)

function bytesOf(embeddings: ReadonlyMap<string, Float32Array>): Buffer {
  const header = Buffer.alloc(HEADER)
  MAGIC.copy(header)
  header.writeUInt32LE(embeddings.values().next().value!.length, MAGIC.length)
  header.writeUInt32LE(embeddings.size, MAGIC.length + 4)
  const hashes = [...embeddings.keys()].map((hash) => Buffer.from(hash, 'hex'))
  const vectors = [...embeddings.values()].map(bytesIn)
  const checksums = Buffer.alloc(CHECKSUM * hashes.length)
  for (const [i, hash] of hashes.entries()) checksums.writeUInt32LE(checksumOf(hash, vectors[i]!), CHECKSUM * i)
  return Buffer.concat([header, ...hashes, ...vectors, checksums])
}

/** The hashes of a file; null if it is not as it was written. */
async function readHashes(path: string, handle: FileHandle): Promise<{ segment: Segment; hashes: string[] } | null> {
  const header = Buffer.alloc(HEADER)
  await handle.read(header, 0, HEADER, 0)
  const [length, count] = [header.readUInt32LE(MAGIC.length), header.readUInt32LE(MAGIC.length + 4)]
  const { size } = await handle.stat()
  const isWhole = header.subarray(0, MAGIC.length).equals(MAGIC)
  if (!isWhole || size !== HEADER + count * (HASH + 4 * length + CHECKSUM)) return null
  const bytes = Buffer.alloc(count * HASH)
  await handle.read(bytes, 0, bytes.length, HEADER)
  const hashes = Array.from({ length: count }, (_, i) => bytes.toString('hex', i * HASH, (i + 1) * HASH))
  return { segment: { path, length, count }, hashes }
}

/** Null if its checksum is wrong. */
async function readVector(handle: FileHandle, { length, count }: Segment, hash: string, at: number) {
  const vector = new Float32Array(length)
  const bytes = bytesIn(vector)
  const checksum = Buffer.alloc(CHECKSUM)
  const vectors = HEADER + count * HASH
  await handle.read(bytes, 0, bytes.length, vectors + at * bytes.length)
  await handle.read(checksum, 0, CHECKSUM, vectors + count * bytes.length + at * CHECKSUM)
  return checksum.readUInt32LE(0) === checksumOf(Buffer.from(hash, 'hex'), bytes) ? vector : null
}

/** Removes the files used longest ago until the rest is within the limit, but none of `kept`. */
async function removeOldest(all: string, limit: number, kept: ReadonlySet<string>): Promise<void> {
  const names = await readdir(all, { recursive: true })
  const files: { path: string; size: number; used: number }[] = []
  for (const name of names) {
    const path = join(all, name)
    const found = await stat(path).catch(() => null)
    if (found?.isFile()) files.push({ path, size: found.size, used: found.mtimeMs })
  }
  let total = files.reduce((sum, { size }) => sum + size, 0)
  for (const { path, size } of files.sort((a, b) => a.used - b.used)) {
    if (total <= limit) return
    if (kept.has(path)) continue
    await rm(path, { force: true })
    total -= size
  }
}
