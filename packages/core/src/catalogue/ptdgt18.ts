import type { CatalogueEntry } from './entry.ts'
import { PORTUGAL } from './outlines.ts'

export const ptdgt18: CatalogueEntry = {
  kind: 'wms',
  alias: 'PTDGT18',
  title: 'Orthophotos of mainland Portugal 2018, 25 cm',
  url: 'https://cartografia.dgterritorio.gov.pt/wms/ortos2018',
  layers: 'Ortos2018-RGB',
  crs: 'EPSG:3763',
  gsd: 0.25,
  extent: PORTUGAL,
  years: 2018,
  licence: 'CC BY 4.0',
  credit: 'Informação geográfica cedida pela Direção-Geral do Território',
  terms: 'https://snig.dgterritorio.gov.pt/rndg/srv/por/catalog.search#/metadata/daf5479d-29c8-4e0c-b7b8-0e1791891186',
  confirmed: 'never',
}
