import type { Box, Config } from '@skyscript/core'
import { findCandidates, type SourceImage } from './candidates.ts'
import type { EarthEngine, PixelGrid } from './client.ts'
import type { CogImagery } from './cog/cog-imagery.ts'
import { pixelsOf } from './expressions.ts'
import type { Source } from './sources/source.ts'

/** Where images and their pixels come from, whatever the kind of the source. */
export interface Imagery {
  /** Images of a source that touch a box, in a fixed order. */
  find(source: Source, box: Box, signal?: AbortSignal): Promise<SourceImage[]>
  /**
   * Pixels of one image on a grid.
   *
   * @returns height x width x 4 bytes: red, green, blue and PIXEL_STATE
   * @throws ServiceError or InputError; `refusalOf` tells what it means for the image
   */
  pixels(source: Source, imageId: string, grid: PixelGrid, signal?: AbortSignal): Promise<Buffer>
}

/** The clients behind the sources; each is opened when the first source of its kind is asked. */
export interface ImageryClients {
  earthEngine(): Promise<EarthEngine>
  cog(): Promise<CogImagery>
}

export function createImagery(clients: ImageryClients, { maxCloud }: Pick<Config['imagery'], 'maxCloud'>): Imagery {
  return {
    async find(source, box, signal) {
      if (source.kind === 'cog') return (await clients.cog()).find(source, box)
      return findCandidates(await clients.earthEngine(), source, box, { maxCloud }, signal)
    },
    async pixels(source, imageId, grid, signal) {
      if (source.kind === 'cog') return (await clients.cog()).pixels(source, imageId, grid, signal)
      const ee = await clients.earthEngine()
      return ee.pixels(pixelsOf(source, imageId), grid, signal)
    },
  }
}
