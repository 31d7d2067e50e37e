import type { Box, Config } from '@skyscript/core'
import { findCandidates } from './candidates.ts'
import type { EarthEngine } from './client.ts'
import type { CogImagery } from './cog/cog-imagery.ts'
import { pixelsOf } from './expressions.ts'
import type { OamImagery } from './oam/oam-imagery.ts'
import type { SourceClient } from './source-client.ts'
import type { EarthEngineSource, Source } from './sources/source.ts'
import type { TileImagery } from './web/tiles.ts'

/** Finds images of sources of every kind, and their pixels. */
export type Imagery = Required<SourceClient<Source>>

/** The clients behind the sources; each is opened when the first source of its kind is used. */
export interface ImageryClients {
  earthEngine(): Promise<EarthEngine>
  /** The client that lists images; default: the one that provides pixels. */
  catalogue?(): Promise<EarthEngine>
  cog(): Promise<CogImagery>
  tiles(): Promise<TileImagery>
  oam(): Promise<OamImagery>
}

export interface ImageryOptions extends Pick<Config['imagery'], 'maxCloud'> {
  /** The origin of Earth Engine's pixels in a box. */
  readonly earthEngineOrigin: (box: Box) => string | Promise<string>
}

export function createImagery(clients: ImageryClients, options: ImageryOptions): Imagery {
  const inEarthEngine = earthEngineImages(clients, options)
  const kinds: { readonly [K in Source['kind']]: () => Promise<SourceClient<Extract<Source, { kind: K }>>> } = {
    'earth-engine': async () => inEarthEngine,
    cog: clients.cog,
    tiles: clients.tiles,
    oam: clients.oam,
  }
  const of = (source: Source) => kinds[source.kind]() as Promise<SourceClient<Source>>
  return {
    find: async (source, ...rest) => (await of(source)).find(source, ...rest),
    origin: async (source, ...rest) => (await of(source)).origin(source, ...rest),
    pixels: async (source, ...rest) => (await of(source)).pixels(source, ...rest),
    dateOf: async (source, ...rest) => (await of(source)).dateOf?.(source, ...rest) ?? null,
    isOf: async (source, ...rest) => (await of(source)).isOf?.(source, ...rest) ?? true,
    isReplaced: async (source, ...rest) => (await of(source)).isReplaced?.(source, ...rest) ?? false,
    forget: async (source, ...rest) => (await of(source)).forget?.(source, ...rest),
  }
}

function earthEngineImages(
  { earthEngine, catalogue = earthEngine }: ImageryClients,
  { maxCloud, earthEngineOrigin }: ImageryOptions,
): SourceClient<EarthEngineSource> {
  return {
    find: async (source, box, signal) => findCandidates(await catalogue(), source, box, { maxCloud }, signal),
    origin: async (_source, _imageId, box) => earthEngineOrigin(box),
    pixels: async (source, imageId, grid, signal) =>
      (await earthEngine()).pixels(pixelsOf(source, imageId), grid, signal),
  }
}
