import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { startService } from '../packages/gee-fetch/test/service.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'

let folder: string
const at = (...path: string[]) => join(folder, ...path)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-sources-'))
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
})
afterAll(() => rm(folder, { recursive: true }))

interface Listed {
  readonly objects: number | null
  readonly sources: readonly {
    readonly alias: string
    readonly gsd: number
    readonly objects: number | null
    readonly needs: string | null
    readonly isReady: boolean
    readonly terms: string | null
  }[]
}

async function list(...args: string[]): Promise<Listed> {
  const { code, stdout, stderr } = await skyscriptHere(['sources', ...args, '--json'])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

const town = {
  ...{ kind: 'xyz', alias: 'TOWN', url: 'http://127.0.0.1:9/{z}/{x}/{y}?k={key}', zoom: [0, 19], licence: 'CC BY 4.0' },
  extent: [7.4, 46.7, 7.51, 46.8],
}
const elsewhere = { ...town, alias: 'FAR', url: 'http://127.0.0.1:9/{z}/{x}/{y}', extent: [9, 46, 10, 47] }

test('the sources of a region are those that cover its map, with as many objects as a plan selects', async () => {
  const region = smallRegion(at('map.osm.pbf'), at('out'), {
    imagery: { sources: [town, elsewhere, 'CH'], earthEngine: { endpoint: 'local' } },
  })
  writeFileSync(at('region.yaml'), stringify(region))
  const { sources } = await list(at('region.yaml'))
  expect(sources.map(({ alias }) => alias)).toEqual(['CH', 'SI', 'CHSWISS', 'TOWN', 'P3', 'P5', 'S2', 'E2', 'L8', 'L9'])
  const by = new Map(sources.map((source) => [source.alias, source]))
  expect(by.get('TOWN')).toMatchObject({ needs: 'SKYSCRIPT_SECRET_TOWN', isReady: false, terms: null })
  expect(by.get('TOWN')!.gsd).toBeCloseTo(0.205, 2)
  expect(by.get('CH')).toMatchObject({ needs: null, isReady: true, terms: expect.stringMatching(/^https:/) })
  // As many as a build of only this source selects.
  for (const alias of ['CH', 'S2']) {
    const own = smallRegion(at('map.osm.pbf'), at(`out-${alias}`), {
      imagery: { sources: [alias], earthEngine: { endpoint: 'local' } },
    })
    writeFileSync(at(`${alias}.yaml`), stringify(own))
    const plan = await skyscriptHere(['plan', at(`${alias}.yaml`), '--json'])
    const { focus } = JSON.parse(plan.stdout).objects
    expect(by.get(alias)!.objects, alias).toBe(focus)
    expect(focus).toBeGreaterThan(0)
  }
})

test('an extract is enough to list sources, also without a region file', async () => {
  const { objects, sources } = await list(at('map.osm.pbf'))
  expect(objects).toBe(SMALL_TOWN.length)
  expect(sources.map(({ alias }) => alias)).toEqual(['CH', 'SI', 'CHSWISS', 'P3', 'P5', 'S2', 'E2', 'L8', 'L9'])
  const { stdout } = await skyscriptHere(['sources', at('map.osm.pbf')])
  expect(stdout).toMatch(/^9 sources at .*map\.osm\.pbf \(14 visible objects\)\nalias +GSD +years +objects +needs/)
})

test('at a position sources are listed without counts, those of neighbours not among them', async () => {
  const { objects, sources } = await list('--at', '2.35,48.86')
  expect(objects).toBeNull()
  expect(sources.map(({ alias }) => alias)).toEqual(['FRIGN', 'P3', 'P5', 'S2', 'E2', 'L8', 'L9'])
  expect(sources[0]).toMatchObject({ gsd: expect.closeTo(0.196, 2), objects: null, needs: null, isReady: true })
  // Porto is in the box of Spain's imagery, and not in Spain.
  expect((await list('--at', '-8.61,41.15')).sources.map(({ alias }) => alias)).not.toContain('ES')
})

test.each([
  [[], /^skyscript: Give a region file, an OSM PBF file, or --at longitude,latitude\.$/m],
  [['a.yaml', '--at', '1,2'], /^skyscript: Give a region file, an OSM PBF file, or --at/m],
  [['--at', '91,95'], /It must be longitude,latitude in degrees/],
  [['nowhere.osm.pbf'], /nowhere\.osm\.pbf can't be read \(there is no such file\)/],
  [['nowhere.yaml'], /nowhere\.yaml: there is no such file; give the path of a region file/],
])('sources %j is refused in one sentence', async (args, said) => {
  const { code, stdout, stderr } = await skyscriptHere(['sources', ...args])
  expect(code).toBe(1)
  expect(stderr).toMatch(said)
  expect(stdout).toBe('')
})

test('sources whose GSD only their service knows are read first', async () => {
  const matrix =
    '<TileMatrix><Identifier>19</Identifier><ScaleDenominator>1066.364791924892</ScaleDenominator><TopLeftCorner>-20037508.34 20037508.34</TopLeftCorner><TileWidth>256</TileWidth><TileHeight>256</TileHeight><MatrixWidth>524288</MatrixWidth><MatrixHeight>524288</MatrixHeight></TileMatrix>'
  const said = `<Capabilities><Contents><Layer><Identifier>dop</Identifier><WGS84BoundingBox><LowerCorner>7 46</LowerCorner><UpperCorner>8 47</UpperCorner></WGS84BoundingBox><Format>image/png</Format><TileMatrixSetLink><TileMatrixSet>web</TileMatrixSet></TileMatrixSetLink></Layer><TileMatrixSet><Identifier>web</Identifier><SupportedCRS>urn:ogc:def:crs:EPSG::3857</SupportedCRS>${matrix}</TileMatrixSet></Contents></Capabilities>`
  const service = await startService((_request, response) => response.end(said))
  try {
    const nrwx = {
      kind: 'wmts',
      alias: 'NRWX',
      url: `${service.url}/wmts`,
      layer: 'dop',
      matrixSet: 'web',
      licence: 'CC0',
    }
    const region = smallRegion(at('map.osm.pbf'), at('out-wmts'), { imagery: { sources: [nrwx] } })
    writeFileSync(at('wmts.yaml'), stringify(region))
    const { sources } = await list(at('wmts.yaml'))
    const found = sources.find(({ alias }) => alias === 'NRWX')
    expect(found?.gsd).toBeCloseTo(0.205, 2)
    expect(found?.objects).toBeGreaterThan(5)
  } finally {
    await service.close()
  }
})
