/** Which leftovers of downloads are taken over. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { PLACE, sha256 } from '@skyscript/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { claimPartial } from '../src/index.ts'

/** Linux has at most 2^22 processes. */
const NOT_RUNNING = 2 ** 22 + 1
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'partials-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const leave = async (place: string, pid: number) => {
  const note = Buffer.from('v1').toString('base64url')
  const name = `extract.${place.slice(0, 8)}-${pid}-${randomUUID()}.${note}.partial`
  await writeFile(join(folder, name), 'begun')
  return name
}

test('the leftover of a process of this place that has ended is taken over', async () => {
  await leave(PLACE, NOT_RUNNING)
  const { file, note } = await claimPartial(join(folder, 'extract'))
  expect(note).toBe('v1')
  expect(await readdir(folder)).toEqual([basename(file)])
})

test('a fresh file of another container with the same host name is kept, although its process id is not in use here', async () => {
  const other = await leave(sha256(hostname()), NOT_RUNNING)
  expect((await claimPartial(join(folder, 'extract'))).note).toBe('')
  expect(await readdir(folder)).toEqual([other])
})
