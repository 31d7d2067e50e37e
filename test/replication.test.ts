/** What a server of changes has to answer, and what is made of its answers. */
import { writeFile } from 'node:fs/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { OutdatedError } from '../packages/core/src/index.ts'
import { useMapUpdates } from './support/map-updates.ts'
import { changesPath, changeText, DAYS, day, type Replication, stateText, townOf } from './support/replication.ts'

const map = useMapUpdates()
const { at, publish, update, refused } = map

test('an update asks for the changes after the extract, each once, and each after its state', async () => {
  publish(1, 3)
  const first = await update()
  expect(first).toMatchObject({
    newFiles: 3,
    input: { replicationTimestamp: day(4), replicationSequence: 103, changes: { files: 3, sha256: first.sha256 } },
  })
  expect(first.objects.filter((text) => /^n?(node\/)?(9|10|201|202)\b/.test(text)).length).toBeGreaterThan(0)
  expect(map.asked().sort()).toEqual([101, 102, 103].map((n) => `${changesPath(n)}.osc.gz`))
  for (const n of [101, 102, 103])
    expect(map.server.asked.indexOf(`${changesPath(n)}.state.txt`)).toBeLessThan(
      map.server.asked.indexOf(`${changesPath(n)}.osc.gz`),
    )

  map.server.asked.length = 0
  expect(await update()).toEqual({ ...first, newFiles: 0 })
  expect(map.server.asked).toEqual(['state.txt'])
})

test('an extract that is older than the oldest file of its server is refused at once, with what to download', async () => {
  publish(3, 4)
  const error = await refused()
  expect(error).toBeInstanceOf(OutdatedError)
  expect(error.code).toBe('map-too-old')
  expect(error.message).toBe(
    `${at('town.osm.pbf')} is of ${day(1)}, and ${map.server.url} no longer has the changes after it; download a newer extract: ${map.server.origin}/europe/town-latest.osm.pbf.`,
  )
  expect(map.server.asked.length).toBeLessThanOrEqual(5)
})

test('a server that has the state of the first file and not the file is as one that keeps neither', async () => {
  publish(1, 2)
  map.server.files.delete(`${changesPath(101)}.osc.gz`)
  expect(await refused()).toMatchObject({ code: 'map-too-old' })
})

test('a server that keeps the latest state only is followed as one that keeps all', async () => {
  publish(1, 4)
  const whole = await update('auto', { cache: 'other' })
  for (const n of [101, 102, 103, 104]) map.server.files.delete(`${changesPath(n)}.state.txt`)
  expect(await update()).toEqual(whole)
})

test.each(['osc.gz', 'both'])('a gap in the sequence is refused: %s', async (what) => {
  publish(1, 4)
  const suffix = 'osc.gz'
  map.server.files.delete(`${changesPath(103)}.${suffix}`)
  if (what === 'both') map.server.files.delete(`${changesPath(103)}.state.txt`)
  const error = await refused()
  expect(error).toBeInstanceOf(OutdatedError)
  expect(error.message).toMatch(/lacks the changes of sequence number 103, .*download a newer extract/)
  expect(map.server.asked.filter((path) => path === `${changesPath(103)}.${suffix}`)).toHaveLength(1)
  // What was there before stays what it is.
  publish(3, 3)
  map.server.files.set('state.txt', stateText(104, day(5)))
  expect((await update()).input.replicationSequence).toBe(104)
})

test('a server that restarted its sequence numbers is refused', async () => {
  map.server.publish(7, day(9), DAYS[0]!)
  expect(await refused()).toMatchObject({
    code: 'replication-reset',
    message: expect.stringMatching(/restarted its sequence numbers .*7 .*download a newer extract/),
  })
  // And when it has come further than the extract.
  map.server.publish(100, day(20), [])
  map.server.publish(101, day(21), [])
  expect(await refused()).toMatchObject({ code: 'replication-reset' })
})

test('after a server restarted its sequence numbers, a newer extract takes none of the changes that were cached before', async () => {
  publish(1, 3)
  await update()
  map.server.files.clear()
  map.server.publish(101, day(21), DAYS[3]!)
  map.server.publish(102, day(22), [])
  await writeFile(at('town.osm.pbf'), townOf(map.server.url, 100, day(20)))
  map.server.asked.length = 0
  const { input, objects } = await update()
  expect(input).toMatchObject({ replicationTimestamp: day(22), replicationSequence: 102 })
  expect(map.asked()).toEqual([101, 102].map((n) => `${changesPath(n)}.osc.gz`))
  expect(objects.join()).not.toContain('n201')
})

test('the state of each sequence number is asked for once', async () => {
  publish(1, 3)
  await update()
  const states = map.server.asked.filter((path) => path.endsWith('.state.txt'))
  expect(states.sort()).toEqual([100, 101, 102, 103].map((n) => `${changesPath(n)}.state.txt`))
})

test('a download of changes that is tried again is noted', async () => {
  publish(1, 1)
  const path = `${changesPath(101)}.osc.gz`
  const whole = map.server.files.get(path) as Uint8Array
  let tries = 0
  map.server.files.set(path, (_request, response) =>
    tries++ === 0 ? response.writeHead(503).end() : response.end(whole),
  )
  expect((await update()).newFiles).toBe(1)
  expect(map.said()).toContain(`${map.server.url}/${path}: HTTP 503; asking again in 1 s`)
})

test('a state.txt that is behind the map, of the same history, changes nothing', async () => {
  publish(1, 2)
  const before = await update()
  map.server.files.set('state.txt', stateText(101, day(2)))
  expect(await update()).toEqual({ ...before, newFiles: 0 })
  expect(map.said()).toContain('which is behind the map')
})

