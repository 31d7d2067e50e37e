import type { CatalogueEntry } from './entry.ts'

/** Which version of CC BY is not known. */
export const arign: CatalogueEntry = {
  kind: 'xyz',
  alias: 'ARIGN',
  title: 'Orthophotos of Argentina, mosaic of flights',
  url: 'https://imagenes.ign.gob.ar/geoserver/gwc/service/tms/1.0.0/mosaicos_vuelos@EPSG%3A3857@png/{z}/{x}/{-y}.png',
  zoom: [0, 19],
  extent: [-73.61, -55.68, -53.59, -21.73],
  years: null,
  licence: 'CC BY (datos.gob.ar)',
  credit: 'Instituto Geográfico Nacional de la República Argentina',
  terms: 'https://datos.gob.ar/acerca/seccion/Marco%20legal',
  confirmed: 'never',
}
