import type { CatalogueEntry } from './entry.ts'

/** The list does not say the resolution; Geobasis NRW publishes its orthophotos with 0.1 m. */
export const denw: CatalogueEntry = {
  kind: 'wms',
  alias: 'DENW',
  title: 'North Rhine-Westphalia orthophotos',
  url: 'https://www.wms.nrw.de/geobasis/wms_nw_dop',
  layers: 'nw_dop_rgb',
  crs: 'EPSG:25832',
  gsd: 0.1,
  extent: [5.84, 50.24, 9.52, 52.56],
  years: null,
  licence: 'dl-de/zero-2-0',
  credit: 'Geobasis NRW',
  terms: 'https://www.bezreg-koeln.nrw.de/system/files/media/document/file/lizenzbedingungen_geobasis_nrw.pdf',
  confirmed: 'never',
}
