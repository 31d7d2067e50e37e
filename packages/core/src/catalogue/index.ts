import { SHIPPED_SOURCES } from '../records.ts'
import { arign } from './arign.ts'
import { atbmap } from './atbmap.ts'
import { aunsw } from './aunsw.ts'
import { bespw } from './bespw.ts'
import { bevla } from './bevla.ts'
import { chswiss } from './chswiss.ts'
import { czcuzk } from './czcuzk.ts'
import { debb } from './debb.ts'
import { dehe } from './dehe.ts'
import { dehh } from './dehh.ts'
import { denw } from './denw.ts'
import { desn } from './desn.ts'
import { dest } from './dest.ts'
import { deth } from './deth.ts'
import type { CatalogueEntry } from './entry.ts'
import { escat } from './escat.ts'
import { espnoa } from './espnoa.ts'
import { frign } from './frign.ts'
import { hrdgu } from './hrdgu.ts'
import { itbz } from './itbz.ts'
import { jpgsi } from './jpgsi.ts'
import { jpplat } from './jpplat.ts'
import { lvlgia } from './lvlgia.ts'
import { nlpdok } from './nlpdok.ts'
import { nzlinz } from './nzlinz.ts'
import { plgugik } from './plgugik.ts'
import { ptdgt18 } from './ptdgt18.ts'
import { ptdgt23 } from './ptdgt23.ts'
import { usgs } from './usgs.ts'
import { usnaip } from './usnaip.ts'

/** Official services that can be named by alias, in the order of the alphabet. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  arign,
  atbmap,
  aunsw,
  bespw,
  bevla,
  chswiss,
  czcuzk,
  debb,
  dehe,
  dehh,
  denw,
  desn,
  dest,
  deth,
  escat,
  espnoa,
  frign,
  hrdgu,
  itbz,
  jpgsi,
  jpplat,
  lvlgia,
  nlpdok,
  nzlinz,
  plgugik,
  ptdgt18,
  ptdgt23,
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
