import { type CatalogueEntry, outlineOf } from './entry.ts'

/** The list does not say the resolution; Geobasis NRW publishes its orthophotos with 0.1 m. */
export const denw: CatalogueEntry = {
  kind: 'wms',
  alias: 'DENW',
  title: 'North Rhine-Westphalia orthophotos',
  url: 'https://www.wms.nrw.de/geobasis/wms_nw_dop',
  layers: 'nw_dop_rgb',
  crs: 'EPSG:25832',
  gsd: 0.1,
  extent: outlineOf(`
    5.7,50.95 5.9,50.65 6.05,50.4 6.35,50.2 6.9,50.25 7.4,50.5 7.75,50.7 8,50.6 8.3,50.65 8.65,50.85
    8.8,51.1 9.05,51.3 9.4,51.45 9.65,51.65 9.6,51.9 9.4,52.1 9.3,52.5 8.7,52.68 8.2,52.55 7.5,52.55
    6.85,52.35 6.6,52.2 6.4,52 5.8,51.95 5.8,51.7 5.95,51.3 5.7,51.15
  `),
  years: null,
  licence: 'dl-de/zero-2-0',
  credit: 'Geobasis NRW',
  terms: 'https://www.bezreg-koeln.nrw.de/system/files/media/document/file/lizenzbedingungen_geobasis_nrw.pdf',
  confirmed: 'never',
}
