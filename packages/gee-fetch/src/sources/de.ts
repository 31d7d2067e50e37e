import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/Germany_Brandenburg_orthos_20cm
 * Catalogued as a collection, but its examples load it as one image, so the asset's type is looked up.
 */
export const de: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'DE',
  title: 'Brandenburg orthophotos 20 cm',
  collection: 'Germany/Brandenburg/orthos/20cm',
  oldIds: [],
  gsd: 0.2,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [11, 51.28, 15, 53.7],
  years: [2021, 2023],
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'year',
  mayBeImage: true,
  licence: 'dl-de/by-2-0; changes must be marked',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/Germany_Brandenburg_orthos_20cm',
  confirmed: 'never',
  credit: () => '© GeoBasis-DE/LGB, dl-de/by-2-0, cut out and recompressed',
}
