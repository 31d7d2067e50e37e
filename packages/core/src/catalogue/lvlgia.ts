import type { CatalogueEntry } from './entry.ts'

/** Scale 1:5000, which LĢIA publishes with 0.25 m. */
export const lvlgia: CatalogueEntry = {
  kind: 'wms',
  alias: 'LVLGIA',
  title: 'Orthophotos of Latvia 2016-2018',
  url: 'https://lvmgeoserver.lvm.lv/geoserver/ows',
  layers: 'public:Orto_LKS',
  crs: 'EPSG:3059',
  gsd: 0.25,
  extent: [20.99, 55.67, 28.27, 58.1],
  years: [2016, 2018],
  licence: 'CC BY 4.0',
  credit: 'LĢIA; service of Latvijas valsts meži',
  terms: 'https://www.lgia.gov.lv/en/color-orthophoto-map-2016-2018-cycle-6',
  confirmed: 'never',
}
