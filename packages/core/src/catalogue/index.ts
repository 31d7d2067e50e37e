import { SHIPPED_SOURCES } from '../records.ts'
import { arign } from './arign.ts'
import { atbmap } from './atbmap.ts'
import { aunsw } from './aunsw.ts'
import { bevla } from './bevla.ts'
import type { CatalogueEntry } from './entry.ts'
import { espnoa } from './espnoa.ts'
import { frign } from './frign.ts'
import { jpgsi } from './jpgsi.ts'
import { jpplat } from './jpplat.ts'
import { nlpdok } from './nlpdok.ts'
import { nzlinz } from './nzlinz.ts'
import { plgugik } from './plgugik.ts'
import { usgs } from './usgs.ts'
import { usnaip } from './usnaip.ts'

/** Official services that can be named by alias, in the order of the alphabet. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  arign,
  atbmap,
  aunsw,
  bevla,
  espnoa,
  frign,
  jpgsi,
  jpplat,
  nlpdok,
  nzlinz,
  plgugik,
  usgs,
  usnaip,
]

/** What the catalogue says of an alias. */
export const catalogued = (alias: string): CatalogueEntry | undefined => CATALOGUE.find((each) => each.alias === alias)

/** What carries the camera of a source. It isn't known of users' sources, which captions call satellite images, as the original does all. */
export function carrierOf(alias: string): 'aerial' | 'satellite' {
  const shipped: Readonly<Record<string, 'aerial' | 'satellite'>> = SHIPPED_SOURCES
  return shipped[alias] ?? (catalogued(alias) ? 'aerial' : 'satellite')
}
