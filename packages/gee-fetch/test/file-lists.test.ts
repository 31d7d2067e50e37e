/** Lists of files, some of which are missing, damaged or unreachable. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Box } from '@skyscript/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createCogImagery } from '../src/index.ts'
import { cogSource, plainTiff, serveFiles, textured } from './cog-set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const [WEST, NORTH, STEP] = [7.44, 46.95, 1e-4]
const box: Box = [WEST + 20 * STEP, NORTH - 80 * STEP, WEST + 80 * STEP, NORTH - 20 * STEP]

let folder: string
let status: number | null = null
let server: Awaited<ReturnType<typeof serveFiles>>
const closers: (() => Promise<void>)[] = []
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-lists-'))
  await plainTiff(at('whole.tif'), 4326, STEP, [WEST, NORTH], textured)
  await writeFile(at('damaged.tif'), 'II*\0no image')
  server = await serveFiles(folder, undefined, (_, response) => {
    if (status !== null) response.writeHead(status, { 'retry-after': '0' }).end()
    return status !== null
  })
})
afterAll(async () => {
  for (const close of closers) await close()
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

function open() {
  const cog = createCogImagery({ maxConcurrent: 4, maxCloud: 100, deadlineMs: 1000 })
  closers.push(() => cog.close())
  return cog
}
const listed = (...files: string[]) => cogSource({ files, gsd: 10 })

test.each(['disk', 'server'])('a missing or damaged file on %s leaves the others on its list usable', async (where) => {
  const address = (name: string) => (where === 'disk' ? at(name) : `${server.url}/${name}`)
  const [whole, damaged, gone] = [address('whole.tif'), address('damaged.tif'), address('gone.tif')]
  const found = await open().find(listed(damaged, whole, gone), box)
  expect(found.map(({ imageId }) => imageId)).toEqual(['tests/whole.tif'])
  // If none can be used, the list is at fault, and the first file's error says why.
  await expect(open().find(listed(damaged, gone), box)).rejects.toMatchObject({ code: 'image-damaged' })
})

test('a file that is temporarily unreachable is not left out of its list', async () => {
  status = 403
  await expect(open().find(listed(at('damaged.tif'), `${server.url}/whole.tif`), box)).rejects.toMatchObject({
    code: 'imagery-denied',
  })
  status = null
})

test('a list has a version if some of its files are missing, and none if files are unreachable or all are missing', async () => {
  const [whole, served] = [at('whole.tif'), `${server.url}/whole.tif`]
  const versionOf = (...files: string[]) => open().versionOfFiles(listed(...files))
  expect(await versionOf(whole, at('gone.tif'))).not.toBe(await versionOf(whole))
  expect(await versionOf(whole, `${server.url}/gone.tif`)).toBe(await versionOf(whole, at('gone.tif')))
  for (const files of [[at('gone.tif'), at('missing.tif')], [`${server.url}/gone.tif`], [at('gone.tif/b.tif')]])
    await expect(versionOf(...files)).rejects.toMatchObject({ name: 'ServiceError', code: 'imagery-missing' })
  await symlink('round.tif', at('round.tif'))
  await expect(versionOf(whole, at('round.tif'))).rejects.toMatchObject({ code: 'imagery-unreadable', retry: true })
  for (const [answer, code] of [
    [403, 'imagery-denied'],
    [418, 'imagery-refused'],
    [503, 'imagery-failed'],
  ] as const) {
    status = answer
    await expect(versionOf(whole, served)).rejects.toMatchObject({ name: 'ServiceError', code })
    status = null
  }
}, 60_000)

// A Linux file that opens, reports 4096 bytes, and fails when read.
const FAILING = '/sys/class/net/lo/speed'
test.skipIf(!existsSync(FAILING))('a disk error does not make a file a damaged one', async () => {
  await expect(open().find(listed(FAILING), box)).rejects.toMatchObject({ code: 'imagery-unreadable', retry: true })
  await expect(open().find(listed(folder), box)).rejects.toMatchObject({ code: 'image-damaged' })
})
