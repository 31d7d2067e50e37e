import type { CogSource } from '../cog/cog-source.ts'

/** https://registry.opendata.aws/sentinel-2-l2a-cogs and https://earth-search.aws.element84.com/v1: Level-2A scenes; `visual` is the 8-bit true-colour image. */
export const e2: CogSource = {
  kind: 'cog',
  alias: 'E2',
  title: 'Sentinel-2 Level-2A of Earth Search',
  collection: 'sentinel-2-l2a',
  gsd: 10,
  stac: 'https://earth-search.aws.element84.com/v1',
  files: [],
  assets: ['visual'],
  bands: [1, 2, 3],
  range: [0, 255],
  extent: [-180, -56, 180, 83],
  years: [2015, null],
  mosaic: 'item',
  cloudProperty: 'eo:cloud_cover',
  cloudMask: { asset: 'scl', values: [8, 9, 10] },
  cloudBrightness: null,
  timePrecision: 'minute',
  licence: 'Copernicus Sentinel data terms: free, full and open',
  terms: 'https://registry.opendata.aws/sentinel-2-l2a-cogs',
  confirmed: 'never',
  credit: (year) => `Contains modified Copernicus Sentinel data${year === null ? '' : ` ${year}`}`,
}
