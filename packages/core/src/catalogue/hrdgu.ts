import type { CatalogueEntry } from './entry.ts'

/** The list's last level, 19, is 0.2 m there. */
export const hrdgu: CatalogueEntry = {
  kind: 'wms',
  alias: 'HRDGU',
  title: 'Orthophotos of Croatia 2021-2022',
  url: 'https://geoportal.dgu.hr/services/inspire/orthophoto_2021_2022/ows',
  layers: 'OI.OrthoimageCoverage',
  crs: 'EPSG:3765',
  gsd: 0.25,
  extent: [13.48, 42.36, 19.46, 46.57],
  years: [2021, 2022],
  licence: 'Croatian open licence',
  credit: 'Sadrži podatke Državne geodetske uprave',
  terms: 'https://narodne-novine.nn.hr/clanci/sluzbeni/2013_02_25_403.html',
  confirmed: 'never',
}
