import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/Estonia_Maamet_orthos_rgb_low_flying
 * Densely populated areas only. The catalogue gives 0.4 m, as for EE, though it says that such areas are flown at 10 to 16 cm.
 * Terms as for EE.
 */
export const el: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'EL',
  title: 'Estonia orthophotos from low flights',
  collection: 'Estonia/Maamet/orthos/rgb_low_flying',
  oldIds: [],
  gsd: 0.4,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [21.5, 57.3, 28.1, 59.5],
  years: [1993, 2021],
  scattered: true,
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'year',
  mayBeImage: false,
  licence: 'open data licence of the Estonian Land Board: free use, licensor, title and age of the data must be named',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/Estonia_Maamet_orthos_rgb_low_flying',
  confirmed: 'never',
  credit: (year) => `Map data: Estonian Land Board, low-flying orthophotos${year === null ? '' : ` ${year}`}`,
}
