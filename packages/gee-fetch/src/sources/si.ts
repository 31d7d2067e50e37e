import type { CogSource } from '../cog/cog-source.ts'

/** https://www.swisstopo.admin.ch/en/orthoimage-swissimage-10: one sheet per square kilometre; each region is flown about every three years. */
export const si: CogSource = {
  kind: 'cog',
  alias: 'SI',
  title: 'SWISSIMAGE 10 cm of swisstopo',
  collection: 'ch.swisstopo.swissimage-dop10',
  gsd: 0.1,
  stac: 'https://data.geo.admin.ch/api/stac/v1',
  files: [],
  assets: ['*_0.1_2056.tif'],
  bands: [1, 2, 3],
  range: [0, 255],
  extent: [5.9, 45.8, 10.6, 47.8],
  years: [2017, null],
  mosaic: 'year',
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: null,
  timePrecision: 'year',
  licence: 'swisstopo open government data, source must be named',
  terms: 'https://www.swisstopo.admin.ch/en/swisstopo/free-geodata.html',
  confirmed: 'never',
  credit: () => '© swisstopo',
}
