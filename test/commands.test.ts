// @module-tag slow
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesOf, MAIN, makeFolder, skyscript, start, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { MODEL, startTown, TOWN, type Town } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town

const at = (...names: string[]) => join(folder.path, ...names)
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line.startsWith('\u001e') ? line.slice(1) : line))

beforeAll(async () => {
  folder = await makeFolder('commands')
  town = await startTown(folder.path)
  const { code, stderr } = await skyscriptHere(['build', await writeRegion(at('town.yaml'), town.region(at('town')))])
  expect(code, stderr).toBe(0)
})
afterAll(async () => {
  await town?.earthEngine.close()
  await folder?.remove()
})

test('--help on every command says what it does and what it takes', async () => {
  const { code, stdout } = await skyscript(['--help'])
  expect(code).toBe(0)
  const commands = ['build', 'plan', 'worker', 'extract', 'tags', 'caption', 'score', 'cut', 'verify', 'doctor']
  for (const command of [...commands, 'local-earth-engine']) {
    expect(stdout).toContain(`  ${command}`)
    const help = await skyscriptHere([command, '--help'])
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining(`Usage: skyscript ${command}`)])
  }
})

test('extract writes one feature a line, and with --clip only those that meet the box', async () => {
  const all = lines((await skyscript(['extract', TOWN, '--all-tagged'])).stdout)
  expect(all.length).toBeGreaterThan(900)
  expect(all[0]).toEqual({
    type: 'Feature',
    id: expect.stringMatching(/^[nwa]\d+$/),
    geometry: { type: expect.any(String), coordinates: expect.any(Array) },
    properties: { tags: expect.any(Object), version: expect.any(Number), timestamp: expect.any(String) },
  })
  const visible = lines((await skyscript(['extract', TOWN])).stdout)
  expect(visible.length).toBeLessThan(all.length)
  const ids = new Set(all.map(({ id }) => id))
  expect(visible.every(({ id }) => ids.has(id))).toBe(true)
  const clipped = lines((await skyscript(['extract', TOWN, '--clip', '7.44,46.712,7.462,46.728'])).stdout)
  expect(clipped.length).toBeGreaterThan(100)
  expect(clipped.length).toBeLessThan(visible.length)
})

test('extract into a pipe that is closed early ends quietly', () => {
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', `"$0" "$1" extract "$2" | head -n 1`, process.execPath, MAIN, TOWN],
    {
      encoding: 'utf8',
    },
  )
  expect([stdout.split('\n').length, stderr]).toEqual([2, ''])
})

test('a line separator inside a JSON string does not end the line of a stream', async () => {
  const input = `${JSON.stringify({ key: 'natural', value: 'a\u2028b\u2029c' })}\r\n`
  const { code, stdout, stderr } = await skyscript(['tags'], { input })
  expect([code, stderr]).toEqual([0, ''])
  expect(lines(stdout)).toEqual([expect.objectContaining({ key: 'natural', value: 'a\u2028b\u2029c' })])
})

test('tags answers line by line, in order', async () => {
  const asked = [
    { key: 'natural', value: 'water' },
    { key: 'building', value: 'yes' },
    { key: 'addr:housenumber', value: '12' },
    { key: '__proto__', value: 'x' },
  ]
  const { code, stdout } = await skyscript(['tags'], { input: asked.map((tag) => JSON.stringify(tag)).join('\n') })
  expect(code).toBe(0)
  const answers = lines(stdout)
  expect(answers.map(({ key, value }) => ({ key, value }))).toEqual(asked)
  expect(answers.map(({ groundable }) => groundable)).toEqual([true, true, false, false])
  expect(answers[0]!.maxGsd).toBeGreaterThanOrEqual(10)
  expect(answers.every(({ why }) => typeof why === 'string')).toBe(true)
})

test('caption writes both captions of each line', async () => {
  const input = JSON.stringify({
    center_tags: { natural: 'water', name: 'Lake' },
    surrounding_tags: [{ landuse: 'forest' }, { building: 'yes' }],
  })
  const { code, stdout } = await skyscript(['caption', '--gsd', '0.6'], { input })
  expect(code).toBe(0)
  const [caption] = lines(stdout)
  expect(caption!.title).toMatch(/^a satellite image of .*water/)
  expect(caption!.title_multi_objects).toMatch(/surrounded by .*landuse of forest/)
  expect(stdout).not.toContain('Lake')
})

test('score gives the rows of the CSV with the similarities of the build', async () => {
  const csv = at('town', 'Town_train_unfiltered_5M.csv')
  const { code, stdout, stderr } = await skyscriptHere(['score', '--model', MODEL, '--images', csv])
  expect(code, stderr).toBe(0)
  const [header, ...rows] = stdout.trim().split('\n')
  expect(header).toBe('filepath,title,title_multi_objects,similarity_CLIP_openai,similarity')
  expect(rows.length).toBeGreaterThan(40)
  for (const row of rows) {
    const [stored, again] = row.split(',').slice(-2).map(Number)
    expect(Math.abs(again! - stored!), row).toBeLessThan(1e-5)
  }
})

