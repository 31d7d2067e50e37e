import type { CaptionRecord, ImageRecord } from '@skyscript/core'

/** One image-text pair with all that is known of it. */
export interface DatasetRow {
  readonly image: ImageRecord
  readonly caption: CaptionRecord
  /** In the order of the scorers. */
  readonly similarities: readonly number[]
  /** Perceptual hash of the image, 16 hex digits. */
  readonly phash: string
}
