import type { EarthEngineSource } from './source.ts'

/** https://developers.google.com/earth-engine/datasets/catalog/Spain_PNOA_PNOA10 */
export const es: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'ES',
  title: 'PNOA orthophotos of Spain',
  collection: 'Spain/PNOA/PNOA10',
  oldIds: [],
  gsd: 0.1,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [-9.32, 36.11, 4.7, 43.48],
  since: '2007-01-01',
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'day',
  mayBeImage: false,
  licence: 'CC BY 4.0',
  credit: (year) => `PNOA${year === null ? '' : ` ${year}`}, Instituto Geográfico Nacional (Spain)`,
}
