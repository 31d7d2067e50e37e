import type { CatalogueEntry } from './entry.ts'

export const desn: CatalogueEntry = {
  kind: 'wms',
  alias: 'DESN',
  title: 'Saxony DOP20',
  url: 'https://geodienste.sachsen.de/wms_geosn_dop-rgb/guest',
  layers: 'sn_dop_020',
  crs: 'EPSG:25833',
  gsd: 0.2,
  extent: [11.86, 50.16, 15.06, 51.69],
  years: null,
  licence: 'dl-de/by-2-0',
  credit: 'Landesamt für Geobasisinformation Sachsen (GeoSN)',
  terms: 'https://wiki.openstreetmap.org/wiki/GeoSN_Open_Data',
  confirmed: 'never',
}
