import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/projects_neon-prod-earthengine_assets_RGB_001
 * Mosaics of field sites in the United States, with Alaska, Hawaii and Puerto Rico, one for each visit. A visit lasts several days;
 * the catalogue states its year.
 */
export const ne: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'NE',
  title: 'NEON camera imagery of field sites in the United States',
  collection: 'projects/neon-prod-earthengine/assets/RGB/001',
  oldIds: [],
  gsd: 0.1,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [-170, 16, -66, 73],
  years: [2013, null],
  scattered: true,
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'year',
  mayBeImage: false,
  licence: 'CC0 1.0',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/projects_neon-prod-earthengine_assets_RGB_001',
  confirmed: 'never',
  credit: (year) => `National Ecological Observatory Network (NEON), DP3.30010.001${year === null ? '' : `, ${year}`}`,
}
