import type { CatalogueEntry } from './entry.ts'

export const plgugik: CatalogueEntry = {
  kind: 'xyz',
  alias: 'PLGUGIK',
  title: 'Latest orthophotos of Poland, standard resolution',
  url: 'https://mapy.geoportal.gov.pl/wss/service/PZGIK/ORTO/WMTS/StandardResolution?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=ORTOFOTOMAPA&STYLE=default&FORMAT=image/jpeg&tileMatrixSet=EPSG:3857&tileMatrix=EPSG:3857:{z}&tileRow={y}&tileCol={x}',
  zoom: [0, 18],
  extent: [14.11, 48.99, 24.17, 54.9],
  years: null,
  licence: 'terms of GUGiK (Poland): free for any use',
  credit: 'Główny Urząd Geodezji i Kartografii',
  terms: 'https://wiki.openstreetmap.org/wiki/Geoportal.gov.pl',
  confirmed: 'never',
}
