import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/LANDSAT_LC08_C02_T1_TOA
 * CLOUD_COVER is -1 if it was not measured.
 */
export const l8: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'L8',
  title: 'Landsat 8 top-of-atmosphere reflectance',
  collection: 'LANDSAT/LC08/C02/T1_TOA',
  oldIds: ['LANDSAT/LC08/C01/T1_TOA'],
  gsd: 30,
  bands: ['B4', 'B3', 'B2'],
  range: [0, 0.4],
  extent: [-180, -82, 180, 82],
  years: [2013, null],
  cloudProperty: 'CLOUD_COVER',
  cloudMask: { band: 'QA_PIXEL', bits: [2, 3] },
  cloudBrightness: null,
  timePrecision: 'minute',
  mayBeImage: false,
  licence: 'public domain',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/LANDSAT_LC08_C02_T1_TOA',
  confirmed: 'never',
  credit: () => 'Landsat 8 image courtesy of the U.S. Geological Survey',
}
