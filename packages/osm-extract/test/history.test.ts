// @module-tag slow
/** Files of histories: the map of a time is that which `osmium time-filter` cuts out of them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { lacks, OSMIUM } from '../../../test/support/needs.ts'
import { extract, readHeader } from '../src/index.ts'
import { fileOf, fileOfBlocks, ProtoWriter, readAll, SHARED, sharedData, strings, zlibBlob } from './files.ts'

const folder = mkdtempSync(join(tmpdir(), 'history-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)
const timeOf = (day: number) => `2020-01-${String(day).padStart(2, '0')}T00:00:00Z`

async function bytesOf(path: string, options: Partial<Parameters<typeof extract>[1]> = {}) {
  const extraction = extract(path, { wanted: 'all', ...options })
  const parts: Uint8Array[] = []
  for await (const { bytes } of extraction.chunks()) parts.push(bytes)
  const { headers: _headers, newestEdit, ...report } = extraction.report()
  return { text: Buffer.concat(parts).toString('utf8'), report, newestEdit }
}

/** The versions of an element, each as the end of a line of OPL after id, version and timestamp, or deleted (null). */
const versionsOf = (body: fc.Arbitrary<string>) =>
  fc.array(fc.record({ step: fc.integer({ min: 0, max: 4 }), body: fc.option(body, { freq: 4 }) }), { maxLength: 5 })
const tags = fc.constantFrom('', 'Tbuilding=yes', 'Tnatural=wood,name=Hain', 'Thighway=path')
const place = fc.integer({ min: 0, max: 6 }).map((step) => (step / 1000).toFixed(3))
const nodeBody = fc.tuple(tags, place, place).map(([tag, x, y]) => `${tag} x${x} y${y}`)
const refs = (ids: readonly number[]) => `N${ids.map((id) => `n${id}`).join(',')}`
const wayBody = fc
  .tuple(tags, fc.constantFrom([1, 2, 3, 4, 1], [1, 2, 5], [4, 3, 2, 6, 4], [3, 4]))
  .map(([tag, ids]) => `${tag} ${refs(ids)}`)
const relationBody = fc
  .constantFrom([1], [1, 2], [2, 3])
  .map((ids) => `Ttype=multipolygon,landuse=forest M${ids.map((id) => `w${id}@`).join(',')}`)

/** OPL of some elements with all their versions: https://osmcode.org/opl-file-format/ */
const history = fc
  .tuple(
    fc.array(versionsOf(nodeBody), { minLength: 6, maxLength: 6 }),
    fc.array(versionsOf(wayBody), { minLength: 3, maxLength: 3 }),
    fc.array(versionsOf(relationBody), { minLength: 1, maxLength: 1 }),
  )
  .map((kinds) =>
    kinds
      .flatMap((elements, kind) =>
        elements.flatMap((versions, i) => {
          let day = 1
          return versions.map(({ step, body }, version) => {
            day += step
            const head = `${'nwr'[kind]}${i + 1} v${version + 1} d${body === null ? 'D' : 'V'} t${timeOf(day)}`
            return `${head} ${body ?? ''}`.trimEnd()
          })
        }),
      )
      .join('\n'),
  )

test.skipIf(lacks(OSMIUM))(
  'the map of a time is what osmium time-filter cuts out',
  async () => {
    const property = async (opl: string, day: number, isDense: boolean) => {
      const [full, then] = [at('full.osh.pbf'), at('then.osm.pbf')]
      const format = `pbf,history=true,pbf_dense_nodes=${isDense}`
      execFileSync('osmium', ['cat', '-F', 'opl', '-', '-f', format, '-o', full, '--overwrite'], { input: `${opl}\n` })
      execFileSync('osmium', ['time-filter', full, timeOf(day), '-o', then, '--overwrite'], { stdio: 'pipe' })
      const isOlder = opl.includes('t2020') && !opl.split('\n').some((line) => line.includes('t2020') && timeIn(line) <= timeOf(day)) // biome-ignore format: one condition
      if (isOlder) return void (await expect(bytesOf(full, { at: timeOf(day) })).rejects.toMatchObject({ code: 'before-history' })) // biome-ignore format: one claim
      const { newestEdit: _none, ...expected } = await bytesOf(then)
      const { newestEdit, ...read } = await bytesOf(full, { at: timeOf(day) })
      expect(read).toEqual(expected)
      const newest = opl.split('\n').filter(Boolean).map(timeIn).sort().at(-1) ?? null
      expect(newestEdit).toBe(newest)
    }
    const timeIn = (line: string) => /t(2020\S+)/.exec(line)![1]!
    await fc.assert(fc.asyncProperty(history, fc.integer({ min: 1, max: 14 }), fc.boolean(), property), { numRuns: 25 })
  },
  60_000,
)

