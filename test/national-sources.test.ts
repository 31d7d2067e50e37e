// @module-tag slow
/** The shipped sources of Earth Engine beyond the paper's ten, from an extract to the credits of a dataset. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OsmData, writePbf } from '../examples/demo/src/pbf-writer.ts'
import { SOURCES as SHIPPED } from '../packages/gee-fetch/src/index.ts'
import { makeFolder } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, type Drawn, mapOf, place, smallRegion } from './support/small-map.ts'

/**
 * Where a source is tried, its collection, how its licence begins, and its credit. Sources come before those whose box
 * contains their place.
 */
const SOURCES: Readonly<Record<string, readonly [at: readonly [number, number], collection: string, licence: string, credit: RegExp]>> = {
  NL: [[5.5555, 51.881], 'Netherlands/Beeldmateriaal/LUCHTFOTO_RGB', 'CC BY 4.0', /^Beeldmateriaal Nederland 2022, opendata\.beeldmateriaal\.nl$/],
  NE: [[-72.17, 42.54], 'projects/neon-prod-earthengine/assets/RGB/001', 'CC0', /^National Ecological Observatory Network \(NEON\)/],
  SK: [[19.163, 48.741], 'Slovakia/orthos/25cm', 'terms of GKU Bratislava', /^GKU Bratislava, NLC$/],
  EL: [[26.735, 58.375], 'Estonia/Maamet/orthos/rgb_low_flying', 'open data licence of the Estonian Land Board', /Estonian Land Board, low-flying orthophotos 20\d\d$/],
  EE: [[24.959, 58.15], 'Estonia/Maamet/orthos/rgb', 'open data licence of the Estonian Land Board', /Estonian Land Board, orthophotos 20\d\d$/],
  LV: [[24.125, 56.93], 'Latvia/Maamet/orthos/rgb', 'CC BY 4.0', /^Latvian Geospatial Information Agency 201\d$/],
} // biome-ignore format: a table

const OBJECTS: readonly Drawn[] = [
  { id: 1, tags: { building: 'church', amenity: 'place_of_worship' }, at: [[-40, 0]], half: 16 },
  { id: 2, tags: { leisure: 'pitch', sport: 'soccer' }, at: [[-10, -90]], half: 30 },
  { id: 3, tags: { natural: 'water', water: 'pond' }, at: [[-120, 60]], half: 25 },
]

/** The objects once at every place, in one file. */
function maps(): OsmData {
  const parts = Object.values(SOURCES).map(([to], i): OsmData => {
    const from = place([0, 0])
    const own = mapOf(OBJECTS.map((object) => ({ ...object, id: object.id + i * 10 })))
    const nodes = own.nodes.map((node) => ({
      ...node,
      longitude: Math.round(node.longitude + (to[0] - from[0]) * 1e7),
      latitude: Math.round(node.latitude + (to[1] - from[1]) * 1e7),
    }))
    return { ...own, nodes }
  })
  return {
    nodes: parts.flatMap(({ nodes }) => nodes),
    ways: parts.flatMap(({ ways }) => ways),
    relations: [],
  }
}

const region = () =>
  smallRegion(at('map.osm.pbf'), at('out'), {
    imagery: { sources: Object.keys(SOURCES), prefer: 'listed', earthEngine: { endpoint: 'local' } },
    tiles: { minPixels: 16, maxPixels: 1000, pointPixels: 64 },
  })
const manifest = async () => parquetReadObjects({ file: await asyncBufferFromFile(at('out/manifest.parquet')) })

let folder: Awaited<ReturnType<typeof makeFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
beforeAll(async () => {
  folder = await makeFolder('national')
  await writeFile(at('map.osm.pbf'), writePbf(maps()))
})
afterAll(() => folder?.remove())

test('each gives its images to a dataset drawn from the map, and the dataset names its licence and credit', async () => {
  await buildHere(region(), folder.path)
  const rows = await manifest()
  const attribution = await readFile(at('out/ATTRIBUTION.md'), 'utf8')
  for (const [alias, [, collection, licence, credit]] of Object.entries(SOURCES)) {
    const own = rows.filter(({ source }) => source === alias)
    expect(own, alias).toHaveLength(OBJECTS.length)
    for (const row of own) {
      expect(row).toMatchObject({
        collection,
        licence: expect.stringContaining(licence),
        credit: expect.stringMatching(credit),
      })
      expect(row.filepath).toMatch(new RegExp(`_${alias}_\\d\\d\\.jpg$`))
    }
    const section = attribution.split(/^## /m).find((text) => text.startsWith(`Images with ${alias} `))
    expect(section).toContain(collection)
    expect(section).toContain(licence)
  }
  const { code, stdout, stderr } = await skyscriptHere(['verify', at('out')])
  expect(code, stdout + stderr).toBe(0)
}, 120_000)

test('when what is said of a shipped source is corrected, the next build corrects the manifest without fetching', async () => {
  const before = await manifest()
  const { licence } = SHIPPED.NL
  Object.assign(SHIPPED.NL, { licence: 'CC BY 9.9' })
  try {
    const { jobs } = await buildHere(region(), folder.path)
    expect(Object.values(jobs).reduce((sum, each) => sum + each, 0)).toBe(0)
    expect(await manifest()).toEqual(
      before.map((row) => (row.source === 'NL' ? { ...row, licence: 'CC BY 9.9' } : row)),
    )
  } finally {
    Object.assign(SHIPPED.NL, { licence })
  }
}, 120_000)
