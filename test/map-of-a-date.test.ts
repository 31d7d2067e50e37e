// @module-tag slow
/** `osm.at`: the dataset of a history extract is that of the map as it was at the time. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalEarthEngine, startLocalEarthEngine } from '../packages/local-earth-engine/src/index.ts'
import { lacks, OSMIUM } from './support/needs.ts'
import { filesOf, makeFolder } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, type Drawn, SMALL_TOWN, smallRegion, writeFeatures, writeMap } from './support/small-map.ts'
import { CACHE_BYTES } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let earthEngine: LocalEarthEngine
const at = (...names: string[]) => join(folder.path, ...names)
const osmium = (...args: string[]) => execFileSync('osmium', [...args, '--overwrite'], { stdio: 'pipe' })

const EDITED = { version: 2, timestamp: '2021-05-01T10:00:00Z' }
const LATER: readonly Drawn[] = [
  ...SMALL_TOWN.map((each) => (each.id === 9 ? { ...each, tags: { natural: 'tree' }, ...EDITED } : each)),
  { id: 30, tags: { leisure: 'pitch', sport: 'tennis' }, at: [[60, 70]], half: 16, timestamp: EDITED.timestamp },
]

const build = (source: string, output: string, time?: string) =>
  buildHere(
    smallRegion(at(source), at(output), {
      osm: { source: at(source), ...(time !== undefined && { at: time }) },
      imagery: { sources: ['CH'], earthEngine: { endpoint: earthEngine.url, project: 'p' } },
    }),
    folder.path,
  )

describe.skipIf(lacks(OSMIUM))('a build of a history extract', () => {
  beforeAll(async () => {
    folder = await makeFolder('map-of-a-date')
    await writeMap(at('early.osm.pbf'), SMALL_TOWN)
    await writeMap(at('late.osm.pbf'), LATER)
    const features = await writeFeatures(at('late.osm.pbf'), at('features'))
    earthEngine = await startLocalEarthEngine({ features: [features], threads: 1, cacheBytes: CACHE_BYTES })
    osmium('merge', '--with-history', at('early.osm.pbf'), at('late.osm.pbf'), '-o', at('town.osh.pbf'))
  })
  afterAll(async () => {
    await earthEngine?.close()
    await folder?.remove()
  })

  test('has the pairs of the map of that time, whatever was built before', async () => {
    for (const time of ['2021-05-01', '2021-05-01T12:00:00+02:00']) {
      const utc = time.length === 10 ? '2021-05-01T00:00:00Z' : '2021-05-01T10:00:00Z'
      osmium('time-filter', at('town.osh.pbf'), utc, '-o', at('then.osm.pbf'))
      await build('then.osm.pbf', `filtered-${utc}`)
      const { lock, warnings } = await build('town.osh.pbf', 'out', time)
      const pairs = (output: string) =>
        Object.entries(filesOf(at(output))).filter(([path]) => /^(images|meta|manifest|.*csv)/.test(path))
      expect(pairs('out')).toEqual(pairs(`filtered-${utc}`))
      expect(pairs('out').length).toBeGreaterThan(10)
      expect(lock.inputs).toMatchObject([{ replicationTimestamp: utc, replicationSequence: null }])
      expect(lock.config).toMatchObject({ osm: { at: utc } })
      expect(readFileSync(at('out', 'README.md'), 'utf8')).toContain(utc)
      expect(warnings).not.toContain('newest edit')
    }
  }, 60_000)

  test('says when the history may end before the time', async () => {
    const { warnings } = await build('town.osh.pbf', 'late', '2022-01-01')
    expect(warnings).toContain(
      'The map of 2022-01-01T00:00:00Z was asked for, and the newest edit in the history files is of 2021-05-01T10:00:00Z',
    )
    // From storage, too.
    expect((await build('town.osh.pbf', 'late', '2022-01-01')).warnings).toContain('newest edit')
  }, 60_000)

  test('is refused without a time, and a time with an extract of no history', async () => {
    await expect(build('town.osh.pbf', 'none')).rejects.toMatchObject({ code: 'history-file' })
    await expect(build('late.osm.pbf', 'none', '2021-05-01')).rejects.toMatchObject({ code: 'not-a-history' })
    await expect(build('town.osh.pbf', 'none', '2001-05-01')).rejects.toMatchObject({ code: 'before-history' })
    for (const time of ['2021-02-30', '2021-05-01T12:00:00', 'yesterday', '2021'])
      await expect(build('town.osh.pbf', 'none', time)).rejects.toThrow(/osm\.at: must be a date such as/)
  })

  test('extract --at writes the objects of the time', async () => {
    osmium('time-filter', at('town.osh.pbf'), '2021-05-01T00:00:00Z', '-o', at('then.osm.pbf'))
    const expected = await skyscriptHere(['extract', at('then.osm.pbf')])
    const ran = await skyscriptHere(['extract', '--at', '2021-05-01', at('town.osh.pbf')])
    expect([ran.code, ran.stdout]).toEqual([0, expected.stdout])
    const wrong = await skyscriptHere(['extract', '--at', 'May', at('town.osh.pbf')])
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('It must be a date such as 2023-05-01')])
  })
})
