import type { CatalogueEntry } from './entry.ts'

export const debb: CatalogueEntry = {
  kind: 'wms',
  alias: 'DEBB',
  title: 'Brandenburg and Berlin DOP20',
  url: 'https://isk.geobasis-bb.de/mapproxy/dop20c/service/wms',
  layers: 'bebb_dop20c',
  crs: 'EPSG:25833',
  gsd: 0.2,
  extent: [11.26, 51.35, 14.8, 53.57],
  years: [2020, 2023],
  licence: 'dl-de/by-2-0',
  credit: 'GeoBasis-DE/LGB; Geoportal Berlin, DOP20',
  terms: 'https://wiki.openstreetmap.org/wiki/Brandenburg/Geoportal#Rechtliche_Grundlag',
  confirmed: 'never',
}
