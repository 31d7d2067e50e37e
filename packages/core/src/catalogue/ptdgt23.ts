import type { CatalogueEntry } from './entry.ts'
import { PORTUGAL } from './outlines.ts'

export const ptdgt23: CatalogueEntry = {
  kind: 'wms',
  alias: 'PTDGT23',
  title: 'OrtoSat of mainland Portugal 2023, 30 cm',
  url: 'https://ortos.dgterritorio.gov.pt/wms/ortosat2023',
  layers: 'ortoSat2023-CorVerdadeira',
  crs: 'EPSG:3763',
  gsd: 0.3,
  extent: PORTUGAL,
  years: 2023,
  licence: 'CC BY 4.0',
  credit: 'Informação geográfica cedida pela Direção-Geral do Território',
  terms: 'https://snig.dgterritorio.gov.pt/rndg/srv/por/catalog.search#/metadata/b2a1ca02-779b-4189-b895-85d10fff610f',
  confirmed: 'never',
}
