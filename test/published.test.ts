// @module-tag slow
/** What a user does with a dataset that somebody else built: unpacks its zip files, verifies it, and cuts it anew. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesOf, makeFolder, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { startTown, type Town } from './support/town.ts'

let folder: string
let town: Town
let built: string
let unpacked: string

beforeAll(async () => {
  folder = (await makeFolder('published')).path
  town = await startTown(folder)
  built = join(folder, 'built')
  unpacked = join(folder, 'unpacked')
  const build = await skyscriptHere(['build', await writeRegion(join(folder, 'region.yaml'), town.region(built))])
  expect(build.code, build.stderr).toBe(0)
  const zipped = join(folder, 'zipped')
  expect((await skyscriptHere(['export', built, '--format', 'zip', '--to', zipped])).code).toBe(0)
  mkdirSync(unpacked)
  execFileSync('cp', ['-r', `${zipped}/.`, unpacked])
  for (const name of readdirSync(unpacked).filter((each) => each.endsWith('.zip'))) {
    execFileSync('python3', ['-m', 'zipfile', '-e', join(unpacked, name), unpacked])
    rmSync(join(unpacked, name))
  }
  await town.earthEngine.close()
}, 240_000)

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
})

test('unpacked zip files are the dataset again: it verifies, and a cut without work/ gives the same bytes', async () => {
  const verified = await skyscriptHere(['verify', unpacked])
  expect(verified.code, verified.stdout).toBe(0)
  const cut = await skyscriptHere(['cut', unpacked])
  expect(cut.code, cut.stderr).toBe(0)
  const mine = filesOf(unpacked)
  for (const [path, sum] of Object.entries(filesOf(built))) expect([path, mine[path]]).toEqual([path, sum])
}, 120_000)

test('an unpacked dataset is cut by other settings, and verifies', async () => {
  const other = {
    ...(town.region(unpacked).filter as object),
    ...{ top: [40], split: { by: 'image', val: 10, test: 10 } },
    balance: [
      { by: 'source', share: 0.6 },
      { by: 'place', degrees: 0.002, most: 2 },
    ],
  }
  const region = await writeRegion(join(folder, 'other.yaml'), town.region(unpacked, { filter: other }))
  const cut = await skyscriptHere(['cut', unpacked, '--config', region])
  expect(cut.code, cut.stderr).toBe(0)
  expect(cut.stderr).toMatch(/train_top40pct by openai: \d+ of \d+ pairs left out by filter.balance/)
  expect(readdirSync(unpacked)).toContain('Town_train_top40pct_filtered_by_CLIP_openai.csv')
  expect(readdirSync(unpacked)).not.toContain('Town_train_top30pct_filtered_by_CLIP_openai.csv')
  const verified = await skyscriptHere(['verify', unpacked])
  expect(verified.code, verified.stdout).toBe(0)
}, 120_000)

test('nothing outside work/ names a folder of the machine', () => {
  for (const path of Object.keys(filesOf(built))) {
    expect(readFileSync(join(built, path)).includes(folder), path).toBe(false)
  }
})

test('tables for OpenCLIP have absolute paths of images that are there', async () => {
  const to = join(folder, 'openclip')
  const made = await skyscriptHere([
    'export',
    built,
    '--format',
    'openclip',
    '--absolute',
    '--set',
    'train',
    '--to',
    to,
  ])
  expect(made.code, made.stderr).toBe(0)
  const read = (text: Buffer, delimiter: string) =>
    parse(text, { columns: true, delimiter }) as Record<string, string>[]
  const rows = read(readFileSync(join(to, 'train_unfiltered.tsv')), '\t')
  const source = read(readFileSync(join(built, 'Town_train_unfiltered_5M.csv')), ',')
  expect(rows.map(({ title }) => title)).toEqual(source.map(({ title }) => title))
  for (const [i, { filepath }] of rows.entries()) {
    expect(isAbsolute(filepath!)).toBe(true)
    expect(filepath).toBe(join(built, source[i]!.filepath!))
    expect(readFileSync(filepath!).length).toBeGreaterThan(100)
  }
  const relative = await skyscriptHere(['export', built, '--format', 'openclip', '--set', 'train', '--to', to])
  expect(relative.code).toBe(0)
  expect(read(readFileSync(join(to, 'train_unfiltered.tsv')), '\t')[0]!.filepath).toBe(source[0]!.filepath)
})
