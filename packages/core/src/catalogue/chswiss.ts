import type { CatalogueEntry } from './entry.ts'

/** 0.25 m in the Alps. SI has the same pictures as files, with their years. */
export const chswiss: CatalogueEntry = {
  kind: 'wms',
  alias: 'CHSWISS',
  title: 'SWISSIMAGE of swisstopo, maps',
  url: 'https://wms.geo.admin.ch',
  layers: 'ch.swisstopo.swissimage',
  crs: 'EPSG:2056',
  gsd: 0.1,
  extent: [5.95, 45.81, 10.5, 47.81],
  years: [2017, 2020],
  licence: 'swisstopo open government data, source must be named',
  credit: '© swisstopo',
  terms: 'https://www.swisstopo.admin.ch/en/swisstopo/free-geodata.html',
  confirmed: 'never',
}
