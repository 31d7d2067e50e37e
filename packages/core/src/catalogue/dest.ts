import { type CatalogueEntry, outlineOf } from './entry.ts'

export const dest: CatalogueEntry = {
  kind: 'wms',
  alias: 'DEST',
  title: 'Saxony-Anhalt DOP20',
  url: 'https://www.geodatenportal.sachsen-anhalt.de/wss/service/ST_LVermGeo_DOP_WMS_OpenData/guest',
  layers: 'lsa_lvermgeo_dop20_2',
  crs: 'EPSG:25832',
  gsd: 0.2,
  extent: outlineOf(`
    10.4,52.1 10.4,51.75 10.7,51.5 10.9,51.3 11.2,51.25 11.4,51.05 11.8,50.95 12.1,50.85 12.4,50.95
    12.4,51.45 12.8,51.55 13.1,51.6 13.3,51.7 13.3,52 12.9,52.1 12.6,52.15 12.4,52.2 12.4,52.95
    12.2,53.05 11.7,53.15 11.1,53 10.75,52.9 10.7,52.5 10.75,52.2
  `),
  years: null,
  licence: 'dl-de/by-2-0',
  credit: '© GeoBasis-DE/LVermGeo LSA',
  terms: 'https://wiki.openstreetmap.org/wiki/DE:Permissions/Geobasisdaten_Sachsen-Anhalt',
  confirmed: 'never',
}
