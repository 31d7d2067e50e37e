import { type CatalogueEntry, outlineOf } from './entry.ts'

export const deth: CatalogueEntry = {
  kind: 'wms',
  alias: 'DETH',
  title: 'Thuringia DOP20',
  url: 'https://www.geoproxy.geoportal-th.de/geoproxy/services/DOP',
  layers: 'th_dop',
  crs: 'EPSG:25832',
  gsd: 0.2,
  extent: outlineOf(`
    9.75,50.65 9.75,50.95 10,51.1 9.8,51.3 9.8,51.5 10.3,51.65 10.6,51.75 10.9,51.75 11.1,51.6 11.6,51.5
    11.65,51.2 11.9,51.15 12.1,51.05 12.4,51.2 12.75,51.1 12.75,50.85 12.5,50.75 12.4,50.5 12.1,50.4
    12,50.25 11.2,50.15 10.9,50.05 10.5,50.1 10.3,50.35 9.9,50.45
  `),
  years: null,
  licence: 'dl-de/by-2-0',
  credit: '© Thüringer Landesamt für Bodenmanagement und Geoinformation',
  terms: 'https://wiki.openstreetmap.org/wiki/DE:Permissions/Luftbild_Th%C3%BCringen',
  confirmed: 'never',
}
