import type { Box } from '@skyscript/core'
import type { SourceImage } from './candidates.ts'
import type { PixelGrid } from './client.ts'
import type { Source } from './sources/source.ts'
import type { KnownDate } from './web/feature-date.ts'

/** Finds images of sources of one kind, and their pixels. */
export interface SourceClient<S extends Source> {
  /** Images of a source that touch a box, in a fixed order. */
  find(source: S, box: Box, signal?: AbortSignal): Promise<SourceImage[]>
  /** Where the pixels of an image in a box come from: see `ImageCandidate`. Files are described as they were last read. */
  origin(source: S, imageId: string, box: Box): Promise<string>
  /**
   * Pixels of one image on a grid.
   *
   * @returns height x width x 4 bytes: red, green, blue and PIXEL_STATE
   * @throws ServiceError or InputError; `refusalOf` says what it means for the image
   */
  pixels(source: S, imageId: string, grid: PixelGrid, signal?: AbortSignal): Promise<Buffer>
  /** When the pixels of an image in a box were taken, where that differs from place to place; null if it isn't known. */
  dateOf?(source: S, imageId: string, box: Box): Promise<KnownDate | null>
  /**
   * Whether the pixels of an image in a box, as last read, have this origin. This method and the next two are missing where
   * an image can't be replaced.
   *
   * @param isLast false if the pixels will be read again when this returns false
   */
  isOf?(source: S, imageId: string, box: Box, origin: string, isLast: boolean): Promise<boolean>
  /** Whether the files of an unreadable image are different from those of this origin. A missing file is not replaced. */
  isReplaced?(source: S, imageId: string, box: Box, origin: string): Promise<boolean>
  /** Makes the next read of an image reload its files and their catalogue entries. */
  forget?(source: S, imageId: string, box: Box): Promise<void>
}
