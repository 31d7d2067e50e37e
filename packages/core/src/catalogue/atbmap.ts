import type { CatalogueEntry } from './entry.ts'

/** The layer's name says 30 cm: level 18 is 0.4 m, level 19 would be 0.2 m. */
export const atbmap: CatalogueEntry = {
  kind: 'xyz',
  alias: 'ATBMAP',
  title: 'basemap.at orthophotos of Austria',
  url: 'https://mapsneu.wien.gv.at/basemap/bmaporthofoto30cm/normal/google3857/{z}/{y}/{x}.jpeg',
  zoom: [0, 18],
  extent: [9.54, 46.38, 17.17, 49.01],
  years: null,
  licence: 'CC BY 4.0',
  credit: 'basemap.at',
  terms: 'https://wiki.openstreetmap.org/w/images/1/1d/Permission_to_Incorporate_basemap.at_Into_OpenStreetMap_.pdf',
  confirmed: 'never',
}
