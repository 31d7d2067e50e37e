import type { CatalogueEntry } from './entry.ts'

export const dehe: CatalogueEntry = {
  kind: 'wms',
  alias: 'DEHE',
  title: 'Hesse DOP20',
  url: 'https://www.gds-srv.hessen.de/cgi-bin/lika-services/ogc-free-images.ows',
  layers: 'he_dop20_rgb',
  crs: 'EPSG:25832',
  gsd: 0.2,
  extent: [7.77, 49.39, 10.25, 51.66],
  years: [2019, 2020],
  licence: 'dl-de/zero-2-0',
  credit: 'Hessische Verwaltung für Bodenmanagement und Geoinformation',
  terms: 'https://www.rv.hessenrecht.hessen.de/bshe/document/jlr-VermGeoInfGHEV6P18',
  confirmed: 'never',
}
