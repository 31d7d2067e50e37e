import type { CatalogueEntry } from './entry.ts'

/** Cities only: most of the extent has no tiles. */
export const jpplat: CatalogueEntry = {
  kind: 'xyz',
  alias: 'JPPLAT',
  title: 'Plateau orthophotos of Japanese cities',
  url: 'https://gic-plateau.s3.ap-northeast-1.amazonaws.com/2020/ortho/tiles/{z}/{x}/{y}.png',
  zoom: [0, 19],
  extent: [130.38, 32.66, 141.53, 43.21],
  years: [2014, 2020],
  licence: 'CC BY 4.0',
  credit: 'MLIT Plateau',
  terms: 'https://www.mlit.go.jp/plateau/site-policy/',
  confirmed: 'never',
}
