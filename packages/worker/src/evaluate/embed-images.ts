import { hash } from 'node:crypto'
import type { ImageRow, RowFaults } from '@skyscript/benchmark'
import { DataFault, formatCounted, type Terminal } from '@skyscript/core'
import type { DualEncoder } from '@skyscript/filter'
import type { EmbeddingStore } from './embedding-cache.ts'
import type { ImageSource } from './image-source.ts'

/** Images embedded in one call; the next ones are read meanwhile. */
const BATCH = 256

/** An image with all its rows. */
export interface EmbeddedRows<R> {
  readonly rows: readonly R[]
  readonly embedding: Float32Array
  /** Of the image file. */
  readonly sha256: string
}

/**
 * The rows whose images are there. The others are faults, all found before the first image is embedded.
 *
 * @throws InputError `missing-image` unless `faults` skips such rows
 */
export async function rowsWithFiles<R extends ImageRow>(
  rows: readonly R[],
  images: ImageSource,
  faults: RowFaults,
): Promise<R[]> {
  const absent = await images.missing([...new Set(rows.map(({ path }) => path))])
  const missing = rows.filter(({ path }) => absent.has(path))
  if (missing.length === 0) return [...rows]
  const { path } = missing[0]!
  const others = missing.length === 1 ? '' : `, nor ${formatCounted(missing.length - 1, 'image')} of other lines`
  const what = `there is no image ${path} in ${images.place}${others}; ${await images.hint(path)}`
  for (const { line } of missing) faults.add(line, 'missing-image', what)
  return rows.filter((row) => !absent.has(row.path))
}

/**
 * Embeds each image once, in the order of its first row, and leaves out images that can't be read with all their rows.
 *
 * @param given rows with files
 * @throws InputError `unreadable-image` or `embedding-not-a-number` unless `faults` skips such rows
 */
export async function* embedRows<R extends ImageRow>(
  given: readonly R[],
  options: {
    readonly encoder: DualEncoder
    readonly images: ImageSource
    readonly store: EmbeddingStore
    readonly faults: RowFaults
    readonly terminal: Terminal
  },
): AsyncGenerator<EmbeddedRows<R>> {
  const { encoder, images, store, faults, terminal } = options
  const progress = terminal.stage('images', 'images')
  const byPath = Map.groupBy(given, ({ path }) => path)
  const paths = [...byPath.keys()]
  const batches = inBatches(images.read(paths), BATCH)
  let done = 0
  try {
    for (let next = batches.next(); done < paths.length; ) {
      const files: readonly (Uint8Array | string)[] = (await next).value ?? []
      if (files.length === 0) throw new Error('Fewer images were read than there are paths.')
      next = batches.next()
      // Awaited in the next round; this keeps an earlier failure from being an unhandled rejection.
      next.catch(() => undefined)
      for (const [i, result] of (await embedFiles(files, encoder, store)).entries()) {
        const path = paths[done + i]!
        const rows = byPath.get(path)!
        if (!('fault' in result)) yield { rows, ...result }
        else for (const { line } of rows) faults.add(line, result.fault, `${path}: ${result.why.replace(/\.$/, '')}`)
      }
      done += files.length
      progress.update(done, paths.length)
    }
  } finally {
    await batches.return(undefined)
    progress.end(formatCounted(done, 'image'))
  }
}

type Embedded =
  | { readonly embedding: Float32Array; readonly sha256: string }
  | { readonly fault: string; readonly why: string }

async function embedFiles(
  files: readonly (Uint8Array | string)[],
  encoder: DualEncoder,
  store: EmbeddingStore,
): Promise<Embedded[]> {
  const hashes = files.map((file) => (typeof file === 'string' ? null : hash('sha256', file, 'hex')))
  const present = hashes.filter((sha256) => sha256 !== null)
  const stored = await store.get(present)
  const known = new Map(present.map((sha256, i) => [sha256, stored[i]]))
  /** Files to embed, each content once, with the index of the first. */
  const wanted = new Map<string, number>()
  for (const [i, sha256] of hashes.entries())
    if (sha256 !== null && known.get(sha256) === undefined && !wanted.has(sha256)) wanted.set(sha256, i)
  const made = await encoder.embedImages([...wanted.values()].map((i) => files[i] as Uint8Array))
  const bySha256 = new Map([...wanted.keys()].map((sha256, i) => [sha256, made[i]!]))
  for (const [sha256, embedding] of bySha256) if (!(embedding instanceof DataFault)) await store.add(sha256, embedding)
  return files.map((file, i) => {
    if (typeof file === 'string') return { fault: 'unreadable-image', why: file }
    const sha256 = hashes[i]!
    const embedding = known.get(sha256) ?? bySha256.get(sha256)!
    return embedding instanceof DataFault ? { fault: embedding.code, why: embedding.message } : { embedding, sha256 }
  })
}

async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], undefined, undefined> {
  let batch: T[] = []
  for await (const item of items) {
    if (batch.push(item) < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
  return undefined
}
