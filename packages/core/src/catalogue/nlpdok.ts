import { type CatalogueEntry, outlineOf } from './entry.ts'

/** Pixels of 8 cm: level 20 is 0.09 m, level 21 would be 0.05 m. */
export const nlpdok: CatalogueEntry = {
  kind: 'xyz',
  alias: 'NLPDOK',
  title: 'Latest orthophotos of the Netherlands 8 cm',
  url: 'https://service.pdok.nl/hwh/luchtfotorgb/wmts/v1_0?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=Actueel_orthoHR&STYLE=&FORMAT=image/jpeg&tileMatrixSet=OGC:1.0:GoogleMapsCompatible&tileMatrix={z}&tileRow={y}&tileCol={x}',
  zoom: [0, 20],
  extent: outlineOf(`
    3.2,51.2 3.6,51.1 4.2,51.15 4.35,51.25 4.7,51.3 5.1,51.15 5.5,51.1 5.55,50.95 5.5,50.7 5.75,50.65
    6.15,50.65 6.2,50.95 6.35,51.2 6.35,51.75 6.9,51.8 7.2,52.15 7.2,52.65 7.35,52.9 7.4,53.7 4.5,53.7
    3.2,52
  `),
  years: null,
  licence: 'CC BY 4.0',
  credit: 'Kadaster / Beeldmateriaal.nl',
  terms: 'https://forum.openstreetmap.org/viewtopic.php?pid=630995#p630995',
  confirmed: 'never',
}
