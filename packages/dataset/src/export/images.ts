import { IMAGE_PATH, InputError, type Storage, sha256 } from '@skyscript/core'
import { pMapIterable } from 'p-map'

/** Files read concurrently: hides the latency of a bucket, and needs a few MB. */
const CONCURRENT_FILES = 16

export interface ImageRow {
  readonly filepath: string
  /** The image's hash from the manifest. */
  readonly sha256: string
}

/**
 * Each row with its image, in the same order; some are read ahead.
 *
 * @throws InputError `image-missing` or `image-changed`, naming the first image that differs from the manifest
 */
export async function* withImages<T extends ImageRow>(
  storage: Storage,
  rows: AsyncIterable<T>,
): AsyncGenerator<{ readonly row: T; readonly image: Uint8Array }> {
  yield* readAhead(rows, async (row) => ({ row, image: await readImage(storage, row) }))
}

/** The results of `read`, in the order of the items; some items are read concurrently. */
export const readAhead = <T, R>(items: AsyncIterable<T>, read: (item: T) => Promise<R>): AsyncIterable<R> =>
  pMapIterable(items, read, { concurrency: CONCURRENT_FILES }) as AsyncIterable<R>

async function readImage(storage: Storage, row: ImageRow): Promise<Uint8Array> {
  // A path that isn't valid is never read.
  const image = IMAGE_PATH.test(row.filepath) ? await storage.get(row.filepath) : null
  const mend = 'skyscript verify finds all such images; restore them, or build into an empty output.'
  if (image === null)
    throw new InputError('image-missing', `${row.filepath} is in the manifest and not in ${storage.url}; ${mend}`)
  if (sha256(image) !== row.sha256)
    throw new InputError('image-changed', `${row.filepath} in ${storage.url} is not as the manifest says; ${mend}`)
  return image
}
