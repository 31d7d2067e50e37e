import type { CatalogueEntry } from './entry.ts'

export const bevla: CatalogueEntry = {
  kind: 'xyz',
  alias: 'BEVLA',
  title: 'Latest winter orthophotos of Flanders',
  url: 'https://geo.api.vlaanderen.be/OMWRGBMRVL/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=omwrgbmrvl&STYLE=&FORMAT=image/png&tileMatrixSet=GoogleMapsVL&tileMatrix={z}&tileRow={y}&tileCol={x}',
  zoom: [0, 18],
  extent: [2.53, 50.68, 5.92, 51.51],
  years: null,
  licence: 'Flanders model licence for free reuse',
  credit: '© Digitaal Vlaanderen',
  terms: 'https://download.vlaanderen.be/Producten/Detail?id=1545',
  confirmed: 'never',
}
