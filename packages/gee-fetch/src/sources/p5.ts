import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/SKYSAT_GEN-A_PUBLIC_ORTHO_MULTISPECTRAL
 * The catalogue gives the display range for near infrared, green and blue; it fits red as well.
 */
export const p5: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'P5',
  title: 'SkySat public orthorectified multispectral',
  collection: 'SKYSAT/GEN-A/PUBLIC/ORTHO/MULTISPECTRAL',
  oldIds: [],
  gsd: 2,
  bands: ['R', 'G', 'B'],
  range: [200, 6000],
  extent: [-180, -70, 180, 53],
  years: [2014, 2016],
  scattered: true,
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 235,
  timePrecision: 'minute',
  mayBeImage: false,
  licence: 'CC BY 4.0',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/SKYSAT_GEN-A_PUBLIC_ORTHO_MULTISPECTRAL',
  confirmed: 'never',
  credit: () => 'Planet Labs Inc.',
}
