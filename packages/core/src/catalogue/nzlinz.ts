import { boxes, type CatalogueEntry } from './entry.ts'

/** Towns are flown finer than the country, for which level 18 (0.45 m) is meant. Needs a key. */
export const nzlinz: CatalogueEntry = {
  kind: 'xyz',
  alias: 'NZLINZ',
  title: 'Aerial imagery of New Zealand',
  url: 'https://basemaps.linz.govt.nz/v1/tiles/aerial/WebMercatorQuad/{z}/{x}/{y}.webp?api={key}',
  zoom: [0, 18],
  extent: boxes([166.3, -47.4, 178.8, -34.2], [-177, -44.5, -175.8, -43.5]),
  years: null,
  licence: 'CC BY 4.0',
  credit: 'Sourced from LINZ',
  terms: 'https://wiki.openstreetmap.org/wiki/Contributors#New_Zealand',
  confirmed: 'never',
}
