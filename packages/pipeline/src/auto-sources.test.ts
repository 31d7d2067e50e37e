import { InputError, mapTilesOf, ServiceError } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type AutoOptions, chooseAuto, withAuto } from './auto-sources.ts'

const imageryOf = (imagery: string) =>
  parseConfig(`osm: { source: a.osm.pbf }\noutput: ./out\nimagery: ${imagery}`, '/regions/a.yaml').imagery

/** Aliases that are taken for a box, and what is said. */
async function auto(
  imagery: string,
  box: readonly [number, number, number, number],
  complete: AutoOptions['complete'] = async (source) => source,
) {
  const said: string[] = []
  const config = { imagery: imageryOf(imagery) }
  const added = await chooseAuto(config.imagery, mapTilesOf([...box]), { say: (text) => said.push(text), complete })
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

test('auto takes what covers the region and is open, the finest first', async () => {
  const { aliases, said } = await auto('{ sources: auto, earthEngine: { endpoint: local } }', UTRECHT)
  expect(aliases).toEqual(['NL', 'NLPDOK', 'P3', 'P5', 'S2', 'E2', 'L8', 'L9'])
  expect(said).toBe('imagery.sources: auto takes NL, NLPDOK, P3, P5, S2, E2, L8, L9.')
})

test('without an account of Earth Engine, auto takes what needs none', async () => {
  const { aliases, said } = await auto('{ sources: auto }', PARIS)
  expect(aliases).toEqual(['FRIGN', 'E2'])
  expect(said).toContain('it leaves out P3, P5, S2, L8, L9 (it needs an Earth Engine account)')
  expect((await auto('{ sources: auto, earthEngine: { credentials: key.json } }', PARIS)).aliases).toContain('S2')
})

test('sources of a neighbour whose box holds the region are not taken', async () => {
  const { aliases } = await auto(
    '{ sources: auto, licences: [terms of IGN, Copernicus], earthEngine: { endpoint: local } }',
    PORTO,
  )
  expect(aliases).toEqual(['S2', 'E2'])
})

test('licences that the settings name decide instead of the open ones', async () => {
  const { aliases, said } = await auto('{ sources: auto, licences: [etalab-2.0] }', PARIS)
  expect(aliases).toEqual(['FRIGN'])
  expect(said).toContain(
    'E2 (its licence, "Copernicus Sentinel data terms: free, full and open", is not in imagery.licences)',
  )
})

test('a source whose key is not set is left out, and that is said', async () => {
  const without = await auto('{ sources: auto }', WELLINGTON)
  expect(without.aliases).toEqual(['E2'])
  expect(without.said).toContain('NZLINZ (it needs a key, and SKYSCRIPT_SECRET_NZLINZ is not set)')
  vi.stubEnv('SKYSCRIPT_SECRET_NZLINZ', 'k3y')
  const { aliases, said } = await auto('{ sources: auto }', WELLINGTON)
  expect(aliases).toEqual(['NZLINZ', 'E2'])
  expect(said).not.toContain('k3y')
})

test('auto may stand among others, and takes none of them a second time', async () => {
  expect((await auto('{ sources: [E2, auto] }', PARIS)).aliases).toEqual(['E2', 'FRIGN'])
  expect((await auto('{ sources: [auto, E2] }', PARIS)).aliases).toEqual(['FRIGN', 'E2'])
  expect(await auto('{ sources: [FRIGN] }', PARIS)).toMatchObject({ aliases: ['FRIGN'], said: '' })
})

test('a region that no source covers is refused in one sentence', async () => {
  await expect(auto('{ sources: auto, licences: [CC0] }', PARIS)).rejects.toThrow(
    /^imagery\.sources: auto finds no source for the region; it leaves out .*\.$/,
  )
})

const DRESDEN = [13.7, 51.0, 13.8, 51.1] as const

test('a source that is excluded is not taken, nor one whose service can no longer be used, and that is said', async () => {
  const open = '{ sources: auto, licences: [DL-DE-BY-2.0, Copernicus] }'
  expect((await auto(open, DRESDEN)).aliases).toEqual(['DESN', 'E2'])
  const without = await auto(open.replace('auto,', 'auto, without: [DESN],'), DRESDEN)
  expect(without.aliases).toEqual(['E2'])
  expect(without.said).not.toContain('DESN')
  const gone = await auto(open, DRESDEN, async (source) => {
    if (typeof source !== 'string' && source.alias === 'DESN')
      throw new InputError('imagery-settings', 'DESN: no such layer.')
    return source
  })
  expect(gone.aliases).toEqual(['E2'])
  expect(gone.said).toContain("DESN (it can't be used: DESN: no such layer)")
})

test('a service that is away for now ends the build, which says how to build without it', async () => {
  const away = async () => {
    throw new ServiceError('imagery-unreachable', 'https://host did not answer.', { retry: true })
  }
  await expect(auto('{ sources: auto, licences: [DL-DE-BY-2.0] }', DRESDEN, away)).rejects.toThrow(
    "imagery.sources: auto takes DESN, which can't be read now (https://host did not answer); run the build again, or leave it out with imagery.without: [DESN].",
  )
})
