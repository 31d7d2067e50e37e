import type { CatalogueEntry } from './entry.ts'
import { SPAIN } from './outlines.ts'

export const espnoa: CatalogueEntry = {
  kind: 'xyz',
  alias: 'ESPNOA',
  title: 'PNOA orthophotos of Spain, latest',
  url: 'https://tms-pnoa-ma.idee.es/1.0.0/pnoa-ma/{z}/{x}/{-y}.jpeg',
  zoom: [0, 19],
  extent: SPAIN,
  years: null,
  licence: 'terms of IGN (Spain): free for any legitimate use, IGN must be named as the origin',
  credit: 'PNOA, Instituto Geográfico Nacional (Spain)',
  terms: 'http://www.ign.es/resources/licencia/Condiciones_licenciaUso_IGN.pdf',
  confirmed: 'never',
}
