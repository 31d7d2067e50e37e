import { boxes, type CatalogueEntry } from './entry.ts'

/** The contiguous states, Hawaii, and Puerto Rico. */
export const usgs: CatalogueEntry = {
  kind: 'xyz',
  alias: 'USGS',
  title: 'USGS imagery of the United States',
  url: 'https://basemap.nationalmap.gov/arcgis/rest/services/USGSImageryOnly/MapServer/tile/{z}/{y}/{x}',
  zoom: [0, 17],
  extent: boxes([-124.9, 24.4, -66.9, 49.5], [-160.6, 18.8, -154.7, 22.3], [-67.4, 17.6, -64.5, 18.6]),
  years: null,
  licence: 'public domain',
  credit: 'U.S. Geological Survey',
  terms: 'https://www.usgs.gov/information-policies-and-instructions/copyrights-and-credits',
  confirmed: 'never',
}
