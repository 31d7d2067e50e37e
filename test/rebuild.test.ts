// @module-tag slow
import { existsSync } from 'node:fs'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesOf, makeFolder, type Ran, skyscript, start, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { startSmallTown } from './support/small-map.ts'
import { MODEL, type Town } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
/** The dataset that the tests start from, and a file for each kind of output. */
let whole: Record<string, string>

const at = (...names: string[]) => join(folder.path, ...names)

/** Held-out ground on which some of the dozen pairs are. */
const filter = {
  scorers: [{ name: 'openai', model: MODEL }],
  top: [30, 50],
  val: 2,
  test: 2,
  split: { by: 'block', degrees: 0.001, val: 20, test: 20 },
}

type Command = (args: readonly string[]) => Promise<Ran>

async function build(
  name: string,
  changes = {},
  command: Command = skyscriptHere,
): Promise<{ jobs: Record<string, number>; unchanged: boolean }> {
  const region = await writeRegion(at(`${name}.yaml`), town.region(at(name), { filter, ...changes }))
  const { code, stdout, stderr } = await command(['build', region, '--json'])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

beforeAll(async () => {
  folder = await makeFolder('rebuild')
  town = await startSmallTown(folder.path)
  await build('whole')
  whole = filesOf(at('whole'))
}, 120_000)
afterAll(async () => {
  await town?.earthEngine.close()
  await folder?.remove()
})

test('a built dataset has images, metas, CSVs, manifest, report, attribution and lock, and verify finds no fault', async () => {
  const names = Object.keys(whole)
  for (const kind of [
    /^images\d\/[nwa]\d+_\w+\.jpg$/,
    /^meta\d\/.*\.pickle$/,
    /^Small_train_unfiltered_5M\.csv$/,
    /^Small_train_top30pct_filtered_by_CLIP_openai\.csv$/,
    /^Small_train_top50pct_filtered_by_CLIP_openai\.csv$/,
    /^Small_val_2_filtered_by_CLIP_openai\.csv$/,
    /^Small_test_2_filtered_by_CLIP_openai\.csv$/,
    /^manifest\.parquet$/,
    /^report\/index\.html$/,
    /^ATTRIBUTION\.md$/,
    /^dropped\.csv$/,
    /^dataset\.lock\.json$/,
  ]) {
    expect(
      names.some((name) => kind.test(name)),
      String(kind),
    ).toBe(true)
  }
  const { code, stdout, stderr } = await skyscriptHere(['verify', at('whole')])
  expect(code, stdout + stderr).toBe(0)
})

test('a second build does no work and makes no request', async () => {
  const before = town.earthEngine.stats().requests
  // By another process, which knows nothing of the first.
  expect(await build('whole', {}, skyscript)).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
  expect(town.earthEngine.stats().requests).toEqual(before)
  expect(filesOf(at('whole'))).toEqual(whole)
})

test('after any output file is deleted, only its own shard is redone, to the same bytes', async () => {
  await cp(at('whole'), at('gaps'), { recursive: true })
  await build('gaps')
  const names = await allFiles(at('gaps'))
  /** What may be redone after a file of each kind is gone: at most one job of these stages. */
  const kinds: readonly (readonly [RegExp, readonly string[]])[] = [
    [/^images/, ['fetch']],
    [/^meta/, ['caption']],
    [/^Small_train_unfiltered/, []],
    [/^Small_val/, []],
    [/^manifest/, []],
    [/^report/, []],
    [/^ATTRIBUTION/, []],
    [/^dropped/, []],
    [/^dataset\.lock/, []],
    [/^work\/extract\/\w+\/index/, []],
    [/^work\/extract\/\w+\/tiles/, []],
    [/^work\/select\/.*tiles/, []],
    [/^work\/plan/, ['plan']],
    [/^work\/requests/, ['plan']],
    [/^work\/fetch/, ['fetch']],
    [/^work\/caption/, ['caption']],
    [/^work\/score/, ['score']],
    [/^work\/assemble/, []],
    [/^state\/dataset/, []],
  ]
  for (const [kind, stages] of kinds) {
    const gone = names.find((name) => kind.test(name))
    expect(gone, String(kind)).toBeDefined()
    await rm(at('gaps', gone!))
    const pixels = town.earthEngine.stats().requests.pixels
    const { jobs } = await build('gaps')
    expect(jobs, gone).toEqual(Object.fromEntries(stages.map((stage) => [stage, 1])))
    // If all images of a shard are there, none is fetched again; if one was deleted, only that one.
    expect(town.earthEngine.stats().requests.pixels - pixels, gone).toBeLessThanOrEqual(
      gone!.startsWith('images') ? 1 : kind.source.includes('work\\/fetch') ? Number.POSITIVE_INFINITY : 0,
    )
    expect(filesOf(at('gaps')), gone).toEqual(whole)
  }
}, 240_000)

test('killed in every stage and started again, a build ends with the same bytes', async () => {
  const region = await writeRegion(at('killed.yaml'), town.region(at('killed'), { filter }))
  const moments: readonly (readonly [string, (names: readonly string[]) => boolean])[] = [
    ['extract', (names) => names.some((name) => name.startsWith('work/extract/'))],
    ['select', (names) => names.some((name) => name.startsWith('work/select/'))],
    ['plan', (names) => names.some((name) => name.startsWith('work/requests/'))],
    ['fetch', (names) => count(names, /^images\d/) > 2],
    ['fetch again', (names) => count(names, /^images\d/) > 8],
    ['caption', (names) => count(names, /^meta\d/) > 4],
    ['score', (names) => names.some((name) => name.startsWith('work/score/'))],
    ['assemble', (names) => names.some((name) => name.endsWith('.csv'))],
  ]
  const killed: string[] = []
  for (const [stage, isThere] of moments) {
    const running = start(['build', region])
    let ended = false
    void running.done.then(() => {
      ended = true
    })
    while (!ended && !isThere(await allFiles(at('killed')))) await sleep(5)
    running.child.kill('SIGKILL')
    await running.done
    if (running.child.signalCode === 'SIGKILL') killed.push(stage)
    // Whatever was left, nothing of it looks finished.
    if (existsSync(at('killed', 'dataset.lock.json'))) expect(filesOf(at('killed')), stage).toEqual(whole)
  }
  // On a busy machine a build may end before its moment is seen.
  expect(killed.length, killed.join()).toBeGreaterThan(4)
  await build('killed')
  expect(filesOf(at('killed'))).toEqual(whole)
}, 240_000)

test('a changed setting leaves no trace of the old one, and redoes only what it decides', async () => {
  await cp(at('whole'), at('changed'), { recursive: true })
  const pixels = town.earthEngine.stats().requests.pixels
  const { jobs } = await build('changed', { filter: { ...filter, top: [20], val: 1 } })
  expect(jobs).toEqual({})
  expect(town.earthEngine.stats().requests.pixels).toBe(pixels)
  const names = Object.keys(filesOf(at('changed')))
  expect(names.filter((name) => name.endsWith('.csv'))).toEqual([
    'Small_test_2_filtered_by_CLIP_openai.csv',
    'Small_train_top20pct_filtered_by_CLIP_openai.csv',
    'Small_train_unfiltered_5M.csv',
    'Small_val_1_filtered_by_CLIP_openai.csv',
    'dropped.csv',
  ])
  await build('changed')
  expect(filesOf(at('changed'))).toEqual(whole)
})

test('a build without grouping asks more often, and gives the same bytes', async () => {
  const requests = async (name: string, changes = {}) => {
    const before = town.earthEngine.stats().requests.pixels
    await build(name, changes)
    return town.earthEngine.stats().requests.pixels - before
  }
  const grouped = await requests('grouped')
  const { imagery } = town.region(at('apart')) as { imagery: { earthEngine: object } }
  const apart = await requests('apart', {
    imagery: { ...imagery, earthEngine: { ...imagery.earthEngine, grouping: false } },
  })
  expect(grouped).toBeLessThan(apart)
  expect(filesOf(at('grouped'))).toEqual(whole)
  expect(filesOf(at('apart'))).toEqual(whole)
})

test('another wording of captions redoes only captions, and no score of a title that stays', async () => {
  await cp(at('whole'), at('worded'), { recursive: true })
  await build('worded')
  const { jobs } = await build('worded', { captions: { counts: true } })
  expect(Object.keys(jobs)).toEqual(['caption'])
  await build('worded')
  expect(filesOf(at('worded'))).toEqual(whole)
})

test('an image that was damaged on disk is found by verify', async () => {
  await cp(at('whole'), at('damaged'), { recursive: true })
  const image = Object.keys(whole).find((name) => name.endsWith('.jpg'))!
  const bytes = await readFile(at('damaged', image))
  await writeFile(at('damaged', image), bytes.subarray(0, bytes.length >> 1))
  const { code, stdout, stderr } = await skyscriptHere(['verify', at('damaged')])
  expect(code).toBe(1)
  expect(stdout + stderr).toContain(image)
})

const count = (names: readonly string[], pattern: RegExp) => names.filter((name) => pattern.test(name)).length

async function allFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}
