import type { CatalogueEntry } from './entry.ts'

export const dehh: CatalogueEntry = {
  kind: 'wms',
  alias: 'DEHH',
  title: 'Hamburg DOP20',
  url: 'https://geodienste.hamburg.de/HH_WMS_DOP',
  layers: 'DOP',
  crs: 'EPSG:25832',
  gsd: 0.2,
  extent: [8.48, 53.4, 10.33, 53.94],
  years: 2022,
  licence: 'dl-de/by-2-0',
  credit: 'Freie und Hansestadt Hamburg, Landesbetrieb Geoinformation und Vermessung',
  terms: 'https://metaver.de/trefferanzeige?cmd=doShowDocument&docuuid=B2013F67-EB8A-4629-8E6D-55A5F74CE129',
  confirmed: 'never',
}
