import type { CatalogueEntry } from './entry.ts'

/** Pixels of 8 cm: level 20 is 0.09 m, level 21 would be 0.05 m. */
export const nlpdok: CatalogueEntry = {
  kind: 'xyz',
  alias: 'NLPDOK',
  title: 'Latest orthophotos of the Netherlands 8 cm',
  url: 'https://service.pdok.nl/hwh/luchtfotorgb/wmts/v1_0?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=Actueel_orthoHR&STYLE=&FORMAT=image/jpeg&tileMatrixSet=OGC:1.0:GoogleMapsCompatible&tileMatrix={z}&tileRow={y}&tileCol={x}',
  zoom: [0, 20],
  extent: [3.33, 50.73, 7.28, 53.58],
  years: null,
  licence: 'CC BY 4.0',
  credit: 'Kadaster / Beeldmateriaal.nl',
  terms: 'https://forum.openstreetmap.org/viewtopic.php?pid=630995#p630995',
  confirmed: 'never',
}
