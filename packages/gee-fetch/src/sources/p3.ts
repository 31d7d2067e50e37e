import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/SKYSAT_GEN-A_PUBLIC_ORTHO_RGB
 * Scattered scenes from 2014 to 2016.
 */
export const p3: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'P3',
  title: 'SkySat public orthorectified RGB',
  collection: 'SKYSAT/GEN-A/PUBLIC/ORTHO/RGB',
  oldIds: [],
  gsd: 0.8,
  bands: ['R', 'G', 'B'],
  range: [11, 190],
  extent: [-180, -70, 180, 53],
  years: [2014, 2016],
  scattered: true,
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 235,
  timePrecision: 'minute',
  mayBeImage: false,
  licence: 'CC BY 4.0',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/SKYSAT_GEN-A_PUBLIC_ORTHO_RGB',
  confirmed: 'never',
  credit: () => 'Planet Labs Inc.',
}
