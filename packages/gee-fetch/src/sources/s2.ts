import type { EarthEngineSource } from './source.ts'

/** https://developers.google.com/earth-engine/datasets/catalog/COPERNICUS_S2_SR_HARMONIZED */
export const s2: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'S2',
  title: 'Sentinel-2 surface reflectance, harmonised',
  collection: 'COPERNICUS/S2_SR_HARMONIZED',
  oldIds: ['COPERNICUS/S2_SR'],
  gsd: 10,
  bands: ['B4', 'B3', 'B2'],
  range: [0, 3000],
  extent: [-180, -56, 180, 83],
  years: [2017, null],
  cloudProperty: 'CLOUDY_PIXEL_PERCENTAGE',
  cloudMask: { band: 'SCL', values: [8, 9, 10] },
  cloudBrightness: null,
  timePrecision: 'minute',
  mayBeImage: false,
  licence: 'Copernicus Sentinel data terms: free, full and open',
  terms: 'https://developers.google.com/earth-engine/datasets/catalog/COPERNICUS_S2_SR_HARMONIZED',
  confirmed: 'never',
  credit: (year) => `Contains modified Copernicus Sentinel data${year === null ? '' : ` ${year}`}`,
}
