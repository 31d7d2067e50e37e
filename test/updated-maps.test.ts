/** Updated maps: the same however many updates made them, and what the cache keeps of them. */
import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { parseConfig } from '../packages/core/src/config.ts'
import { PLACE } from '../packages/core/src/index.ts'
import { followServer } from '../packages/pipeline/src/map-changes/follow-server.ts'
import { openUpdatedMaps } from '../packages/pipeline/src/map-changes/updated-maps.ts'
import { buildClaim } from '../packages/pipeline/src/ownership/claims.ts'
import { objectsOf, useMapUpdates } from './support/map-updates.ts'
import { changesPath, changeText, DAYS, day, type Edit, startReplication, townOf } from './support/replication.ts'
import { ROOT, sha256 } from './support/skyscript.ts'

const run = promisify(execFile)

const map = useMapUpdates()
const { at, publish, update, refused } = map

test('updates day by day give the same map, with the same identity, as one update', async () => {
  for (let i = 1; i <= DAYS.length; i++) {
    publish(i, i)
    expect((await update()).newFiles).toBe(1)
  }
  const stepwise = await update()
  expect(await update('auto', { cache: 'other' })).toEqual({ ...stepwise, newFiles: DAYS.length })
})

test('an object that came in one day and moved out the next is as gone in two updates as in one', async () => {
  const tree = { id: 300, tags: { natural: 'tree' } }
  map.server.publish(101, day(2), [{ ...tree, action: 'create', version: 1, on: 2, at: [10, 10] }])
  expect((await update()).objects.join()).toContain('n300')
  map.server.publish(102, day(3), [{ ...tree, action: 'modify', version: 2, on: 3, at: [90_000, 0] }])
  const stepwise = await update()
  expect(stepwise.objects.join()).not.toContain('n300')
  expect(await update('auto', { cache: 'other' })).toEqual({ ...stepwise, newFiles: 2 })
})

test('a change file may begin with a comment, on disk and on a server', async () => {
  const text = changeText(DAYS[0]!).replace('<osmChange', '<!-- by hand -->\n<osmChange')
  await writeFile(at('1.osc'), text)
  map.server.files.set('1.osc', text)
  const { objects } = await update(at('1.osc'))
  expect(objects.join()).toContain('n201')
  expect((await update(`${map.server.url}/1.osc`)).objects).toEqual(objects)
})

test('a full disk of the cache is named as such, and nothing is left of the map', async () => {
  await writeFile(at('1.osc'), changeText(DAYS[0]!))
  const script = `
    import { openChanges } from '${ROOT}/packages/pipeline/src/map-changes/index.ts'
    const { signal } = new AbortController()
    const changes = await openChanges('${at('1.osc')}', { signal, cacheFolder: '${at('full')}' })
    const town = { source: 'town', path: '${at('town.osm.pbf')}', bytes: 1, sha256: '0'.repeat(64) }
    await changes.update(async () => town).catch(({ code, message }) => console.log(code, message))`
  // A limit on the size of files refuses a write as a full disk does.
  const child = [process.execPath, '--input-type=module', '-e', script]
  const { stdout } = await run('bash', ['-c', 'ulimit -f 0; exec "$@"', 'bash', ...child])
  expect(stdout).toMatch(new RegExp(`^disk-full The disk of ${at('full')} is full`))
  expect(globSync('**/*.{new,part,json,pbf}', { cwd: at('full') })).toEqual([])
})

test('maps of different changes have different identities, also where the last changes are the same', async () => {
  publish(1, 2)
  const first = await update()
  map.server.publish(101, day(2), DAYS[3]!)
  map.server.publish(102, day(3), DAYS[1]!)
  expect((await update('auto', { cache: 'other' })).sha256).not.toBe(first.sha256)
})

test('later updates start from the map after a full batch, whether it was made in steps or at once', async () => {
  const never = new AbortController().signal
  const follow = async (cache: string) => {
    const extract = sha256(readFileSync(at('town.osm.pbf')))
    const maps = await openUpdatedMaps(at(cache), extract)
    const base = { name: 'town', path: at('town.osm.pbf'), sha256: extract }
    const made = await followServer(base, maps, { cacheFolder: at(cache), signal: never, batchBytes: 600 })
    return { ...made.map!, path: sha256(readFileSync(made.map!.path)) }
  }
  for (let i = 1; i <= DAYS.length; i++) {
    publish(i, i)
    await follow('steps')
  }
  const inSteps = await follow('steps')
  expect(await follow('once')).toEqual(inSteps)
  expect(inSteps.files).toBe(DAYS.length)
  expect(map.asked()).toHaveLength(2 * DAYS.length)
  const starts = globSync('maps/*/*.json', { cwd: at('steps') }).filter(
    (path) => JSON.parse(readFileSync(at('steps', path), 'utf8')).startFor,
  )
  expect(starts.length).toBeGreaterThan(0)
})

