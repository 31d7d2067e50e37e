import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStorage } from './storages.ts'

/** Files in the folder that are not backends. */
const OTHERS = new Set(['disk-space.ts', 'keys.ts', 'put-if-absent.ts', 'storages.ts', 'try-storage.ts'])
const folder = import.meta.dirname
const files = readdirSync(folder)
const backends = files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !OTHERS.has(name))

describe('every backend in this folder', () => {
  test.each(backends)('%s calls the conformance suite and can be opened by its URL', async (name) => {
    const own = name.replace(/\.ts$/, '.test.ts')
    expect(files, `${name} has no ${own}`).toContain(own)
    expect(await readFile(join(folder, own), 'utf8'), `${own} must call describeStorage`).toMatch(/^describeStorage\(/m)
    expect(await readFile(join(folder, 'storages.ts'), 'utf8')).toContain(`./${name}`)
  })
})

test('a URL of a kind that holds no datasets is refused without its password', async () => {
  const fault = await openStorage('ftp://me:hunter2@host/x').catch((error) => error)
  expect(fault).toMatchObject({ code: 'bad-storage-url' })
  expect(fault.message).not.toContain('hunter2')
})
