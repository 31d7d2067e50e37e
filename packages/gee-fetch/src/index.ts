/**
 * Turns focus objects into images: which imagery sources suit an object, which image of them, and which box on which
 * pixel grid; then fetches one JPEG per object.
 *
 * @example
 * import { createCogImagery, createEarthEngine, createImagery, SOURCES } from '@skyscript/gee-fetch'
 * const ee = createEarthEngine({ endpoint: 'http://127.0.0.1:8080', project: null, credentials: null, maxConcurrent: 40 })
 * await ee.check()
 * const cog = createCogImagery({ maxConcurrent: 8, maxCloud: 20 })
 * const clients = { earthEngine: async () => ee, cog: async () => cog }
 * const imagery = createImagery(clients, { maxCloud: 20, earthEngineOrigin: () => 'earthengine.googleapis.com' })
 * const images = await imagery.find(SOURCES.US, [-73.9, 40.7, -73.8, 40.8])
 */
export { hasAmbientCredentials, takesAmbientCredentials } from './auth.ts'
export type { SourceImage } from './candidates.ts'
export { checkSource } from './check-source.ts'
export { createEarthEngine, type EarthEngine, type EarthEngineOptions, type EarthEngineStats } from './client.ts'
export { type CogImagery, type CogImageryOptions, createCogImagery } from './cog/cog-imagery.ts'
export type { CogSource } from './cog/cog-source.ts'
export { coveredBy, mayCover } from './coverage.ts'
export { type EecuLedger, type EecuUse, sumOf } from './eecu.ts'
export {
  candidateToAsk,
  type EarlierImages,
  type FetchContext,
  type FetchOutcome,
  fetchImages,
  type ImageFinding,
  NO_EARLIER_IMAGES,
  requestFingerprint,
} from './fetch-images.ts'
export { groupRequests, type PixelRequest, pixelsIn } from './grouping.ts'
export { createImagery, type Imagery } from './imagery.ts'
export type { Layer, LayerCatalogue } from './layers/layer.ts'
export { type StatedLayer, sourceOfLayer } from './layers/layer-source.ts'
export { nearest } from './layers/nearest.ts'
export { readLayers } from './layers/read-layers.ts'
export {
  AFTER_REFUSAL,
  createLimiter,
  type Limiter,
  PLACES_PER_SECOND,
  RESTRICTED_MS,
  RESTRICTED_PLACES,
  WINDOW_MS,
} from './limiter.ts'
export { narrowed } from './oam/licence-name.ts'
export { createOamImagery, type OamImagery } from './oam/oam-imagery.ts'
export type { OamSource } from './oam/oam-source.ts'
export { createOutages, type Outages, type ServiceNotice } from './outages.ts'
export { type PlannedObject, type PlanTileInput, planTile } from './plan-tile.ts'
export { refusalOf } from './refusals.ts'
export { type RequestShare, requestShares } from './request-shares.ts'
export { sampleOf } from './sample.ts'
export { type EarthEngineSource, gsdOf, hostOfSource, PICTURES_VERSION, type Source } from './sources/source.ts'
export { licenceOf, SOURCES, sourcesOf } from './sources/sources.ts'
export { type ImagerySettings, suitableSources } from './suitable.ts'
export type { KnownDate } from './web/feature-date.ts'
export { type FileCache, type FileCacheOptions, openFileCache } from './web/file-cache.ts'
export { createHosts, type HostOptions } from './web/hosts.ts'
export { completeSources, hasUnknownGsd, needsService } from './web/services.ts'
export type { TileSource } from './web/tile-source.ts'
export { createTileImagery, type TileImagery } from './web/tiles.ts'
