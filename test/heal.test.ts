// @module-tag slow
import { globSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openS3 } from '../packages/worker/src/storages/s3.ts'
import { type S3Server, startS3 } from './support/s3.ts'
import { filesOf, makeFolder, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { startSmallTown } from './support/small-map.ts'
import type { Town } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let s3: S3Server
let output: string
let region: string
let expected: Record<string, string>

beforeAll(async () => {
  folder = await makeFolder('heal')
  ;[town, s3] = await Promise.all([startSmallTown(folder.path), startS3()])
  output = join(folder.path, 'out')
  region = await writeRegion(join(folder.path, 'region.yaml'), town.region(output))
  const { code, stderr } = await skyscriptHere(['build', region])
  expect(code, stderr).toBe(0)
  expected = filesOf(output)
}, 120_000)
afterAll(async () => {
  await Promise.all([town?.earthEngine.close(), s3?.stop()])
  await folder?.remove()
})

/** The first file that a pattern finds. */
const one = (pattern: string) => join(output, globSync(pattern, { cwd: output }).sort()[0]!)
/** Another byte in the middle; the size stays. */
const flip = (pattern: string) => {
  const bytes = readFileSync(one(pattern))
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(one(pattern), bytes)
}
const cutOff = (pattern: string) => truncateSync(one(pattern), statSync(one(pattern)).size >> 1)

const DAMAGES: Record<string, () => unknown> = {
  'an image with another byte': () => flip('images*/*.jpg'),
  'half an image': () => cutOff('images*/*.jpg'),
  'an image that is gone, and a meta that is gone': () =>
    Promise.all([rm(one('images*/*.jpg')), rm(one('meta*/*.pickle'))]),
  'a meta with another byte': () => flip('meta*/*.pickle'),
  'a CSV with another byte': () => flip('*_train_unfiltered_5M.csv'),
  'a CSV with one more row': () => writeFileSync(one('*_train_unfiltered_5M.csv'), 'x,y,z\n', { flag: 'a' }),
  'a manifest with another byte': () => flip('manifest.parquet'),
  'half a manifest': () => cutOff('manifest.parquet'),
  'a report and a list of reasons that were changed': () => {
    flip('report/index.html')
    cutOff('dropped.csv')
  },
  'what a cut needs, emptied': () => writeFileSync(join(output, 'state/dataset.json'), ''),
  'what a cut needs, changed': () => flip('state/dataset.json'),
  'a lock file that was changed': () => writeFileSync(join(output, 'dataset.lock.json'), '{}'),
  'an image and a meta that belong to no pair': () => {
    writeFileSync(join(one('images*/*.jpg'), '..', 'n1_CH_19.jpg'), 'x')
    writeFileSync(join(one('meta*/*.pickle'), '..', 'n1_CH_19.pickle'), 'x')
  },
  'results of stages that a power cut emptied': () => {
    for (const pattern of [
      'work/fetch/*/*.jsonl',
      'work/score/*/*.jsonl',
      'work/assemble/*.json',
      'work/heads/fetch-*',
      'state/dataset.json',
    ])
      writeFileSync(one(pattern), '')
  },
}

describe('the same build command heals', () => {
  test.each(Object.entries(DAMAGES))(
    '%s',
    async (_, damage) => {
      await damage()
      const { code, stderr } = await skyscriptHere(['build', region])
      expect(code, stderr).toBe(0)
      expect(filesOf(output)).toEqual(expected)
    },
    120_000,
  )

  test('nothing where nothing is wrong, and reads no image for that', async () => {
    const before = statSync(join(output, 'work', 'seal.json')).mtimeMs
    const again = await skyscriptHere(['build', region, '--json'])
    expect(JSON.parse(again.stdout)).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
    expect(statSync(join(output, 'work', 'seal.json')).mtimeMs).toBe(before)
    expect((await skyscriptHere(['verify', output])).code).toBe(0)
  }, 60_000)

  test('what was changed in a bucket', async () => {
    const url = `${s3.url}/heal`
    for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value)
    const inBucket = await writeRegion(join(folder.path, 's3.yaml'), town.region(url))
    expect((await skyscriptHere(['build', inBucket])).code).toBe(0)
    const storage = await openS3(url, s3.env)
    const keys = (await Array.fromAsync(storage.list(''))).map(({ key }) => key)
    for (const pattern of [/^images\d\/.*\.jpg$/, /^meta\d\/.*\.pickle$/, /^manifest\.parquet$/]) {
      const key = keys.find((each) => pattern.test(each))!
      const bytes = Buffer.from((await storage.get(key))!)
      bytes[bytes.length >> 1]! ^= 1
      await storage.put(key, bytes)
    }
    expect((await skyscriptHere(['verify', url])).code).toBe(1)
    expect((await skyscriptHere(['build', inBucket])).code).toBe(0)
    const verified = await skyscriptHere(['verify', url])
    expect(verified.code, verified.stdout).toBe(0)
  }, 120_000)
})

test('cut refuses a manifest that is not what was written, and names what to do', async () => {
  flip('manifest.parquet')
  const { code, stderr } = await skyscriptHere(['cut', output])
  expect(code).toBe(1)
  expect(stderr).toMatch(/manifest\.parquet .* is not what the last build wrote; run skyscript build/)
  expect((await skyscriptHere(['build', region])).code).toBe(0)
  expect(filesOf(output)).toEqual(expected)
}, 60_000)
