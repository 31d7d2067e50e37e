// @module-tag slow
/** `skyscript update`: the dataset after it is what a fresh build of the changed map makes. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { applyChanges } from '../packages/osm-extract/src/index.ts'
import {
  changesPath,
  changeText,
  DAYS,
  day,
  type Replication,
  startReplication,
  townOf,
} from './support/replication.ts'
import { filesOf, makeFolder, start, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { type Settings, startSmallTown } from './support/small-map.ts'
import type { Town } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let server: Replication
let cache: string
let caches = 0
const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('update')
  town = await startSmallTown(folder.path)
  server = await startReplication()
  await writeFile(at('base.osm.pbf'), townOf(server.url))
}, 60_000)
beforeEach(() => {
  server.files.clear()
  server.asked.length = 0
  newCache()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await server?.close()
  await town?.earthEngine.close()
  await folder?.remove()
})

function newCache(): void {
  cache = at(`cache-${++caches}`)
  vi.stubEnv('SKYSCRIPT_CACHE', cache)
}

const publish = (first: number, last: number) => {
  for (let i = first; i <= last; i++) server.publish(100 + i, day(1 + i), DAYS[i - 1]!)
}

const region = (output: string, osm: Settings = {}) =>
  writeRegion(at(`${output}.yaml`), town.region(at(output), { osm: { source: at('base.osm.pbf'), ...osm } }))

/** Files that say which map a dataset was made of. */
const OF_THE_MAP = ['dataset.lock.json', 'README.md', 'croissant.json', 'state/dataset.json']
const pairsOf = (output: string) =>
  Object.fromEntries(Object.entries(filesOf(at(output))).filter(([path]) => !OF_THE_MAP.includes(path)))

test('updates day by day leave the files of one fresh build, and the pairs of a build of the last map', async () => {
  const daily = await region('daily')
  for (let i = 1; i <= 3; i++) {
    publish(i, i)
    const ran = await skyscriptHere(['update', daily])
    expect(ran.code, ran.stderr).toBe(0)
    if (i > 1) expect(ran.stdout).toMatch(/\nchanged since the last build: .* details: changes\.json\n/)
    expect(ran.stdout).toContain(`of ${day(1 + i)}, sequence number ${100 + i}: ${i} change file`)
  }
  newCache()
  const fresh = await region('fresh', { changes: 'auto' })
  const built = await skyscriptHere(['build', fresh])
  expect(built.code, built.stderr).toBe(0)
  expect(filesOf(at('daily'))).toEqual(filesOf(at('fresh')))

  const texts = await Promise.all(
    DAYS.slice(0, 3).map(async (edits, i) => {
      await writeFile(at(`${i}.osc`), changeText(edits))
      return at(`${i}.osc`)
    }),
  )
  await applyChanges({ file: at('base.osm.pbf'), changes: texts, output: at('last.osm.pbf'), within: 'extract' })
  const last = await region('last', { source: at('last.osm.pbf') })
  expect((await skyscriptHere(['build', last])).code).toBe(0)
  expect(pairsOf('daily')).toEqual(pairsOf('last'))
}, 120_000)

test('what an update prints names the map, the changes by kind, and the dataset; with --json it is the lock and the changes', async () => {
  publish(1, 3)
  const ran = await skyscriptHere(['update', await region('printed'), '--json'])
  expect(ran.code, ran.stderr).toBe(0)
  const { updates, inputs } = JSON.parse(ran.stdout)
  expect(updates).toMatchObject([
    {
      ...{ name: 'base.osm.pbf', files: 3, newFiles: 3, timestamp: day(4), sequence: 103 },
      counts: { created: { nodes: 2, ways: 0 }, modified: { nodes: 1 }, deleted: { nodes: 1 } },
    },
  ])
  expect(inputs).toMatchObject([{ replicationTimestamp: day(4), replicationSequence: 103, changes: { files: 3 } }])
  const again = await skyscriptHere(['update', at('printed.yaml')])
  expect(again.stdout).toMatch(
    /3 change files since the extract, 0 new\n.*nodes +ways +relations\n +created +2 +0 +0\n/,
  )
  expect(again.stdout).toContain('(nothing had changed)')
  // A build without the changes is of the extract, as before.
  expect((await skyscriptHere(['verify', at('printed')])).code).toBe(0)
}, 60_000)

