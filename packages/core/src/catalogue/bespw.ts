import type { CatalogueEntry } from './entry.ts'

/** The list does not say the resolution; Wallonia's flights are published with 0.25 m. */
export const bespw: CatalogueEntry = {
  kind: 'wms',
  alias: 'BESPW',
  title: 'Latest orthophotos of Wallonia',
  url: 'https://geoservices.wallonie.be/arcgis/services/IMAGERIE/ORTHO_LAST/MapServer/WmsServer',
  layers: '0',
  crs: 'EPSG:31370',
  gsd: 0.25,
  extent: [2.84, 49.5, 6.41, 50.81],
  years: null,
  licence: 'CC BY 4.0',
  credit: 'Service public de Wallonie (SPW)',
  terms: 'https://wiki.openstreetmap.org/wiki/File:OSM_license_for_SPW_WMS_usage.pdf',
  confirmed: 'never',
}
