import { parseConfig } from '@skyscript/core/config'
import { SOURCES } from '@skyscript/gee-fetch'
import { expect, test } from 'vitest'
import { withLicensedSources } from './licences.ts'

const allowed = (licences: readonly string[]) => {
  const imagery = JSON.stringify({ sources: Object.keys(SOURCES), licences })
  const config = parseConfig(`osm: { source: a.osm.pbf }\noutput: ./out\nimagery: ${imagery}`, '/regions/a.yaml')
  return withLicensedSources(config).imagery.sources
}

test('of the shipped sources, those under CC BY 4.0, CC0 and in the public domain are these', () => {
  expect(allowed(['CC BY 4.0'])).toEqual(['FI', 'P3', 'P5', 'NL', 'LV'])
  expect(allowed(['CC0'])).toEqual(['NE'])
  expect(allowed(['public domain'])).toEqual(['US', 'L8', 'L9'])
})

test("sources under their owners' own terms are allowed by naming those terms", () => {
  expect(allowed(['terms of IGN'])).toEqual(['ES'])
  expect(allowed(['terms of GKU'])).toEqual(['SK'])
  expect(allowed(['open data licence of the Estonian Land Board'])).toEqual(['EE', 'EL'])
})
