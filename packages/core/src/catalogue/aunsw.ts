import type { CatalogueEntry } from './entry.ts'

/** Towns are flown finer than the country, for which level 18 (0.5 m) is meant. */
export const aunsw: CatalogueEntry = {
  kind: 'xyz',
  alias: 'AUNSW',
  title: 'Imagery of New South Wales',
  url: 'https://maps.six.nsw.gov.au/arcgis/rest/services/public/NSW_Imagery/MapServer/tile/{z}/{y}/{x}',
  zoom: [0, 18],
  extent: [140.99, -37.54, 159.29, -28.11],
  years: null,
  licence: 'CC BY 4.0',
  credit:
    '© State of New South Wales (Spatial Services, a business unit of the Department of Customer Service NSW), spatial.nsw.gov.au',
  terms: 'https://wiki.openstreetmap.org/wiki/File:SpatialServices_NSW_OSM_Waiver_completed.pdf',
  confirmed: 'never',
}
