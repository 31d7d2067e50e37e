import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fillIn, missingSecrets } from './private-addresses.ts'

const ADDRESS = 'https://town/{z}?k=$' + '{SKYSCRIPT_SECRET_TOWN}'
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-secret-'))
  await writeFile(join(folder, 'key'), 'k3y\n')
})
afterAll(() => rm(folder, { recursive: true }))

test('a key comes from a variable, or from the file that another names', () => {
  expect(fillIn(ADDRESS, { SKYSCRIPT_SECRET_TOWN: 'abc' })).toBe('https://town/{z}?k=abc')
  const inFile = { SKYSCRIPT_SECRET_TOWN_FILE: join(folder, 'key') }
  expect(fillIn(ADDRESS, inFile)).toBe('https://town/{z}?k=k3y')
  expect(fillIn(ADDRESS, { ...inFile, SKYSCRIPT_SECRET_TOWN: 'abc' })).toBe('https://town/{z}?k=abc')
  expect(missingSecrets(ADDRESS, inFile)).toEqual([])
})

test('a key that is not there is named, and how to set it', () => {
  expect(missingSecrets(ADDRESS, {})).toEqual(['SKYSCRIPT_SECRET_TOWN'])
  expect(() => fillIn(ADDRESS, {})).toThrow(
    'SKYSCRIPT_SECRET_TOWN is not set; the region file uses it in an address. Set it, or SKYSCRIPT_SECRET_TOWN_FILE to a file that holds it.',
  )
  expect(() => fillIn(ADDRESS, { SKYSCRIPT_SECRET_TOWN_FILE: join(folder, 'none') })).toThrow(
    /^SKYSCRIPT_SECRET_TOWN_FILE names .*none, which can't be read \(there is no such file\)\.$/,
  )
})
