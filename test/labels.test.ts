// @module-tag slow
/** captions.labels: what a build redoes when it changes. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesOf, makeFolder, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { SMALL_TOWN, startSmallTown } from './support/small-map.ts'
import type { Town } from './support/town.ts'

/** Objects that only the original's labels let through, in both map tiles. */
const LEAKED = [
  { id: 20, tags: { office: 'lawyer' }, at: [[-70, 20]] },
  { id: 21, tags: { office: 'company', note: 'closed' }, at: [[-20, -40]] },
  { id: 22, tags: { denomination: 'lutheran' }, at: [[80, 60]] },
  { id: 23, tags: { 'addr:street': 'Hill' }, at: [[130, 20]] },
] as const

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('labels')
  town = await startSmallTown(folder.path, ['CH', 'S2'], [...SMALL_TOWN, ...LEAKED])
}, 120_000)
afterAll(async () => {
  await town?.earthEngine.close()
  await folder?.remove()
})

async function build(name: string, labels: string, earthEngine: object = {}) {
  const { imagery } = town.region(at(name)) as { imagery: { earthEngine: object } }
  const region = town.region(at(name), {
    captions: { labels },
    imagery: { ...imagery, earthEngine: { ...imagery.earthEngine, grouping: false, ...earthEngine } },
  })
  const before = town.earthEngine.stats().requests.pixels
  const { code, stdout, stderr } = await skyscriptHere([
    'build',
    await writeRegion(at(`${name}.yaml`), region),
    '--json',
  ])
  expect(code, stderr).toBe(0)
  const { jobs } = JSON.parse(stdout) as { jobs: Record<string, number> }
  return { jobs, pixels: town.earthEngine.stats().requests.pixels - before, files: filesOf(at(name)) }
}

const imagesOf = (files: Record<string, string>) =>
  new Map(Object.entries(files).filter(([name]) => name.startsWith('images')))

test('another set of labels redoes captions and scores, and asks only for images of new focus objects', async () => {
  const visible = await build('town', 'visible')
  const leaky = await build('town', 'skyscript-2023')
  const [before, after] = [imagesOf(visible.files), imagesOf(leaky.files)]
  const kept = [...after].filter(([name]) => before.has(name))
  const added = [...after].filter(([name]) => !before.has(name))
  expect(kept.length).toBeGreaterThan(8)
  expect(added.length).toBeGreaterThan(2)
  for (const [name, sha256] of kept) expect(sha256, name).toBe(before.get(name))
  expect(new Set([...before.keys(), ...added.map(([name]) => name)].map((name) => name.replace(/_.*/, ''))).size).toBe(
    before.size + added.length,
  )
  expect(leaky.pixels).toBeLessThan(added.length * 1.5)
  expect(leaky.jobs.caption).toBeGreaterThan(0)
  expect(leaky.jobs.score).toBeGreaterThan(0)

  const fresh = await build('fresh', 'skyscript-2023')
  expect(fresh.files).toEqual(leaky.files)
  const back = await build('town', 'visible')
  expect(back.files).toEqual(visible.files)
}, 120_000)

test('imagery drawn from the map is the same with either set of labels', async () => {
  const local = { endpoint: 'local', project: null }
  const visible = await build('drawn', 'visible', local)
  const written = (name: string) => statSync(at('drawn', name)).mtimeMs
  const times = new Map([...imagesOf(visible.files).keys()].map((name) => [name, written(name)]))
  const leaky = await build('drawn', 'skyscript-2023', local)
  const [before, after] = [imagesOf(visible.files), imagesOf(leaky.files)]
  const kept = [...after].filter(([name]) => before.has(name))
  expect(kept.length).toBeGreaterThan(8)
  for (const [name, sha256] of kept) expect([sha256, written(name)], name).toEqual([before.get(name), times.get(name)])
  expect((await build('drawn-fresh', 'skyscript-2023', local)).files).toEqual(leaky.files)
}, 120_000)
