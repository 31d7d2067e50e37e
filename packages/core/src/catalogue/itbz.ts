import type { CatalogueEntry } from './entry.ts'

/** The list's last level, 20, is 0.1 m there; twice that is certainly not enlarged. */
export const itbz: CatalogueEntry = {
  kind: 'wms',
  alias: 'ITBZ',
  title: 'South Tyrol orthophotos 2023',
  url: 'https://geoservices.buergernetz.bz.it/mapproxy/p_bz-Orthoimagery/wms',
  layers: 'Aerial-2023-RGB',
  crs: 'EPSG:25832',
  gsd: 0.2,
  extent: [10.37, 46.21, 12.5, 47.1],
  years: 2023,
  licence: 'CC BY 4.0',
  credit: '© Autonome Provinz Bozen / Provincia Autonoma di Bolzano',
  terms: 'https://geoportal.buergernetz.bz.it/veroeffentlichungen.asp?publ_action=300&publ_image_id=394227',
  confirmed: 'never',
}
