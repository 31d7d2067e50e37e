import { type CatalogueEntry, outlineOf } from './entry.ts'

/** The list does not say the resolution; ČÚZK publishes its orthophotos with 0.2 m and finer. */
export const czcuzk: CatalogueEntry = {
  kind: 'wms',
  alias: 'CZCUZK',
  title: 'Orthophotos of Czechia',
  url: 'https://geoportal.cuzk.cz/WMS_ORTOFOTO_PUB/service.svc/get',
  layers: 'GR_ORTFOTORGB',
  crs: 'EPSG:5514',
  gsd: 0.2,
  extent: outlineOf(`
    11.95,50.4 12.6,50.6 12.95,50.65 13.4,50.8 13.9,50.9 14.1,51.2 14.6,51.2 15.2,51.15 15.2,50.95
    15.9,50.95 16.4,50.8 16.75,50.6 17.2,50.6 17.5,50.45 17.9,50.45 17.95,50.2 18.3,50.15 18.7,50.05
    19,49.7 19,49.4 18.5,49.2 18.3,48.95 17.9,48.85 17.5,48.65 17.15,48.4 16.5,48.55 15.9,48.6
    15.2,48.75 15.1,48.6 14.7,48.4 13.7,48.4 13.4,48.8 13,49 12.6,49.3 12.35,49.55 12.2,49.85 11.95,50
  `),
  years: null,
  licence: 'CC BY 4.0',
  credit: 'ČÚZK',
  terms: 'https://wiki.openstreetmap.org/wiki/Cs:%C4%8Cesko/freemap#%C4%8C%C3%9AZK',
  confirmed: 'never',
}
