import type { Storage } from '@skyscript/core'
import type { DatasetRow } from '@skyscript/dataset'
import { createManifest, type ManifestExtras } from './manifest.ts'
import { createEmbeddings } from './semantic/embeddings-file.ts'

export interface StoredPairs {
  readonly pairs: number
  /** sha256 of the stored embeddings; null without them. */
  readonly embeddings: string | null
}

/**
 * Stores the pairs with all their data as the dataset's manifest, without splits: `cutDataset` adds them.
 *
 * @param options.rows in the order that the manifest and all files keep
 * @throws errors of `rows` and `storage`; TypeError for a similarity that is not a cosine
 */
export async function storePairs(options: {
  readonly rows: AsyncIterable<DatasetRow>
  readonly scorers: readonly string[]
  /** Whether images have additional captions, which get their own column. */
  readonly moreCaptions: boolean
  /** Whether rows have embeddings, which are stored in a file of their own. */
  readonly embeddings?: boolean
  readonly attribution: (row: DatasetRow) => ManifestExtras
  readonly storage: Storage
}): Promise<StoredPairs> {
  const { embeddings: hasEmbeddings = false, rows, scorers, moreCaptions, attribution, storage } = options
  const manifest = createManifest(storage, scorers, moreCaptions)
  const embeddings = hasEmbeddings ? createEmbeddings(storage) : null
  try {
    for await (const row of rows) {
      const { image, similarities } = row
      if (similarities.length !== scorers.length || !similarities.every((value) => Math.abs(value) <= 1)) {
        const found = similarities.join(', ')
        throw new TypeError(`${image.id} has the similarities ${found}, not ${scorers.length} cosines.`)
      }
      await manifest.add(row, attribution(row))
      if (embeddings === null) continue
      if (row.embedding === undefined) throw new TypeError(`${image.id} has no embedding.`)
      await embeddings.add(row.embedding)
    }
    await embeddings?.end()
    await manifest.end()
    return { pairs: manifest.rows, embeddings: embeddings?.sha256 ?? null }
  } catch (error) {
    await Promise.all([manifest.abort(error), embeddings?.abort(error)])
    throw error
  }
}
