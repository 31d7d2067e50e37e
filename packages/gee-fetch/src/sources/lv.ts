import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/Latvia_Maamet_orthos_rgb
 * Map sheets of 5 km. The catalogue does not say how precise the times of images are; only the year counts as known.
 */
export const lv: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'LV',
  title: 'Latvia orthophotos 20 cm',
  collection: 'Latvia/Maamet/orthos/rgb',
  oldIds: [],
  gsd: 0.2,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [20.5, 55.5, 28.6, 58.5],
  years: [2007, 2018],
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'year',
  mayBeImage: false,
  licence: 'CC BY 4.0',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/Latvia_Maamet_orthos_rgb',
  confirmed: 'never',
  credit: (year) => `Latvian Geospatial Information Agency${year === null ? '' : ` ${year}`}`,
}
