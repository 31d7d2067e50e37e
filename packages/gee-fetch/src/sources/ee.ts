import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/Estonia_Maamet_orthos_rgb
 * Map sheets of the whole country, named by sheet and year. The terms are the licensor's own: the credit needs title and age of the data.
 */
export const ee: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'EE',
  title: 'Estonia orthophotos 40 cm',
  collection: 'Estonia/Maamet/orthos/rgb',
  oldIds: [],
  gsd: 0.4,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [21.5, 57.3, 28.1, 59.5],
  years: [1993, 2021],
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'year',
  mayBeImage: false,
  licence: 'open data licence of the Estonian Land Board: free use, licensor, title and age of the data must be named',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/Estonia_Maamet_orthos_rgb',
  confirmed: 'never',
  credit: (year) => `Map data: Estonian Land Board, orthophotos${year === null ? '' : ` ${year}`}`,
}