test('an update that is stopped at any request, and run again, gives the same map', async () => {
  publish(1, 3)
  const whole = await update('auto', { cache: 'whole' })
  const requests = map.server.asked.length
  for (let stopAt = 1; stopAt <= requests; stopAt++) {
    const controller = new AbortController()
    map.server.asked.length = 0
    const stopped = update('auto', { cache: `stopped-${stopAt}`, signal: controller.signal })
    const watching = setInterval(() => map.server.asked.length >= stopAt && controller.abort(new Error('stopped')), 1)
    await stopped.catch(() => {})
    clearInterval(watching)
    expect(await update('auto', { cache: `stopped-${stopAt}` })).toEqual({ ...whole, newFiles: expect.any(Number) })
  }
})

test('a map of the cache that was damaged, or changes that were, are made and fetched again', async () => {
  publish(1, 2)
  const whole = await update()
  for (const pattern of ['maps/**/*.osm.pbf', 'changes/**/*101.osc.gz', 'maps/**/*.json', 'changes/**/*.json']) {
    const [path] = globSync(pattern, { cwd: at('cache') })
    await writeFile(at('cache', path!), 'damaged')
    expect(await update()).toEqual({ ...whole, newFiles: expect.any(Number) })
  }
})

test('what nothing has used for a month is removed from the cache', async () => {
  publish(1, 2)
  const first = await update()
  const [note] = globSync('changes/*/*101.json', { cwd: at('cache') })
  const folders = ['maps/0123', 'changes/0123', 'change-files/0123']
  const stale = [note!.replace('101.json', '007.osc.gz'), note!.replace('101.json', '007.json'), ...folders]
  for (const path of folders) await mkdir(at('cache', path), { recursive: true })
  for (const path of stale.slice(0, 2)) await writeFile(at('cache', path), '')
  const old = new Date(Date.now() - 31 * 86_400_000)
  for (const path of stale) await utimes(at('cache', path), old, old)
  map.server.asked.length = 0
  expect(await update()).toEqual({ ...first, newFiles: 0 })
  await writeFile(at('1.osc'), changeText(DAYS[0]!))
  await update(at('1.osc'))
  for (const path of stale) expect(existsSync(at('cache', path))).toBe(false)
  expect(map.asked()).toEqual([])
})

test('what a killed update left is removed by the next', async () => {
  publish(1, 1)
  await update()
  const [map] = globSync('maps/*', { cwd: at('cache') })
  const [note] = globSync('maps/*/*.json', { cwd: at('cache') })
  expect(note).toBeDefined()
  const left = at('cache', map!, `${PLACE.slice(0, 8)}-4194305-00000000-0000-4000-8000-000000000000.new`)
  await mkdir(left)
  await writeFile(join(left, 'map.osm.pbf'), 'half')
  await update()
  expect(globSync('maps/*/*.new', { cwd: at('cache') })).toEqual([])
})

test('an extract by URL is kept while its server brings it up to date, and fetched anew when that no longer can', async () => {
  const address = `${map.server.origin}/europe/town-latest.osm.pbf`
  map.server.files.set('/europe/town-latest.osm.pbf', townOf(map.server.url))
  publish(1, 1)
  const source = address
  expect((await update('auto', { source })).input.replicationSequence).toBe(101)
  map.server.files.set('/europe/town-latest.osm.pbf', (_request, response) =>
    response.writeHead(200, { etag: '"new"' }).end(townOf(map.server.url, 103, day(4))),
  )
  map.server.asked.length = 0
  publish(2, 2)
  await update('auto', { source })
  expect(map.server.asked).not.toContain('/europe/town-latest.osm.pbf')
  // The server has dropped 103, which the extract there has.
  map.server.publish(104, day(5), DAYS[3]!)
  expect((await update('auto', { source })).input).toMatchObject({ replicationSequence: 104, changes: { files: 1 } })
})

