import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eachOf, listFolder } from './listing.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skyscript-listing-'))
})
afterEach(() => rm(root, { recursive: true }))

const listed = (prefix: string, worthThreads: number) =>
  Array.fromAsync(eachOf(listFolder(root, prefix, { depth: undefined, isRemote: false, worthThreads })))

test('threads list the same files with the same sizes and versions', async () => {
  for (const folder of ['images2', 'images2/b', 'meta2']) await mkdir(join(root, folder))
  const names = [...Array(5000).keys()].map((i) => `images2/a${i}.jpg`)
  const odd = ['images2/two\nlines.jpg', 'images2/é.jpg', 'images2/b/inner.jpg', 'meta2/a.pickle', 'top.csv']
  await Promise.all([...names, ...odd].map((name, i) => writeFile(join(root, name), 'x'.repeat(i % 7))))
  await symlink(join(root, 'gone'), join(root, 'images2', 'broken.jpg'))
  const direct = await listed('', Number.POSITIVE_INFINITY)
  expect(direct.map(({ key }) => key)).toEqual([...names, ...odd].sort())
  expect(await listed('', 1)).toEqual(direct)
  expect(await listed('images2/a4', 1)).toEqual(direct.filter(({ key }) => key.startsWith('images2/a4')))
})

test('a list by threads may be left before its end, and others at the same time are not disturbed', async () => {
  await Promise.all([...Array(3000).keys()].map((i) => writeFile(join(root, `a${i}`), 'x')))
  const options = { depth: undefined, isRemote: false, worthThreads: 1 }
  const whole = listed('', 1)
  for await (const { size } of eachOf(listFolder(root, '', options))) {
    expect(size).toBe(1)
    break
  }
  expect(await whole).toHaveLength(3000)
  expect(await listed('', 1)).toHaveLength(3000)
})