test.each([
  ['between two files', '2024-01-02T18:00:00Z', [102, 103, 104]],
  ['exactly of a state', day(3), [103, 104]],
  ['just before the oldest file', day(1), [101, 102, 103, 104]],
  ['newer than all', day(9), []],
])('a header without a sequence number is found by its time: %s', async (_, time, expected) => {
  publish(1, 4)
  await writeFile(at('town.osm.pbf'), townOf(map.server.url, null, time))
  const { input } = await update()
  expect(map.asked().sort()).toEqual(expected.map((n) => `${changesPath(n)}.osc.gz`))
  expect(input.replicationSequence).toBe(expected.length === 0 ? null : 104)
})

test('a header without a sequence number costs a few state files of many', async () => {
  for (let i = 1; i <= 1000; i++)
    map.server.files.set(
      `${changesPath(i)}.state.txt`,
      stateText(i, new Date(Date.UTC(2020, 0, i, 12)).toISOString().replace('.000', '')),
    )
  map.server.publish(1001, '2022-09-27T12:00:00Z', DAYS[0]!)
  await writeFile(at('town.osm.pbf'), townOf(map.server.url, null, '2022-09-26T13:00:00Z'))
  await update()
  expect(map.asked()).toEqual([`${changesPath(1001)}.osc.gz`])
  await writeFile(at('town.osm.pbf'), townOf(map.server.url, null, '2020-03-01T13:00:00Z'))
  map.server.asked.length = 0
  // Only states are there: the bisection found the first file that is missing.
  expect(await refused()).toMatchObject({ code: 'map-too-old' })
  expect(map.server.asked.length).toBeLessThan(40)
})

test('a header without a sequence number that is older than the oldest file is refused', async () => {
  publish(1, 4)
  await writeFile(at('town.osm.pbf'), townOf(map.server.url, null, '2023-11-05T12:00:00Z'))
  expect(await refused()).toMatchObject({ code: 'map-too-old' })
})

test.each([undefined, 'ftp://example.org/updates', 'http://169.254.169.254/updates'])(
  'a header with %s as its server leads to a sentence that names osm.changes',
  async (named) => {
    await writeFile(at('town.osm.pbf'), townOf(named))
    const error = await refused()
    expect(error.code).toMatch(/no-replication-server|bad-replication-server/)
    expect(error.message).toContain('osm.changes: [files]')
    expect(map.server.asked).toEqual([])
  },
)

test('a state.txt that is empty or half-written is asked for again', async () => {
  publish(1, 1)
  const whole = stateText(101, day(2))
  const texts = ['', 'timestamp=2024-', whole.slice(0, -2), whole]
  map.server.files.set('state.txt', (_request, response) => response.end(texts.shift() ?? whole))
  expect((await update()).input.replicationSequence).toBe(101)
})

test('a state.txt that stays empty ends the update with one sentence', async () => {
  map.server.files.set('state.txt', '')
  expect(await refused()).toMatchObject({
    code: 'bad-state',
    retry: true,
    message: expect.stringContaining('state.txt is empty'),
  })
  expect(map.server.asked.length).toBeLessThan(6)
})

test('a state.txt that is older than yesterday is said, and what it has is applied', async () => {
  publish(1, 1)
  expect((await update()).newFiles).toBe(1)
  expect(map.said()).toContain(`has published no changes since ${day(2)}`)
})

test('a state file of another sequence number is refused', async () => {
  publish(1, 2)
  map.server.files.set(`${changesPath(102)}.state.txt`, stateText(101, day(3)))
  expect(await refused()).toMatchObject({ code: 'bad-state' })
})

test('changes without a state are not used, and changes that are used stay as they were', async () => {
  publish(1, 1)
  // Being written: there is no state yet.
  map.server.files.set(`${changesPath(102)}.osc.gz`, gzipSync(changeText([])))
  const first = await update()
  expect(map.asked()).toEqual([`${changesPath(101)}.osc.gz`])
  // Regenerated later with other bytes: what was applied counts.
  map.server.files.set(`${changesPath(101)}.osc.gz`, gzipSync(changeText([...DAYS[0]!, ...DAYS[3]!])))
  expect(await update()).toEqual({ ...first, newFiles: 0 })
  publish(2, 2)
  map.server.asked.length = 0
  await update()
  expect(map.asked()).toEqual([`${changesPath(102)}.osc.gz`])
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
    map.server.files.set(`${changesPath(102)}.osc.gz`, file)
    expect(await refused()).toMatchObject({ code })
    publish(2, 2)
    expect(await update()).toEqual({ ...(await update('auto', { cache: 'other' })), newFiles: expect.any(Number) })
  },
)

test.each(['gzip', 'x-gzip'])('a server that sends change files in the encoding %s is followed', async (encoding) => {
  publish(1, 2)
  const path = `${changesPath(102)}.osc.gz`
  const whole = map.server.files.get(path) as Uint8Array
  const expected = await update('auto', { cache: 'plain' })
  const send = (file: Uint8Array) =>
    map.server.files.set(path, (_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding, 'content-length': file.length }).end(file),
    )
  send(gzipSync(gunzipSync(whole).subarray(0, -20)))
  expect(await refused('auto', { cache: encoding })).toMatchObject({ code: 'download-failed' })
  send(whole)
  expect(await update('auto', { cache: encoding })).toMatchObject({ objects: expected.objects, newFiles: 1 })
})

test('a download of changes that broke off is resumed', async () => {
  publish(1, 1)
  const whole = map.server.files.get(`${changesPath(101)}.osc.gz`) as Uint8Array
  const ranges: (string | undefined)[] = []
  map.server.files.set(`${changesPath(101)}.osc.gz`, ({ headers }, response) => {
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
