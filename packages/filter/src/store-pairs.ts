import type { Storage } from '@skyscript/core'
import type { DatasetRow } from '@skyscript/dataset'
import { createManifest, type ManifestExtras } from './manifest.ts'

/**
 * Stores the pairs with all that is known of them as the dataset's manifest, without splits yet: `cutDataset` adds them.
 *
 * @param options.rows in the order that the manifest and all files keep
 * @returns how many pairs there are
 * @throws what `rows` and `storage` throw; TypeError for a similarity that is no cosine
 */
export async function storePairs(options: {
  readonly rows: AsyncIterable<DatasetRow>
  readonly scorers: readonly string[]
  /** Whether images have further captions: then there is a column of them. */
  readonly moreCaptions: boolean
  readonly attribution: (row: DatasetRow) => ManifestExtras
  readonly storage: Storage
}): Promise<number> {
  const { rows, scorers, moreCaptions, attribution, storage } = options
  const manifest = createManifest(storage, scorers, moreCaptions)
  try {
    for await (const row of rows) {
      const { image, similarities } = row
      if (similarities.length !== scorers.length || !similarities.every((value) => Math.abs(value) <= 1)) {
        const found = similarities.join(', ')
        throw new TypeError(`${image.id} has the similarities ${found}, not ${scorers.length} cosines.`)
      }
      await manifest.add(row, attribution(row))
    }
    await manifest.end()
    return manifest.rows
  } catch (error) {
    await manifest.abort(error)
    throw error
  }
}
