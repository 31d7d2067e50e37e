import type { CatalogueEntry } from './entry.ts'

export const jpgsi: CatalogueEntry = {
  kind: 'xyz',
  alias: 'JPGSI',
  title: 'Seamless photographs of Japan',
  url: 'https://cyberjapandata.gsi.go.jp/xyz/seamlessphoto/{z}/{x}/{y}.jpg',
  zoom: [0, 18],
  extent: [122.59, 23.44, 146.18, 45.71],
  years: null,
  licence: 'terms of GSI (Japan): compatible with CC BY 4.0, GSI must be named',
  credit: 'Geospatial Information Authority of Japan, seamless photographs',
  terms: 'https://maps.gsi.go.jp/development/ichiran.html#seamlessphoto',
  confirmed: 'never',
}