test('an update that can go no further says what to download, ends with 3, and leaves the dataset as it was', async () => {
  publish(1, 1)
  const file = await region('outdated')
  expect((await skyscriptHere(['update', file])).code).toBe(0)
  const before = filesOf(at('outdated'))
  server.files.clear()
  publish(3, 4)
  const ran = await skyscriptHere(['update', file])
  expect(ran.code).toBe(3)
  expect(ran.stderr.trim().split('\n').at(-1)).toMatch(
    /^skyscript: .*no longer has the changes after it; download a newer extract: http.*$/,
  )
  expect(filesOf(at('outdated'))).toEqual(before)
}, 60_000)

test('a failed download ends with 1, and the next update applies what that one should have', async () => {
  publish(1, 2)
  const whole = server.files.get(`${changesPath(102)}.osc.gz`)!
  server.files.set(`${changesPath(102)}.osc.gz`, (_request, response) => response.writeHead(403).end())
  const file = await region('failed')
  expect((await skyscriptHere(['update', file])).code).toBe(1)
  server.files.set(`${changesPath(102)}.osc.gz`, whole)
  const ran = await skyscriptHere(['update', file])
  expect(ran.stdout).toContain('sequence number 102: 2 change files')
}, 60_000)

test('an update killed at any step and run again leaves what an update that was not killed does', async () => {
  publish(1, 2)
  const whole = await region('whole')
  expect((await skyscriptHere(['update', whole])).code).toBe(0)
  // Stops at each request are in updated-maps.test.ts.
  const steps: readonly [string, string, RegExp | null][] = [
    ['a download', `${changesPath(102)}.osc.gz`, null],
    ['applying', '', /apply: 2 change files/],
  ]
  for (const [step, path, said] of steps) {
    newCache()
    const name = `killed-${step.replaceAll(' ', '-')}`
    const file = await region(name)
    const running = start(['update', file])
    if (said === null) {
      const answer = server.files.get(path)!
      const asked = new Promise<void>((resolve) => server.files.set(path, () => resolve()))
      await asked
      server.files.set(path, answer)
    } else await running.says(said)
    running.child.kill('SIGKILL')
    await running.done
    const again = await skyscriptHere(['update', file])
    expect(again.code, again.stderr).toBe(0)
    expect(filesOf(at(name))).toEqual(filesOf(at('whole')))
  }
}, 120_000)

test('--watch updates again and again, past a fault that passes, until SIGTERM ends it while it waits', async () => {
  publish(1, 1)
  const file = await region('watched')
  const running = start(['update', file, '--watch', '1s'])
  await running.says(/sequence number 101: 1 change file/)
  // The server has half of a file for a while.
  publish(2, 2)
  const whole = server.files.get(`${changesPath(102)}.osc.gz`) as Uint8Array
  server.files.set(`${changesPath(102)}.osc.gz`, whole.subarray(0, -9))
  await running.says(/damaged or cut off.*The next update tries again/)
  server.files.set(`${changesPath(102)}.osc.gz`, whole)
  await running.says(/sequence number 102: 2 change files since the extract, 1 new/)
  await running.says(/sequence number 102: 2 change files since the extract, 0 new/)
  const stopped = Date.now()
  running.child.kill('SIGTERM')
  const { code, stderr } = await running.done
  expect(code, stderr).toBe(0)
  expect(Date.now() - stopped).toBeLessThan(2000)
  newCache()
  expect((await skyscriptHere(['update', await region('watched-fresh')])).code).toBe(0)
  expect(filesOf(at('watched'))).toEqual(filesOf(at('watched-fresh')))
}, 90_000)

test('a map of a fixed time is not updated', async () => {
  const ran = await skyscriptHere(['update', await region('fixed', { at: '2023-05-01' })])
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('run skyscript build, or remove osm.at') })
  const both = await skyscriptHere(['build', await region('both', { at: '2023-05-01', changes: 'auto' })])
  expect(both).toMatchObject({ code: 1, stderr: expect.stringContaining('osm.changes: must not be set with osm.at') })
})

test.each(['1', '0d', 'soon', '1w'])('--watch %s is refused', async (text) => {
  const ran = await skyscriptHere(['update', 'region.yaml', '--watch', text])
  expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('a time such as 30m, 6h or 1d') })
})
