import { type CatalogueEntry, outlineOf } from './entry.ts'

export const dehe: CatalogueEntry = {
  kind: 'wms',
  alias: 'DEHE',
  title: 'Hesse DOP20',
  url: 'https://www.gds-srv.hessen.de/cgi-bin/lika-services/ogc-free-images.ows',
  layers: 'he_dop20_rgb',
  crs: 'EPSG:25832',
  gsd: 0.2,
  extent: outlineOf(`
    7.6,49.95 7.6,50.2 7.85,50.35 7.85,50.65 8,50.85 8.35,51.05 8.4,51.4 8.85,51.65 9.3,51.8 9.7,51.7
    9.8,51.5 10.05,51.45 10.35,51.25 10.35,50.9 10.1,50.75 10.2,50.45 10,50.3 9.8,50.15 9.3,50 9.2,49.85
    9.3,49.4 8.9,49.25 8.4,49.4 8.2,49.65 8.1,49.85
  `),
  years: [2019, 2020],
  licence: 'dl-de/zero-2-0',
  credit: 'Hessische Verwaltung für Bodenmanagement und Geoinformation',
  terms: 'https://www.rv.hessenrecht.hessen.de/bshe/document/jlr-VermGeoInfGHEV6P18',
  confirmed: 'never',
}
