import { mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256, type Terminal } from '@skyscript/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddingCache } from './embedding-cache.ts'

const MODEL = sha256('model')
const hashes = Array.from({ length: 40 }, (_, i) => sha256(`image ${i}`))
const vector = (i: number) => Float32Array.from({ length: 8 }, (_, k) => Math.sin(i * 8 + k) / 3)

let cache: string
let warnings: string[]
const terminal: Terminal = {
  stage: () => ({ update() {}, end() {} }),
  note() {},
  warn: (text) => void warnings.push(text),
}
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'skyscript-embeddings-'))
  warnings = []
})
afterEach(() => rm(cache, { recursive: true, force: true }))

const openCache = (options?: { limit: number }, model = MODEL) => openEmbeddingCache(cache, model, terminal, options)
async function store(from: number, to: number, options?: { limit: number }, model = MODEL): Promise<void> {
  const opened = await openCache(options, model)
  for (let i = from; i < to; i++) await opened.add(hashes[i]!, vector(i))
  await opened.flush()
}
const files = async (model = MODEL) => {
  const folder = join(cache, 'embeddings', model.slice(0, 32))
  return (await readdir(folder)).map((name) => join(folder, name))
}

test('what was added is there for the next process and the same model only, to the last bit', async () => {
  await store(0, 10)
  const opened = await openCache()
  expect(await opened.get([hashes[3]!, hashes[12]!, hashes[0]!])).toEqual([vector(3), undefined, vector(0)])
  await opened.add(hashes[12]!, vector(12))
  expect(await opened.get([hashes[12]!])).toEqual([vector(12)])
  expect(await (await openCache(undefined, sha256('other'))).get([hashes[3]!])).toEqual([undefined])
})

test('two processes may add at the same time', async () => {
  await Promise.all([store(0, 20), store(10, 40), store(5, 15)])
  const opened = await openCache()
  expect(await opened.get(hashes)).toEqual(hashes.map((_, i) => vector(i)))
  expect(warnings).toEqual([])
})

test('a damaged entry is noticed wherever the damage is, and its file removed', async () => {
  await store(0, 5)
  const [path] = await files()
  const whole = await readFile(path!)
  for (let at = 0; at < whole.length; at += 7) {
    warnings = []
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 0x10
    await writeFile(path!, bytes)
    const opened = await openCache()
    const found = await opened.get(hashes.slice(0, 5))
    for (const [i, each] of found.entries()) if (each !== undefined) expect(each).toEqual(vector(i))
    expect(found).toContain(undefined)
    const isHash = at >= 16 && at < 16 + 5 * 32
    // A changed hash is that of another image: it isn't asked for, or its checksum is wrong.
    if (!isHash) expect([warnings.length, await files()]).toEqual([1, []])
  }
  await writeFile(path!, whole.subarray(0, whole.length - 1))
  expect(await (await openCache()).get([hashes[0]!])).toEqual([undefined])
  expect(await files()).toEqual([])
})

test('a file that another process removed meanwhile is not taken for a damaged one', async () => {
  await store(0, 5)
  const [path] = await files()
  await symlink(join(cache, 'gone'), `${path}.embeddings`)
  expect(await (await openCache()).get([hashes[1]!])).toEqual([vector(1)])
  expect(warnings).toEqual([])
})

test('the files used longest ago are removed above the limit', async () => {
  const bytes = 16 + 10 * (32 + 32 + 4)
  await store(0, 10)
  const [first] = await files()
  await store(10, 20)
  const [second] = (await files()).filter((path) => path !== first)
  await utimes(first!, 1000, 1000)
  await utimes(second!, 2000, 2000)
  // Reading is a use.
  await (await openCache()).get([hashes[0]!])
  await store(20, 30, { limit: 2 * bytes })
  const left = await files()
  expect(left).toHaveLength(2)
  expect(left).toContain(first)
  expect(left).not.toContain(second)
})

test('a folder that cannot be written to costs only the keeping', async () => {
  await writeFile(join(cache, 'embeddings'), 'a file')
  const opened = await openCache()
  await opened.add(hashes[0]!, vector(0))
  await opened.flush()
  expect(warnings).toEqual([expect.stringContaining("embeddings can't be kept in")])
})
