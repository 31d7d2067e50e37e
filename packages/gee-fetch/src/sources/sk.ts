import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/Slovakia_orthos_25cm
 * One mosaic of the country, flown from west to east over three years; images are named by year and place.
 * The terms are those of the authors, not a Creative Commons licence.
 */
export const sk: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'SK',
  title: 'Slovakia orthophotos 25 cm',
  collection: 'Slovakia/orthos/25cm',
  oldIds: [],
  gsd: 0.25,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [16.5, 47.44, 22.33, 49.36],
  years: [2017, 2020],
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'year',
  mayBeImage: false,
  licence: 'terms of GKU Bratislava and NLC (Slovakia): free use, authors must be named',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/Slovakia_orthos_25cm',
  confirmed: 'never',
  credit: () => 'GKU Bratislava, NLC',
}
