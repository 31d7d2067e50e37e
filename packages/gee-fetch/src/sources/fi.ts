import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/Finland_SMK_V_50cm
 * One mosaic of the whole country per year, masked where nothing was flown.
 */
export const fi: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'FI',
  title: 'National Land Survey of Finland orthophotos 50 cm',
  collection: 'Finland/SMK/V/50cm',
  oldIds: [],
  gsd: 0.5,
  bands: ['R', 'G', 'B'],
  range: [11, 190],
  extent: [18, 59, 29.2, 69.4],
  years: [2015, 2023],
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: null,
  timePrecision: 'year',
  mayBeImage: false,
  licence: 'CC BY 4.0',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/Finland_SMK_V_50cm',
  confirmed: 'never',
  credit: (year) => `Contains data from the National Land Survey of Finland${year === null ? '' : `, ${year}`}`,
}
