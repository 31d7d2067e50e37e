/** How an extract is brought up to date, by a server of changes or by files. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../packages/core/src/config.ts'
import { OutdatedError } from '../packages/core/src/index.ts'
import { extract, readHeader } from '../packages/osm-extract/src/index.ts'
import { withSources } from '../packages/pipeline/src/inputs.ts'
import { followServer } from '../packages/pipeline/src/map-changes/follow-server.ts'
import { openUpdatedMaps } from '../packages/pipeline/src/map-changes/updated-maps.ts'
import { buildClaim } from '../packages/pipeline/src/ownership/claims.ts'
import { inputOf, type SourceFile } from '../packages/pipeline/src/source-file.ts'
import { openStorage } from '../packages/worker/src/storages/storages.ts'
import { createTerminal } from '../packages/worker/src/terminal/terminal.ts'
import {
  changesPath,
  changeText,
  DAYS,
  day,
  type Edit,
  type Replication,
  startReplication,
  stateText,
  townOf,
} from './support/replication.ts'
import { makeFolder, sha256 } from './support/skyscript.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let server: Replication
let said: string
const at = (...names: string[]) => join(folder.path, ...names)

beforeEach(async () => {
  folder = await makeFolder('replication')
  server = await startReplication()
  said = ''
  await writeFile(at('town.osm.pbf'), townOf(server.url))
})
afterEach(async () => {
  await server.close()
  await folder.remove()
})

/** Publishes what happened on some days: the first is the 2nd of January, number 101. */
const publish = (first: number, last: number) => {
  for (let i = first; i <= last; i++) server.publish(100 + i, day(1 + i), DAYS[i - 1]!)
}

interface Updated {
  readonly sha256: string
  readonly input: ReturnType<typeof inputOf>
  readonly newFiles: number
  /** Nodes with tags, as `id: tags @place`. */
  readonly objects: readonly string[]
  readonly bytes: string
}

interface Options {
  readonly cache?: string
  readonly signal?: AbortSignal
  readonly source?: string | string[]
}

async function update(changes: string | string[] = 'auto', options: Options = {}): Promise<Updated> {
  const { cache = 'cache', signal = new AbortController().signal, source = at('town.osm.pbf') } = options
  const terminal = createTerminal({ write: (text) => (said += text) })
  return withSources(
    { source, clip: null, changes },
    { signal, openStorage, terminal, cacheFolder: at(cache), pauseMs: 5 },
    async ([file]) => seen(file!),
  )
}

async function seen(file: SourceFile): Promise<Updated> {
  const objects: string[] = []
  for await (const { id, tags, geometry } of extract(file.path, { wanted: 'all' }))
    objects.push(`${id}: ${JSON.stringify(tags)} @${JSON.stringify(geometry.coordinates)}`)
  return {
    sha256: file.sha256,
    input: inputOf(file, readHeader(file.path)),
    newFiles: file.updated!.newFiles,
    objects: objects.sort(),
    bytes: sha256(readFileSync(file.path)),
  }
}

const changeFiles = () => server.asked.filter((path) => path.endsWith('.osc.gz'))

const refused = async (...given: Parameters<typeof update>): Promise<Error & { code: string }> =>
  update(...given).then(
    () => expect.unreachable(),
    (error) => error,
  )

test('an update asks for the changes after the extract, each once, and each after its state', async () => {
  publish(1, 3)
  const first = await update()
  expect(first).toMatchObject({
    newFiles: 3,
    input: { replicationTimestamp: day(4), replicationSequence: 103, changes: { files: 3, sha256: first.sha256 } },
  })
  expect(first.objects.filter((text) => /^n?(node\/)?(9|10|201|202)\b/.test(text)).length).toBeGreaterThan(0)
  expect(changeFiles().sort()).toEqual([101, 102, 103].map((n) => `${changesPath(n)}.osc.gz`))
  for (const n of [101, 102, 103])
    expect(server.asked.indexOf(`${changesPath(n)}.state.txt`)).toBeLessThan(
      server.asked.indexOf(`${changesPath(n)}.osc.gz`),
    )

  server.asked.length = 0
  expect(await update()).toEqual({ ...first, newFiles: 0 })
  expect(server.asked).toEqual(['state.txt'])
})

test('updates day by day give the same map, with the same identity, as one update', async () => {
  for (let i = 1; i <= DAYS.length; i++) {
    publish(i, i)
    expect((await update()).newFiles).toBe(1)
  }
  const stepwise = await update()
  expect(await update('auto', { cache: 'other' })).toEqual({ ...stepwise, newFiles: DAYS.length })
})

