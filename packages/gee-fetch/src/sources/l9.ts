import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/LANDSAT_LC09_C02_T1_TOA
 * CLOUD_COVER is -1 if it was not measured.
 */
export const l9: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'L9',
  title: 'Landsat 9 top-of-atmosphere reflectance',
  collection: 'LANDSAT/LC09/C02/T1_TOA',
  oldIds: [],
  gsd: 30,
  bands: ['B4', 'B3', 'B2'],
  range: [0, 0.4],
  extent: [-180, -82, 180, 82],
  years: [2021, null],
  cloudProperty: 'CLOUD_COVER',
  cloudMask: { band: 'QA_PIXEL', bits: [2, 3] },
  cloudBrightness: null,
  timePrecision: 'minute',
  mayBeImage: false,
  licence: 'public domain',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/LANDSAT_LC09_C02_T1_TOA',
  confirmed: 'never',
  credit: () => 'Landsat 9 image courtesy of the U.S. Geological Survey',
}
