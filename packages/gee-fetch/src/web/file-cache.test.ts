import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFileCache } from './file-cache.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-cache-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const file = (text: string, size = 10) => ({ etag: `"${text}"`, bytes: Buffer.alloc(size, text) })
const paths = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))

test('a file is found again by its address, also by another process, and one of another address is not', async () => {
  await openFileCache({ folder, mostBytes: 1e6 }).put('https://a/1', file('one'))
  const other = openFileCache({ folder, mostBytes: 1e6 })
  expect(await other.get('https://a/1')).toEqual(file('one'))
  expect(await other.get('https://a/2')).toBeNull()
  await other.put('https://a/1', file('two'))
  expect(await other.get('https://a/1')).toEqual(file('two'))
  expect(await paths()).toHaveLength(1)
})

test('a file that is cut off or damaged counts as absent', async () => {
  const cache = openFileCache({ folder, mostBytes: 1e6 })
  await cache.put('a', file('one'))
  const [path] = await paths()
  const whole = await readFile(path!)
  for (const damage of [
    () => truncate(path!, whole.length - 1),
    () => truncate(path!, 4),
    () => truncate(path!, 0),
    () => writeFile(path!, Buffer.concat([whole.subarray(0, -1), Buffer.from('x')])),
    () => writeFile(path!, 'no cache\nat all'),
  ]) {
    await damage()
    expect(await cache.get('a')).toBeNull()
  }
  await cache.put('a', file('one'))
  expect(await cache.get('a')).toEqual(file('one'))
})

test('beyond its limit the files that were not used for longest are removed', async () => {
  const cache = openFileCache({ folder, mostBytes: 10_000 })
  for (let i = 0; i < 8; i++) {
    await cache.put(`${i}`, file(`${i}`, 1000))
    // Times of a file system are not as fine as this loop is fast.
    for (const path of await paths()) {
      const { mtimeMs } = await stat(path)
      await utimes(path, mtimeMs / 1000 - 10, mtimeMs / 1000 - 10)
    }
  }
  expect(await cache.get('0')).not.toBeNull()
  for (let i = 8; i < 12; i++) await cache.put(`${i}`, file(`${i}`, 1000))
  const left = await Promise.all(Array.from({ length: 12 }, (_, i) => cache.get(`${i}`)))
  const there = left.flatMap((each, i) => (each === null ? [] : [i]))
  expect(there).toContain(0)
  expect(there).not.toContain(1)
  expect(there).toContain(11)
  const sizes = await Promise.all((await paths()).map(async (path) => (await stat(path)).size))
  expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(10_000 + 2 * 1100)
})

test('writers at the same time leave whole files', async () => {
  const caches = Array.from({ length: 4 }, () => openFileCache({ folder, mostBytes: 1e6 }))
  await Promise.all(Array.from({ length: 80 }, (_, i) => caches[i % 4]!.put(`${i % 5}`, file(`${i % 5}`, 20_000))))
  for (let i = 0; i < 5; i++) expect(await caches[0]!.get(`${i}`)).toEqual(file(`${i}`, 20_000))
  expect(await paths()).toHaveLength(5)
})

test('a folder that cannot be written is an empty cache', async () => {
  await writeFile(join(folder, 'taken'), '')
  const cache = openFileCache({ folder: join(folder, 'taken'), mostBytes: 1e6 })
  await cache.put('a', file('one'))
  expect(await cache.get('a')).toBeNull()
})
