import type { CatalogueEntry } from './entry.ts'
import { FRANCE } from './outlines.ts'

export const frign: CatalogueEntry = {
  kind: 'xyz',
  alias: 'FRIGN',
  title: 'BD ORTHO of France',
  url: 'https://data.geopf.fr/tms/1.0.0/ORTHOIMAGERY.ORTHOPHOTOS/{z}/{x}/{y}.jpeg',
  zoom: [0, 19],
  extent: FRANCE,
  years: [2021, 2023],
  licence: 'Licence Ouverte 2.0',
  credit: 'BD ORTHO, IGN',
  terms: 'https://www.etalab.gouv.fr/licence-ouverte-open-licence/',
  confirmed: 'never',
}
