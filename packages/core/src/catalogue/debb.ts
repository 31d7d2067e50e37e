import { type CatalogueEntry, outlineOf } from './entry.ts'

export const debb: CatalogueEntry = {
  kind: 'wms',
  alias: 'DEBB',
  title: 'Brandenburg and Berlin DOP20',
  url: 'https://isk.geobasis-bb.de/mapproxy/dop20c/service/wms',
  layers: 'bebb_dop20c',
  crs: 'EPSG:25833',
  gsd: 0.2,
  extent: outlineOf(`
    11.1,53.2 11.3,52.95 11.9,52.8 12.1,52.65 12.05,52.2 12.15,52.1 12.3,51.95 12.8,51.85 12.95,51.7
    13.05,51.35 13.5,51.3 13.8,51.22 14.05,51.35 14.5,51.4 14.9,51.6 14.95,52.1 14.9,52.6 14.6,52.8
    14.6,53.35 14.2,53.6 13.7,53.7 13.2,53.45 12.9,53.3 12.1,53.5 11.6,53.4
  `),
  years: [2020, 2023],
  licence: 'dl-de/by-2-0',
  credit: 'GeoBasis-DE/LGB; Geoportal Berlin, DOP20',
  terms: 'https://wiki.openstreetmap.org/wiki/Brandenburg/Geoportal#Rechtliche_Grundlagen',
  confirmed: 'never',
}
