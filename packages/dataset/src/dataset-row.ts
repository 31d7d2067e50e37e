import type { CaptionRecord, Edit, ImageRecord } from '@skyscript/core'

/** One image-text pair with all its data. */
export interface DatasetRow {
  readonly image: ImageRecord
  readonly caption: CaptionRecord
  /** Of the object. */
  readonly edit: Edit
  /** By scorer, in the dataset's order. */
  readonly similarities: readonly number[]
  /** Perceptual hash of the image, 16 hex digits. */
  readonly phash: string
  /** See `ScoreRecord`. */
  readonly embedding?: string
}
