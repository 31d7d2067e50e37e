import type { CatalogueEntry } from './entry.ts'

export const dest: CatalogueEntry = {
  kind: 'wms',
  alias: 'DEST',
  title: 'Saxony-Anhalt DOP20',
  url: 'https://www.geodatenportal.sachsen-anhalt.de/wss/service/ST_LVermGeo_DOP_WMS_OpenData/guest',
  layers: 'lsa_lvermgeo_dop20_2',
  crs: 'EPSG:25832',
  gsd: 0.2,
  extent: [10.56, 50.93, 13.15, 53.04],
  years: null,
  licence: 'dl-de/by-2-0',
  credit: '© GeoBasis-DE/LVermGeo LSA',
  terms: 'https://wiki.openstreetmap.org/wiki/DE:Permissions/Geobasisdaten_Sachsen-Anhalt',
  confirmed: 'never',
}
