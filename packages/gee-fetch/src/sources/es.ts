import { SPAIN_MAINLAND } from '@skyscript/core'
import type { EarthEngineSource } from './source.ts'

/**
 * https://developers.google.com/earth-engine/datasets/catalog/Spain_PNOA_PNOA10
 * The terms are IGN's own, http://www.ign.es/resources/licencia/Condiciones_licenciaUso_IGN.pdf, not a Creative Commons licence.
 */
export const es: EarthEngineSource = {
  kind: 'earth-engine',
  alias: 'ES',
  title: 'PNOA orthophotos of Spain',
  collection: 'Spain/PNOA/PNOA10',
  oldIds: [],
  gsd: 0.1,
  bands: ['R', 'G', 'B'],
  range: [0, 255],
  extent: [-9.32, 36.11, 4.7, 43.48],
  outline: SPAIN_MAINLAND,
  years: [2007, 2019],
  cloudProperty: null,
  cloudMask: null,
  cloudBrightness: 253,
  timePrecision: 'day',
  mayBeImage: false,
  licence: 'terms of IGN (Spain): free for any legitimate use, IGN must be named as the origin',
  terms: 'http://www.ign.es/resources/licencia/Condiciones_licenciaUso_IGN.pdf',
  confirmed: 'never',
  credit: (year) => `PNOA${year === null ? '' : ` ${year}`}, Instituto Geográfico Nacional (Spain)`,
}
