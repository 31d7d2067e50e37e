import type { Box, Config } from '@skyscript/core'
import { findCandidates, type SourceImage } from './candidates.ts'
import type { EarthEngine, PixelGrid } from './client.ts'
import type { CogImagery } from './cog/cog-imagery.ts'
import { pixelsOf } from './expressions.ts'
import type { Source } from './sources/source.ts'
import type { XyzImagery } from './xyz/xyz-imagery.ts'

/** Finds images and their pixels, for every kind of source. */
export interface Imagery {
  /** Images of a source that touch a box, in a fixed order. */
  find(source: Source, box: Box, signal?: AbortSignal): Promise<SourceImage[]>
  /** Where the pixels of an image in a box come from: see `ImageCandidate`. Files are described as they were last read. */
  origin(source: Source, imageId: string, box: Box): Promise<string>
  /**
   * Whether the pixels of an image in a box, as last read, have this origin.
   *
   * @param isLast false if the pixels will be read again when this returns false
   */
  isOf(source: Source, imageId: string, box: Box, origin: string, isLast: boolean): Promise<boolean>
  /** Whether the files of an unreadable image are different from those of this origin. A missing file is not replaced. */
  isReplaced(source: Source, imageId: string, box: Box, origin: string): Promise<boolean>
  /** Makes the next read of an image reload its files and their catalogue entries. */
  forget(source: Source, imageId: string, box: Box): Promise<void>
  /**
   * Pixels of one image on a grid.
   *
   * @returns height x width x 4 bytes: red, green, blue and PIXEL_STATE
   * @throws ServiceError or InputError; `refusalOf` says what it means for the image
   */
  pixels(source: Source, imageId: string, grid: PixelGrid, signal?: AbortSignal): Promise<Buffer>
}

/** The clients behind the sources; each is opened when the first source of its kind is used. */
export interface ImageryClients {
  earthEngine(): Promise<EarthEngine>
  /** The client that lists images; default: the one that provides pixels. */
  catalogue?(): Promise<EarthEngine>
  cog(): Promise<CogImagery>
  xyz(): Promise<XyzImagery>
}

export interface ImageryOptions extends Pick<Config['imagery'], 'maxCloud'> {
  /** The origin of Earth Engine's pixels in a box. */
  readonly earthEngineOrigin: (box: Box) => string | Promise<string>
}

export function createImagery(clients: ImageryClients, { maxCloud, earthEngineOrigin }: ImageryOptions): Imagery {
  return {
    async origin(source, imageId, box) {
      if (source.kind === 'cog') return (await clients.cog()).origin(source, imageId, box)
      if (source.kind === 'xyz') return (await clients.xyz()).origin(source)
      return earthEngineOrigin(box)
    },
    async isOf(source, imageId, box, origin, isLast) {
      return source.kind !== 'cog' || (await clients.cog()).isOf(source, imageId, box, origin, isLast)
    },
    async isReplaced(source, imageId, box, origin) {
      return source.kind === 'cog' && (await clients.cog()).isReplaced(source, imageId, box, origin)
    },
    async forget(source, imageId, box) {
      if (source.kind === 'cog') await (await clients.cog()).forget(source, imageId, box)
    },
    async find(source, box, signal) {
      if (source.kind === 'cog') return (await clients.cog()).find(source, box)
      if (source.kind === 'xyz') return (await clients.xyz()).find(source, box)
      const catalogue = clients.catalogue ?? clients.earthEngine
      return findCandidates(await catalogue(), source, box, { maxCloud }, signal)
    },
    async pixels(source, imageId, grid, signal) {
      if (source.kind === 'cog') return (await clients.cog()).pixels(source, imageId, grid, signal)
      if (source.kind === 'xyz') return (await clients.xyz()).pixels(source, grid, signal)
      const ee = await clients.earthEngine()
      return ee.pixels(pixelsOf(source, imageId), grid, signal)
    },
  }
}