test('plan counts what a build would ask for, without asking for a pixel', async () => {
  const before = town.earthEngine.stats().requests.pixels
  const region = await writeRegion(at('plan.yaml'), town.region(at('plan')))
  const { code, stdout, stderr } = await skyscriptHere(['plan', region, '--json'])
  expect(code, stderr).toBe(0)
  const plan = JSON.parse(stdout)
  expect(plan.objects.focus).toBeGreaterThan(60)
  expect(plan.requests.pixels + plan.requests.saved).toBe(plan.objects.planned)
  expect(plan.requests.saved).toBeGreaterThan(0)
  expect(Object.keys(plan.images)).toContain('CH')
  expect(plan.bytes.stored).toBeGreaterThan(0)
  expect(plan.secondsAtQuota).toBeGreaterThan(0)
  expect(town.earthEngine.stats().requests.pixels).toBe(before)
})

test('imagery.licences leaves out sources under others, and says what there is where none is left', async () => {
  const { imagery } = town.region(at('licences')) as { imagery: object }
  const plan = async (licences: string[]) => {
    const settings = town.region(at('licences'), { imagery: { ...imagery, licences } })
    return skyscriptHere(['plan', await writeRegion(at('licences.yaml'), settings), '--json'])
  }
  const { stdout, stderr } = await plan(['public domain', 'CC BY'])
  expect(Object.keys(JSON.parse(stdout).images), stderr).toEqual(['L8', 'P3'])
  const none = await plan(['all rights reserved'])
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('imagery.licences allows no source')])
  expect(none.stderr).toContain('"public domain"')
})

test('cut redoes ranking and splits from stored scores, without images or model', async () => {
  const before = filesOf(at('town'))
  const region = town.region(at('town'))
  const filter = {
    ...(region.filter as object),
    top: [10, 40],
    scorers: [{ name: 'openai', model: './no-longer-here' }],
  }
  const config = await writeRegion(at('cut.yaml'), { ...region, filter })
  const { code, stdout, stderr } = await skyscriptHere(['cut', at('town'), '--config', config, '--json'])
  expect(code, stderr).toBe(0)
  expect(Object.keys(JSON.parse(stdout).rows)).toContain('Town_train_top10pct_filtered_by_CLIP_openai.csv')
  expect((await skyscriptHere(['verify', at('town')])).code).toBe(0)
  const alone = await writeRegion(at('only-filter.yaml'), { name: 'Town', filter: { ...filter, top: [20] } })
  const again = await skyscriptHere(['cut', at('town'), '--config', alone, '--json'])
  expect(Object.keys(JSON.parse(again.stdout).rows)).toContain('Town_train_top20pct_filtered_by_CLIP_openai.csv')
  const mistyped = await skyscriptHere([
    'cut',
    at('town'),
    '--config',
    await writeRegion(at('typo.yaml'), { fliter: {} }),
  ])
  expect([mistyped.code, mistyped.stderr]).toEqual([1, expect.stringContaining('fliter: unknown field')])
  await skyscriptHere(['build', at('town.yaml')])
  expect(filesOf(at('town'))).toEqual(before)
})

test('verify and cut refuse a folder that is not there, and do not make it', async () => {
  for (const command of ['verify', 'cut']) {
    const { code, stderr } = await skyscriptHere([command, at('nothing')])
    expect([code, stderr]).toEqual([1, expect.stringContaining('There is no folder')])
  }
})

test('doctor finds what a region lacks, and nothing where all is there', async () => {
  const fine = await skyscriptHere(['doctor', at('town.yaml'), '--json'])
  expect(fine.code, fine.stdout).toBe(0)
  const region = town.region(at('ill'), {
    osm: { source: at('none.osm.pbf') },
    imagery: { sources: ['CH'], earthEngine: { endpoint: 'http://127.0.0.1:9', project: 'p' } },
    queue: 'redis://:hunter2@127.0.0.1:9',
  })
  const ill = await skyscriptHere(['doctor', await writeRegion(at('ill.yaml'), region), '--json'])
  expect(ill.code).toBe(1)
  const failed = JSON.parse(ill.stdout).filter(({ status }: { status: string }) => status === 'fail')
  expect(failed.map(({ name }: { name: string }) => name).sort()).toEqual(['earth-engine', 'osm', 'redis'])
  expect(failed.every(({ fix }: { fix: string }) => fix.length > 10)).toBe(true)
  expect(ill.stdout + ill.stderr).not.toContain('hunter2')
}, 120_000)

test('local-earth-engine serves what extract wrote, and ends with Ctrl-C', async () => {
  await writeFile(at('town.geojsonl'), (await skyscript(['extract', TOWN, '--all-tagged'])).stdout)
  const server = start(['local-earth-engine', '--port', '0', '--features', at('town.geojsonl')])
  await server.says(/http:\/\/127\.0\.0\.1:\d+\n/)
  await server.says(/Ctrl-C/)
  const url = (await server.says(/http:\/\/\S+/))[0]
  const { algorithms } = (await (await fetch(`${url}/v1/projects/p/algorithms`)).json()) as { algorithms: unknown[] }
  expect(algorithms.length).toBeGreaterThan(50)
  server.child.kill('SIGINT')
  const { code, stdout } = await server.done
  expect(code).toBe(0)
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/)
})