const seconds = (day: number) => Date.parse(timeOf(day)) / 1000

/** A node in a message of its own, tagged `natural=tree`. */
const nodeOf =
  (id: number, version: number, day: number, isVisible = true) =>
  (group: ProtoWriter) =>
    group.message(1, (node) => {
      node.signed(1, id).packed(2, [1]).packed(3, [2])
      node.message(4, (info) =>
        info
          .integer(1, version)
          .integer(2, seconds(day))
          .integer(6, isVisible ? 1 : 0),
      )
      node.signed(8, version * 10_000).signed(9, id * 10_000)
    })

/** A file of histories, each block with its own nodes. */
const historyOf = (...blocks: ((group: ProtoWriter) => void)[][]) => {
  const header = new ProtoWriter().bytes(4, 'OsmSchema-V0.6').bytes(4, 'HistoricalInformation').finish()
  return fileOf(
    Buffer.concat([
      zlibBlob('OSMHeader', header),
      ...blocks.map((nodes) => {
        const block = new ProtoWriter().message(1, strings('natural', 'tree'))
        block.message(2, (group) => {
          for (const put of nodes) put(group)
        })
        return zlibBlob('OSMData', block.finish())
      }),
    ]),
  )
}

describe('versions of one element in several blocks', () => {
  const path = historyOf(
    [nodeOf(1, 1, 1), nodeOf(2, 1, 1), nodeOf(2, 2, 5)],
    [],
    [nodeOf(2, 3, 9)],
    [nodeOf(2, 4, 12, false), nodeOf(3, 1, 12)],
  )
  test.each([
    [1, ['n1 1', 'n2 1']],
    [5, ['n1 1', 'n2 2']],
    [8, ['n1 1', 'n2 2']],
    [9, ['n1 1', 'n2 3']],
    [12, ['n1 1', 'n3 1']],
  ])('on day %i', async (day, expected) => {
    const { objects, report } = await readAll(path, { at: timeOf(day) })
    expect(objects.map(({ id, version }) => `${id} ${version}`)).toEqual(expected)
    expect(report).toMatchObject({ read: { nodes: expected.length }, newestEdit: timeOf(12) })
    if (day === 9) expect((await readAll(path, { at: timeOf(day), threads: 3 })).objects).toEqual(objects)
  })
})

test('two files of histories are read as one map', async () => {
  const [west, east] = [historyOf([nodeOf(1, 1, 1), nodeOf(1, 2, 3)]), historyOf([nodeOf(1, 3, 6), nodeOf(7, 1, 2)])]
  const of = async (day: number) =>
    (await readAll([west, east], { at: timeOf(day) })).objects.map(({ id, version }) => `${id} ${version}`)
  expect(await of(2)).toEqual(['n1 1', 'n7 1'])
  expect(await of(6)).toEqual(['n1 3', 'n7 1'])
})

test('what cannot be the map of a time is refused in one sentence that says what to do', async () => {
  const path = historyOf([nodeOf(1, 1, 5)])
  await expect(readAll(path)).rejects.toMatchObject({
    code: 'history-file',
    message: expect.stringContaining('osm.at'),
  })
  expect(() => readHeader(path)).toThrow(/history file.*osm\.at/)
  await expect(readAll(path, { at: timeOf(4) })).rejects.toMatchObject({
    code: 'before-history',
    message: `There is no map of ${timeOf(4)}: the oldest edit that ${path} has is of ${timeOf(5)}; give a later time as osm.at or --at.`,
  })
  const current = fileOf(fileOfBlocks())
  await expect(readAll([path, current], { at: timeOf(6) })).rejects.toMatchObject({
    code: 'not-a-history',
    message: expect.stringMatching(/only the newest state.*\.osh\.pbf.*osm\.at/),
  })
  for (const blocks of [
    [[nodeOf(1, 2, 5), nodeOf(1, 1, 4)]],
    [[nodeOf(2, 1, 5), nodeOf(1, 1, 4)]],
    [[nodeOf(2, 1, 5)], [nodeOf(1, 1, 4)]],
  ])
    await expect(readAll(historyOf(...blocks), { at: timeOf(6) })).rejects.toMatchObject({ code: 'pbf-not-sorted' })
})

test.skipIf(lacks(sharedData('edge/deleted_nodes.osh.pbf')))('what was deleted at the time is not there', async () => {
  const { objects, report } = await readAll(join(SHARED, 'edge/deleted_nodes.osh.pbf'), { at: '2100-01-01T00:00:00Z' })
  expect([objects, report.read.nodes]).toEqual([[], 1])
})
