import type { CatalogueEntry } from './entry.ts'

export const deth: CatalogueEntry = {
  kind: 'wms',
  alias: 'DETH',
  title: 'Thuringia DOP20',
  url: 'https://www.geoproxy.geoportal-th.de/geoproxy/services/DOP',
  layers: 'th_dop',
  crs: 'EPSG:25832',
  gsd: 0.2,
  extent: [9.88, 50.2, 12.65, 51.65],
  years: null,
  licence: 'dl-de/by-2-0',
  credit: '© Thüringer Landesamt für Bodenmanagement und Geoinformation',
  terms: 'https://wiki.openstreetmap.org/wiki/DE:Permissions/Luftbild_Th%C3%BCringen',
  confirmed: 'never',
}