test('each extract follows its own server', async () => {
  const other = await startReplication('/europe/other-updates')
  try {
    publish(1, 1)
    other.publish(8, day(3), DAYS[1]!)
    await writeFile(at('other.osm.pbf'), townOf(other.url, 7, day(2)))
    await update('auto', { source: [at('town.osm.pbf'), at('other.osm.pbf')] })
    expect(other.asked).toContain(`${changesPath(8)}.osc.gz`)
    expect(map.server.asked).toContain(`${changesPath(101)}.osc.gz`)
  } finally {
    await other.close()
  }
})

test('change files that are listed count once, in any order, by path or URL', async () => {
  publish(1, 4)
  const paths = await Promise.all(
    DAYS.map(async (edits, i) => {
      const text = changeText(edits)
      await writeFile(at(`${i}.osc`), i % 2 === 0 ? text : gzipSync(text))
      return at(`${i}.osc`)
    }),
  )
  const earlier = await update(paths.slice(0, 3))
  const first = await update(paths)
  // Only one of them was in no earlier map; afterwards none is new.
  expect([earlier.newFiles, first.newFiles]).toEqual([3, 1])
  const listed = { ...first, newFiles: 0 }
  expect(listed.objects).toEqual((await update()).objects)
  expect(listed.input).toMatchObject({ changes: { files: 4 }, replicationTimestamp: day(5), replicationSequence: null })
  const others = [[...paths].reverse(), [...paths, paths[1]!]]
  for (const list of others) expect(await update(list)).toEqual(listed)
  const copy = at('copy.osc')
  await writeFile(copy, readFileSync(paths[0]!))
  expect(await update([...paths, copy])).toEqual(listed)
  // The same bytes from a server.
  map.server.files.set('1.osc.gz', readFileSync(paths[1]!))
  const byUrl = await update([paths[0]!, `${map.server.url}/1.osc.gz`, ...paths.slice(2)])
  expect(byUrl).toEqual(listed)
  expect(map.server.asked).not.toContain('0.osc')
})

test.each([
  ['missing.osc', 'missing-file', 'check osm.changes'],
  ['ftp://example.org/1.osc.gz', 'bad-url', "can't be used in osm.changes"],
])('a change file that is not there is named: %s', async (file, code, text) => {
  const error = await refused([file])
  expect(error).toMatchObject({ code, message: expect.stringContaining(text) })
})

const CUT = gzipSync(changeText(DAYS[1]!)).subarray(0, -9)

test('change files that are no change files, or cut off, make no map', async () => {
  for (const [name, bytes] of [
    ['page.osc', '<!doctype html><html></html>'],
    ['cut.osc.gz', CUT],
    ['cut.osc', changeText(DAYS[0]!).slice(0, -20)],
  ] as const) {
    await writeFile(at(name), bytes)
    const error = await refused([at(name)])
    expect(error.message).toContain(name)
    expect(globSync('maps/*/*', { cwd: at('cache') })).toEqual([])
  }
})

test('changes of the whole planet bring nothing of elsewhere into an extract', async () => {
  const far: Edit[] = Array.from({ length: 5000 }, (_, i) => ({
    ...({ action: 'create', version: 1, on: 2, tags: { natural: 'tree' } } as const),
    ...{ id: 10_000 + i, at: [90_000 + i, i] },
  }))
  map.server.publish(101, day(2), far)
  const before = readFileSync(at('town.osm.pbf')).length
  expect((await update()).objects).toEqual(await objectsOf(at('town.osm.pbf')))
  expect(map.said()).toContain('None of the changes had an effect')
  map.server.publish(102, day(3), [...far, ...DAYS[0]!])
  expect((await update()).objects).toHaveLength((await objectsOf(at('town.osm.pbf'))).length + 1)
  for (const path of globSync('maps/*/*.osm.pbf', { cwd: at('cache') }))
    expect(readFileSync(at('cache', path)).length).toBeLessThan(1.2 * before)
})

test('a build with other changes is one with other settings for the owner of an output', () => {
  const claim = (changes: string) =>
    buildClaim('build', parseConfig(`osm: { source: a.osm.pbf${changes} }\noutput: out`, '/region.yaml')).settings
  const claims = ['', ', changes: auto', ', changes: a.osc', ', changes: [a.osc, b.osc]'].map(claim)
  expect(new Set(claims.map((settings) => JSON.stringify(settings))).size).toBe(4)
  expect(claim(', changes: "https://example.org/a.osc?key=1"')).toEqual(
    claim(', changes: "https://example.org/a.osc?key=2"'),
  )
})
