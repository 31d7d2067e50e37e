import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/Netherlands_Beeldmateriaal_LUCHTFOTO_RGB
 * Yearly flights; 8 cm is what the catalogue gives for those in spring. Its example, 2021_165000_433000_RGB_hrl, names an
 * image by year and place: only the year is taken as known. Sheets seem to be of one kilometre, and an object on the edge
 * of two gets no image of this source.
 */
export const nl: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'NL',
  title: 'Netherlands orthophotos 8 cm',
  collection: 'Netherlands/Beeldmateriaal/LUCHTFOTO_RGB',
  oldIds: [],
  gsd: 0.08,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [3.2, 50.75, 7.22, 53.7],
  years: [2021, 2022],
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'year',
  mayBeImage: false,
  licence: 'CC BY 4.0',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/Netherlands_Beeldmateriaal_LUCHTFOTO_RGB',
  confirmed: 'never',
  credit: (year) => `Beeldmateriaal Nederland${year === null ? '' : ` ${year}`}, opendata.beeldmateriaal.nl`,
}
