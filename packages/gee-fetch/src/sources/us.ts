import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/USDA_NAIP_DOQQ
 * Before about 2018 the true resolution is 1 m, in places 2 m. Some old images have near infrared instead of a colour; requests for those fail.
 */
export const us: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'US',
  title: 'NAIP aerial imagery of the United States',
  collection: 'USDA/NAIP/DOQQ',
  oldIds: [],
  gsd: 0.6,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [-124.84, 24.42, -64.82, 49.72],
  years: [2002, null],
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'day',
  mayBeImage: false,
  licence: 'public domain',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/USDA_NAIP_DOQQ',
  confirmed: 'never',
  credit: () => 'USDA Farm Production and Conservation - Business Center, Geospatial Enterprise Operations',
}
