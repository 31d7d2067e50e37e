/** `skyscript apply-changes` and `extract --changes`, as a user runs them. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFolder, skyscript, start } from './support/skyscript.ts'
import { SMALL_TOWN, writeMap } from './support/small-map.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('apply-changes')
  await writeMap(at('town.osm.pbf'), SMALL_TOWN)
  const change = (actions: string) => gzipSync(`<osmChange version="0.6">${actions}</osmChange>`)
  const tree = (version: number, lon: number) =>
    `<node id="900001" version="${version}" timestamp="2026-02-0${version}T00:00:00Z" lon="${lon}" lat="0.001"><tag k="natural" v="tree"/></node>`
  writeFileSync(at('1.osc.gz'), change(`<create>${tree(1, 0.001)}</create>`))
  writeFileSync(at('2.osc.gz'), change(`<modify>${tree(2, 0.002)}</modify>`))
})
afterAll(() => folder.remove())

test('apply-changes writes a file that extract reads as it reads the old file with --changes', async () => {
  const { code, stderr } = await skyscript([
    ...['apply-changes', at('town.osm.pbf'), at('2.osc.gz'), at('1.osc.gz'), '-o', at('new.osm.pbf')],
  ])
  expect([code, stderr]).toEqual([0, expect.stringContaining('created: 1 node, 0 ways, 0 relations')])
  expect(stderr).toContain('no effect, superseded: 1')
  const changed = await skyscript(['extract', at('new.osm.pbf')])
  const both = `${at('1.osc.gz')},${at('2.osc.gz')}`
  const atOnce = await skyscript(['extract', at('town.osm.pbf'), '--changes', both])
  expect(changed.stdout).toContain('[0.002,0.001]')
  expect(atOnce.stdout).toBe(changed.stdout)
})

test('--json prints counts, and changes of elsewhere are said to be', async () => {
  const where = ['--within', '50,50,51,51', '--output', at('same.osm.pbf'), '--json']
  const { code, stdout, stderr } = await skyscript(['apply-changes', at('town.osm.pbf'), at('1.osc.gz'), ...where])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ created: { nodes: 0 }, ignored: { 'outside-extract': 1 } })
  expect(stderr).toContain('changes of another region')
})

test.each([
  [['apply-changes', 'town.osm.pbf', '1.osc.gz'], 'required option'],
  [['apply-changes', 'town.osm.pbf', '3.osc.gz', '-o', 'x.osm.pbf'], "3.osc.gz can't be read"],
  [['apply-changes', 'town.osm.pbf', '1.osc.gz', '-o', 'nowhere/x.osm.pbf'], "can't be written"],
  [['apply-changes', 'town.osm.pbf', '1.osc.gz', '-o', 'x.osm.pbf', '--within', 'there'], '--within'],
  [['apply-changes', 'town.osm.pbf', '1.osc.gz', '-o', 'x.osm.pbf', '--within', '1,2,3'], 'It must be west,south'],
  [['extract', 'town.osm.pbf', '--changes', '1.osc.gz', '--at', '2024-01-01'], '--changes has no effect'],
])('%s is refused in one sentence', async (args, part) => {
  const { code, stdout, stderr } = await skyscript(args, { cwd: folder.path })
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toContain(part)
})

test('extract --changes leaves nothing in the temporary folder after SIGTERM', async () => {
  mkdirSync(at('tmp'))
  const trees = Array.from(
    { length: 100_000 },
    (_, i) => `<node id="${910_000 + i}" version="1" lon="0.001" lat="0.001"><tag k="natural" v="tree"/></node>`,
  )
  writeFileSync(at('many.osc'), `<osmChange version="0.6"><create>${trees.join('')}</create></osmChange>`)
  const options = { env: { TMPDIR: at('tmp') } }
  const run = start(['extract', at('town.osm.pbf'), '--changes', at('many.osc')], options)
  const began = () => readdirSync(at('tmp')).some((name) => name.startsWith('skyscript-changes-'))
  await expect.poll(began, { timeout: 20_000, interval: 5 }).toBe(true)
  run.child.kill('SIGTERM')
  expect(await run.done).toMatchObject({ code: 1, stderr: expect.stringContaining('run the same command again') })
  expect(began()).toBe(false)
})