test('later updates start from the map after a full batch, whether it was made in steps or at once', async () => {
  const never = new AbortController().signal
  const follow = async (cache: string) => {
    const extract = sha256(readFileSync(at('town.osm.pbf')))
    const maps = await openUpdatedMaps(at(cache), extract, 1e9)
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
  expect(changeFiles()).toHaveLength(2 * DAYS.length)
  const starts = globSync('maps/*/*.json', { cwd: at('steps') }).filter(
    (path) => JSON.parse(readFileSync(at('steps', path), 'utf8')).startFor,
  )
  expect(starts.length).toBeGreaterThan(0)
})

test('an extract that is older than the oldest file of its server is refused at once, with what to download', async () => {
  publish(3, 4)
  const error = await refused()
  expect(error).toBeInstanceOf(OutdatedError)
  expect(error.code).toBe('map-too-old')
  expect(error.message).toBe(
    `${at('town.osm.pbf')} is of ${day(1)}, and ${server.url} no longer has the changes after it; download a newer extract: ${server.origin}/europe/town-latest.osm.pbf.`,
  )
  expect(server.asked.length).toBeLessThanOrEqual(3)
})

test('a server that has the state of the first file and not the file is as one that keeps neither', async () => {
  publish(1, 2)
  server.files.delete(`${changesPath(101)}.osc.gz`)
  expect(await refused()).toMatchObject({ code: 'map-too-old' })
})

test.each(['osc.gz', 'state.txt'])('a gap in the sequence is refused: %s', async (suffix) => {
  publish(1, 4)
  server.files.delete(`${changesPath(103)}.${suffix}`)
  const error = await refused()
  expect(error).toBeInstanceOf(OutdatedError)
  expect(error.message).toMatch(/lacks the changes of sequence number 103, .*download a newer extract/)
  expect(server.asked.filter((path) => path === `${changesPath(103)}.${suffix}`)).toHaveLength(1)
  // What was there before stays what it is.
  publish(3, 3)
  server.files.set('state.txt', stateText(104, day(5)))
  expect((await update()).input.replicationSequence).toBe(104)
})

test('a server that began to count anew is refused', async () => {
  server.publish(7, day(9), DAYS[0]!)
  expect(await refused()).toMatchObject({
    code: 'replication-reset',
    message: expect.stringMatching(/count anew .*7 .*download a newer extract/),
  })
  // And when it has come further than the extract.
  server.publish(100, day(20), [])
  server.publish(101, day(21), [])
  expect(await refused()).toMatchObject({ code: 'replication-reset' })
})

test('a state.txt that is behind the map, of the same history, changes nothing', async () => {
  publish(1, 2)
  const map = await update()
  server.files.set('state.txt', stateText(101, day(2)))
  expect(await update()).toEqual({ ...map, newFiles: 0 })
  expect(said).toContain('which is behind the map')
})

test.each([
  ['between two files', '2024-01-02T18:00:00Z', [102, 103, 104]],
  ['exactly of a state', day(3), [103, 104]],
  ['just before the oldest file', day(1), [101, 102, 103, 104]],
  ['newer than all', day(9), []],
])('a header without a sequence number is found by its time: %s', async (_, time, expected) => {
  publish(1, 4)
  await writeFile(at('town.osm.pbf'), townOf(server.url, null, time))
  const { input } = await update()
  expect(changeFiles().sort()).toEqual(expected.map((n) => `${changesPath(n)}.osc.gz`))
  expect(input.replicationSequence).toBe(expected.length === 0 ? null : 104)
})

test('a header without a sequence number costs a few state files of many', async () => {
  for (let i = 1; i <= 1000; i++)
    server.files.set(
      `${changesPath(i)}.state.txt`,
      stateText(i, new Date(Date.UTC(2020, 0, i, 12)).toISOString().replace('.000', '')),
    )
  server.publish(1001, '2022-09-27T12:00:00Z', DAYS[0]!)
  await writeFile(at('town.osm.pbf'), townOf(server.url, null, '2022-09-26T13:00:00Z'))
  await update()
  expect(changeFiles()).toEqual([`${changesPath(1001)}.osc.gz`])
  await writeFile(at('town.osm.pbf'), townOf(server.url, null, '2020-03-01T13:00:00Z'))
  server.asked.length = 0
  // Only states are there: the bisection found the first file that is missing.
  expect(await refused()).toMatchObject({ code: 'map-too-old' })
  expect(server.asked.length).toBeLessThan(40)
})

test('a header without a sequence number that is older than the oldest file is refused', async () => {
  publish(1, 4)
  await writeFile(at('town.osm.pbf'), townOf(server.url, null, '2023-11-05T12:00:00Z'))
  expect(await refused()).toMatchObject({ code: 'map-too-old' })
})

test.each([undefined, 'ftp://example.org/updates', 'http://169.254.169.254/updates'])(
  'a header with %s as its server leads to a sentence that names osm.changes',
  async (named) => {
    await writeFile(at('town.osm.pbf'), townOf(named))
    const error = await refused()
    expect(error.code).toMatch(/no-replication-server|bad-replication-server/)
    expect(error.message).toContain('osm.changes: [files]')
    expect(server.asked).toEqual([])
  },
)

test('a state.txt that is empty or half-written is asked for again', async () => {
  publish(1, 1)
  const whole = stateText(101, day(2))
  const texts = ['', 'timestamp=2024-', whole.slice(0, -2), whole]
  server.files.set('state.txt', (_request, response) => response.end(texts.shift() ?? whole))
  expect((await update()).input.replicationSequence).toBe(101)
})

test('a state.txt that stays empty ends the update with one sentence', async () => {
  server.files.set('state.txt', '')
  expect(await refused()).toMatchObject({
    code: 'bad-state',
    retry: true,
    message: expect.stringContaining('state.txt is empty'),
  })
  expect(server.asked.length).toBeLessThan(6)
})

test('a state.txt that is older than yesterday is said, and what it has is applied', async () => {
  publish(1, 1)
  expect((await update()).newFiles).toBe(1)
  expect(said).toContain(`has published no changes since ${day(2)}`)
})

test('a state file of another sequence number is refused', async () => {
  publish(1, 2)
  server.files.set(`${changesPath(102)}.state.txt`, stateText(101, day(3)))
  expect(await refused()).toMatchObject({ code: 'bad-state' })
})

test('changes without a state are not used, and changes that are used stay as they were', async () => {
  publish(1, 1)
  // Being written: there is no state yet.
  server.files.set(`${changesPath(102)}.osc.gz`, gzipSync(changeText([])))
  const first = await update()
  expect(changeFiles()).toEqual([`${changesPath(101)}.osc.gz`])
  // Regenerated later with other bytes: what was applied counts.
  server.files.set(`${changesPath(101)}.osc.gz`, gzipSync(changeText([...DAYS[0]!, ...DAYS[3]!])))
  expect(await update()).toEqual({ ...first, newFiles: 0 })
  publish(2, 2)
  server.asked.length = 0
  await update()
  expect(changeFiles()).toEqual([`${changesPath(102)}.osc.gz`])
})

const CUT = gzipSync(changeText(DAYS[1]!)).subarray(0, -9)

test.each<[string, Parameters<Replication['files']['set']>[1], string]>([
  ['cut off on the server', CUT, 'download-failed'],
  ['a web page', '<!doctype html><title>busy</title>', 'not-a-change-file'],
  ['another format', gzipSync('<osm></osm>'), 'not-a-change-file'],
  ['refused', (_request, response) => response.writeHead(403).end(), 'download-failed'],
])(
  'a change file that is %s is not noted as done, and the update after it is as if it had not been',
  async (_, file, code) => {
    publish(1, 2)
    server.files.set(`${changesPath(102)}.osc.gz`, file)
    expect(await refused()).toMatchObject({ code })
    publish(2, 2)
    expect(await update()).toEqual({ ...(await update('auto', { cache: 'other' })), newFiles: expect.any(Number) })
  },
)

test('a download of changes that broke off is resumed', async () => {
  publish(1, 1)
  const whole = server.files.get(`${changesPath(101)}.osc.gz`) as Uint8Array
  const ranges: (string | undefined)[] = []
  server.files.set(`${changesPath(101)}.osc.gz`, ({ headers }, response) => {
    ranges.push(headers.range)
    const etag = '"1"'
    if (headers.range === undefined) {
      response.writeHead(200, { etag, 'content-length': whole.length })
      response.write(whole.subarray(0, 100), () => response.destroy())
    } else {
      const from = Number(/\d+/.exec(headers.range)![0])
      response.writeHead(206, { etag, 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` })
      response.end(whole.subarray(from))
    }
  })
  expect((await update()).newFiles).toBe(1)
  expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]/)])
})

test('an update that is stopped at any request, and run again, gives the same map', async () => {
  publish(1, 3)
  const whole = await update('auto', { cache: 'whole' })
  const requests = server.asked.length
  for (let stopAt = 1; stopAt <= requests; stopAt++) {
    const controller = new AbortController()
    server.asked.length = 0
    const stopped = update('auto', { cache: `stopped-${stopAt}`, signal: controller.signal })
    const watching = setInterval(() => server.asked.length >= stopAt && controller.abort(new Error('stopped')), 1)
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
  const stale = [note!.replace('101.json', '007.osc.gz'), note!.replace('101.json', '007.json'), 'maps/0123']
  await mkdir(at('cache', 'maps/0123'))
  for (const path of stale.slice(0, 2)) await writeFile(at('cache', path), '')
  const old = new Date(Date.now() - 31 * 86_400_000)
  for (const path of stale) await utimes(at('cache', path), old, old)
  server.asked.length = 0
  expect(await update()).toEqual({ ...first, newFiles: 0 })
  for (const path of stale) expect(existsSync(at('cache', path))).toBe(false)
  expect(changeFiles()).toEqual([])
})

test('what a killed update left is removed by the next', async () => {
  publish(1, 1)
  await update()
  const [map] = globSync('maps/*', { cwd: at('cache') })
  const [note] = globSync('maps/*/*.json', { cwd: at('cache') })
  expect(note).toBeDefined()
  const { PLACE } = await import('../packages/core/src/index.ts')
  const left = at('cache', map!, `${PLACE.slice(0, 8)}-4194305-00000000-0000-4000-8000-000000000000.new`)
  await mkdir(left)
  await writeFile(join(left, 'map.osm.pbf'), 'half')
  await update()
  expect(globSync('maps/*/*.new', { cwd: at('cache') })).toEqual([])
})

test('an extract by URL is kept while its server brings it up to date, and fetched anew when that no longer can', async () => {
  const address = `${server.origin}/europe/town-latest.osm.pbf`
  server.files.set('/europe/town-latest.osm.pbf', townOf(server.url))
  publish(1, 1)
  const source = address
  expect((await update('auto', { source })).input.replicationSequence).toBe(101)
  server.files.set('/europe/town-latest.osm.pbf', (_request, response) =>
    response.writeHead(200, { etag: '"new"' }).end(townOf(server.url, 103, day(4))),
  )
  server.asked.length = 0
  publish(2, 2)
  await update('auto', { source })
  expect(server.asked).not.toContain('/europe/town-latest.osm.pbf')
  // The server has dropped 103, which the extract there has.
  server.publish(104, day(5), DAYS[3]!)
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
    expect(server.asked).toContain(`${changesPath(101)}.osc.gz`)
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
  const listed = await update(paths)
  expect(listed.objects).toEqual((await update()).objects)
  expect(listed.input).toMatchObject({ changes: { files: 4 }, replicationTimestamp: day(5), replicationSequence: null })
  const others = [[...paths].reverse(), [...paths, paths[1]!]]
  for (const list of others) expect(await update(list)).toEqual(listed)
  const copy = at('copy.osc')
  await writeFile(copy, readFileSync(paths[0]!))
  expect(await update([...paths, copy])).toEqual(listed)
  // The same bytes from a server.
  server.files.set('1.osc.gz', readFileSync(paths[1]!))
  const byUrl = await update([paths[0]!, `${server.url}/1.osc.gz`, ...paths.slice(2)])
  expect(byUrl).toEqual(listed)
  expect(server.asked).not.toContain('0.osc')
})

test.each([
  ['missing.osc', 'missing-file', 'check osm.changes'],
  ['ftp://example.org/1.osc.gz', 'bad-url', "can't be used in osm.changes"],
])('a change file that is not there is named: %s', async (file, code, text) => {
  const error = await refused([file])
  expect(error).toMatchObject({ code, message: expect.stringContaining(text) })
})

test('change files that are no change files, or cut off, make no map', async () => {
  for (const [name, bytes] of [
    ['page.osc', '<!doctype html><html></html>'],
    ['cut.osc.gz', CUT],
    ['cut.osc', gunzipSync(gzipSync(changeText(DAYS[0]!))).subarray(0, -20)],
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
  server.publish(101, day(2), far)
  const before = readFileSync(at('town.osm.pbf')).length
  expect((await update()).objects).toEqual(await seenBase())
  expect(said).toContain('None of the changes concern')
  server.publish(102, day(3), [...far, ...DAYS[0]!])
  expect((await update()).objects).toHaveLength((await seenBase()).length + 1)
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

async function seenBase(): Promise<string[]> {
  const objects: string[] = []
  for await (const { id, tags, geometry } of extract(at('town.osm.pbf'), { wanted: 'all' }))
    objects.push(`${id}: ${JSON.stringify(tags)} @${JSON.stringify(geometry.coordinates)}`)
  return objects.sort()
}
