import { mapTilesOf } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { chooseAuto, withAuto } from './auto-sources.ts'

const imageryOf = (imagery: string) =>
  parseConfig(`osm: { source: a.osm.pbf }\noutput: ./out\nimagery: ${imagery}`, '/regions/a.yaml').imagery

/** Aliases that are taken for a box, and what is said. */
function auto(imagery: string, box: readonly [number, number, number, number]) {
  const said: string[] = []
  const config = { imagery: imageryOf(imagery) }
  const added = chooseAuto(config.imagery, mapTilesOf([...box]), (text) => said.push(text))
  const sources = withAuto(config, added).imagery.sources
  return { aliases: sources.map((each) => (typeof each === 'string' ? each : each.alias)), said: said.join('\n') }
}

const PARIS = [2.2, 48.8, 2.5, 48.9] as const
const UTRECHT = [5.05, 52.05, 5.15, 52.15] as const
const PORTO = [-8.65, 41.12, -8.55, 41.19] as const
const WELLINGTON = [174.75, -41.32, 174.8, -41.26] as const

beforeEach(() => {
  vi.stubEnv('HOME', '/nowhere')
  vi.stubEnv('CLOUDSDK_CONFIG', '/nowhere')
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '')
  vi.stubEnv('SKYSCRIPT_SECRET_NZLINZ', '')
})
afterEach(() => void vi.unstubAllEnvs())

test('auto takes what covers the region and is open, the finest first', () => {
  const { aliases, said } = auto('{ sources: auto, earthEngine: { endpoint: local } }', UTRECHT)
  expect(aliases).toEqual(['NL', 'NLPDOK', 'P3', 'P5', 'S2', 'E2', 'L8', 'L9'])
  expect(said).toBe('imagery.sources: auto takes NL, NLPDOK, P3, P5, S2, E2, L8, L9.')
})

test('without an account of Earth Engine, auto takes what needs none', () => {
  const { aliases, said } = auto('{ sources: auto }', PARIS)
  expect(aliases).toEqual(['FRIGN', 'E2'])
  expect(said).toContain('it leaves out P3, P5, S2, L8, L9 (it needs an Earth Engine account)')
  expect(auto('{ sources: auto, earthEngine: { credentials: key.json } }', PARIS).aliases).toContain('S2')
})

test('sources of a neighbour whose box holds the region are not taken', () => {
  const { aliases } = auto(
    '{ sources: auto, licences: [terms of IGN, Copernicus], earthEngine: { endpoint: local } }',
    PORTO,
  )
  expect(aliases).toEqual(['S2', 'E2'])
})

test('licences that the settings name decide instead of the open ones', () => {
  const { aliases, said } = auto('{ sources: auto, licences: [etalab-2.0] }', PARIS)
  expect(aliases).toEqual(['FRIGN'])
  expect(said).toContain(
    'E2 (its licence, "Copernicus Sentinel data terms: free, full and open", is not in imagery.licences)',
  )
})

test('a source whose key is not set is left out, and that is said', () => {
  const without = auto('{ sources: auto }', WELLINGTON)
  expect(without.aliases).toEqual(['E2'])
  expect(without.said).toContain('NZLINZ (it needs a key, and SKYSCRIPT_SECRET_NZLINZ is not set)')
  vi.stubEnv('SKYSCRIPT_SECRET_NZLINZ', 'k3y')
  const { aliases, said } = auto('{ sources: auto }', WELLINGTON)
  expect(aliases).toEqual(['NZLINZ', 'E2'])
  expect(said).not.toContain('k3y')
})

test('auto may stand among others, and takes none of them a second time', () => {
  expect(auto('{ sources: [E2, auto] }', PARIS).aliases).toEqual(['E2', 'FRIGN'])
  expect(auto('{ sources: [auto, E2] }', PARIS).aliases).toEqual(['FRIGN', 'E2'])
  expect(auto('{ sources: [FRIGN] }', PARIS)).toMatchObject({ aliases: ['FRIGN'], said: '' })
})

test('a region that no source covers is refused in one sentence', () => {
  expect(() => auto('{ sources: auto, licences: [CC0] }', PARIS)).toThrow(
    /^imagery\.sources: auto finds no source for the region; it leaves out .*\.$/,
  )
})
