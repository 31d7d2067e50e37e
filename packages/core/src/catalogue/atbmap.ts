import { type CatalogueEntry, outlineOf } from './entry.ts'

/** The layer's name says 30 cm: level 18 is 0.4 m, level 19 would be 0.2 m. */
export const atbmap: CatalogueEntry = {
  kind: 'xyz',
  alias: 'ATBMAP',
  title: 'basemap.at orthophotos of Austria',
  url: 'https://mapsneu.wien.gv.at/basemap/bmaporthofoto30cm/normal/google3857/{z}/{y}/{x}.jpeg',
  zoom: [0, 18],
  extent: outlineOf(`
    9.4,47.65 10.6,47.7 11.3,47.75 12,47.85 12.7,47.95 12.65,48.2 13.3,48.7 13.9,48.95 14.7,48.8
    14.8,49.15 15.3,49.15 16.1,48.95 16.6,48.9 17.1,48.75 17.3,48 17.2,47.55 16.6,47.1 16.3,46.7
    15.9,46.5 15,46.5 14.7,46.25 13.6,46.35 12.2,46.6 11.9,46.85 11.2,46.7 10.3,46.7 9.7,46.8 9.4,47
  `),
  years: null,
  licence: 'CC BY 4.0',
  credit: 'basemap.at',
  terms: 'https://wiki.openstreetmap.org/w/images/1/1d/Permission_to_Incorporate_basemap.at_Into_OpenStreetMap_.pdf',
  confirmed: 'never',
}
