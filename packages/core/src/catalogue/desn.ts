import { type CatalogueEntry, outlineOf } from './entry.ts'

export const desn: CatalogueEntry = {
  kind: 'wms',
  alias: 'DESN',
  title: 'Saxony DOP20',
  url: 'https://geodienste.sachsen.de/wms_geosn_dop-rgb/guest',
  layers: 'sn_dop_020',
  crs: 'EPSG:25833',
  gsd: 0.2,
  extent: outlineOf(`
    11.7,50.45 11.85,50.7 12.2,50.75 12.2,50.95 12.05,51.05 12.05,51.5 12.3,51.7 12.8,51.8 13.2,51.75
    13.35,51.55 13.9,51.55 14,51.62 14.6,51.72 15,51.6 15.2,51.35 15.2,50.85 15,50.7 14.3,50.75
    13.7,50.6 13.2,50.45 13,50.3 12.55,50.2 12.45,50.05 12.2,50.05 11.9,50.25
  `),
  years: null,
  licence: 'dl-de/by-2-0',
  credit: 'Landesamt für Geobasisinformation Sachsen (GeoSN)',
  terms: 'https://wiki.openstreetmap.org/wiki/GeoSN_Open_Data',
  confirmed: 'never',
}
