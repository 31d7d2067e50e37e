import type { Storage } from '@skyscript/core'
import type { DatasetRow } from '@skyscript/dataset'
import { createManifest, type ManifestExtras } from './manifest.ts'

/**
 * Stores the pairs with all their data as the dataset's manifest, without splits: `cutDataset` adds them.
 *
 * @param options.rows in the order that the manifest and all files keep
 * @returns the number of pairs
 * @throws errors of `rows` and `storage`; TypeError for a similarity that is not a cosine
 */
export async function storePairs(options: {
  readonly rows: AsyncIterable<DatasetRow>
  readonly scorers: readonly string[]
  /** Whether images have additional captions, which get their own column. */
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
