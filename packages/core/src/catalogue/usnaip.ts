import type { CatalogueEntry } from './entry.ts'

/** Pixels of 0.6 m: level 17 is 0.9 m at 40 degrees, level 18 would be 0.45 m. */
export const usnaip: CatalogueEntry = {
  kind: 'xyz',
  alias: 'USNAIP',
  title: 'NAIP aerial imagery of the United States, tiles',
  url: 'https://gis.apfo.usda.gov/arcgis/rest/services/NAIP/USDA_CONUS_PRIME/ImageServer/tile/{z}/{y}/{x}',
  zoom: [0, 17],
  extent: [-124.82, 24.5, -66.93, 49.44],
  years: [2021, 2023],
  licence: 'public domain',
  credit: 'U.S. Department of Agriculture',
  terms: 'https://www.usda.gov/policies-and-links/',
  confirmed: 'never',
}
