import type { CatalogueEntry } from './entry.ts'

/** The list does not say the resolution; ČÚZK publishes its orthophotos with 0.2 m and finer. */
export const czcuzk: CatalogueEntry = {
  kind: 'wms',
  alias: 'CZCUZK',
  title: 'Orthophotos of Czechia',
  url: 'https://geoportal.cuzk.cz/WMS_ORTOFOTO_PUB/service.svc/get',
  layers: 'GR_ORTFOTORGB',
  crs: 'EPSG:5514',
  gsd: 0.2,
  extent: [12.1, 48.56, 18.88, 51.07],
  years: null,
  licence: 'CC BY 4.0',
  credit: 'ČÚZK',
  terms: 'https://wiki.openstreetmap.org/wiki/Cs:%C4%8Cesko/freemap#%C4%8C%C3%9AZK',
  confirmed: 'never',
}
