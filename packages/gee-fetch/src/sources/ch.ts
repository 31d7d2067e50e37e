import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/Switzerland_SWISSIMAGE_orthos_10cm
 * One mosaic of the whole country per year; places not flown in that year are masked.
 */
export const ch: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'CH',
  title: 'SWISSIMAGE 10 cm orthophotos of Switzerland',
  collection: 'Switzerland/SWISSIMAGE/orthos/10cm',
  oldIds: ['ORTHO/Switzerland/SWISSIMAGE/10cm'],
  gsd: 0.1,
  bands: ['R', 'G', 'B'],
  range: [11, 190],
  extent: [5.9, 45.8, 10.6, 47.8],
  years: [2017, 2021],
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: null,
  timePrecision: 'year',
  mayBeImage: false,
  licence: 'swisstopo open government data, source must be named',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/Switzerland_SWISSIMAGE_orthos_10cm',
  confirmed: 'never',
  credit: () => '© swisstopo',
}
