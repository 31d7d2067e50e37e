/** Pixels come from the file that was planned, or there are none. */
import { mkdtemp, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Box, PlannedImage, Storage } from '@skyscript/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCogImagery, createImagery, fetchImages, NO_EARLIER_IMAGES } from '../src/index.ts'
import { cogSource, plainTiff, serveFiles, textured } from './cog-set-up.ts'

const [WEST, NORTH, STEP] = [7.44, 46.95, 1e-4]
const box: Box = [WEST + 20 * STEP, NORTH - 80 * STEP, WEST + 80 * STEP, NORTH - 20 * STEP]

let folder: string
let etags = ['"one"']
let server: Awaited<ReturnType<typeof serveFiles>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origins-'))
  let turn = 0
  server = await serveFiles(folder, undefined, undefined, () => etags[turn++ % etags.length]!)
})
afterAll(async () => {
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

const write = (name: string, tint: number) =>
  plainTiff(join(folder, name), 4326, STEP, [WEST, NORTH], (x, y) => [(textured(x, y)[0] + tint) % 256, 90, 30 + tint])

const imageryOf = (cog: ReturnType<typeof createCogImagery>) =>
  createImagery(
    {
      earthEngine: () => Promise.reject(new Error('No Earth Engine here.')),
      cog: async () => cog,
      tiles: () => Promise.reject(new Error('No tiles here.')),
      oam: () => Promise.reject(new Error('No scenes here.')),
    },
    { maxCloud: 100, earthEngineOrigin: () => '' },
  )

/** Fetches one image of a file with the origin found by a plan; `stored` has what was stored. */
async function fetchOne(file: string, plan: (cog: ReturnType<typeof createCogImagery>) => Promise<string>) {
  const source = cogSource({ files: [file], gsd: 10 })
  const cog = createCogImagery({ maxConcurrent: 4, maxCloud: 100 })
  const imagery = imageryOf(cog)
  const imageId = `tests/${file.split('/').at(-1)}`
  const candidate = { source: 'CC', imageId, time: null, gsd: 10, box, width: 60, height: 60, origin: await plan(cog) }
  const planned: PlannedImage[] = [{ id: 'a1', candidates: [candidate] }]
  const stored = new Map<string, Uint8Array>()
  const storage = {
    put: async (key: string, bytes: Uint8Array) => void stored.set(key, bytes),
    get: async (key: string) => stored.get(key) ?? null,
  } as unknown as Storage
  const checks = { minValid: 0.5, maxCloud: 1, maxSeam: 1, minDeviation: 0 }
  const outcome = await fetchImages(planned, {
    imagery,
    sources: [source],
    checks,
    storage,
    seed: 1,
    earlier: NO_EARLIER_IMAGES,
    tile: 'x1874_y1367',
    grouping: false,
    signal: new AbortController().signal,
  })
  await cog.close()
  return { ...outcome, stored, origin: () => cog.origin(source, imageId, box) }
}

test('the error of an image that cannot be forgotten, since its file was removed from the list, reaches the caller', async () => {
  const cog = createCogImagery({ maxConcurrent: 1, maxCloud: 100 })
  const source = cogSource({ files: [join(folder, 'listed.tif')], gsd: 10 })
  await expect(imageryOf(cog).forget(source, 'tests/removed.tif', box)).rejects.toMatchObject({ code: 'image-gone' })
  await cog.close()
})

const originNow = (file: string) => async (cog: ReturnType<typeof createCogImagery>) =>
  cog.origin(cogSource({ files: [file], gsd: 10 }), `tests/${file.split('/').at(-1)}`, box)

test.each(['disk', 'server'])(
  'a file on %s that was replaced between planning and reading is reported',
  async (where) => {
    const name = `replaced-${where}.tif`
    await write(name, 0)
    etags = ['"one"']
    const file = where === 'disk' ? join(folder, name) : `${server.url}/${name}`
    const { kept } = await fetchOne(file, originNow(file))
    expect(kept).toHaveLength(1)

    // One reader has the old file open, the other doesn't.
    for (const isOpen of [true, false]) {
      await write(name, 0)
      etags = ['"one"']
      const outcome = await fetchOne(file, async (cog) => {
        const planned = await originNow(file)(cog)
        await write(name, 100)
        etags = ['"two"']
        if (isOpen) return planned
        const other = createCogImagery({ maxConcurrent: 1, maxCloud: 100 })
        expect(await originNow(file)(other)).not.toBe(planned)
        await other.close()
        return planned
      })
      expect(outcome.kept).toEqual([])
      expect(outcome.stored.size).toBe(0)
      expect(outcome.failed).toMatchObject([{ id: 'a1', code: 'image-replaced' }])
      expect(outcome.failed[0]!.message).toContain('run the build again')
    }
  },
)

test.each(['disk', 'server'])(
  'a file on %s that was replaced by a shorter one, or is being written, is reported as replaced, and no other image is taken',
  async (where) => {
    const name = `shorter-${where}.tif`
    const file = where === 'disk' ? join(folder, name) : `${server.url}/${name}`
    const { size } = await stat(await write(name, 0))
    for (const length of [size / 2, 100, 0]) {
      await write(name, 0)
      etags = ['"one"']
      const outcome = await fetchOne(file, async () => {
        const other = createCogImagery({ maxConcurrent: 1, maxCloud: 100 })
        const planned = await originNow(file)(other)
        await other.close()
        await truncate(join(folder, name), length)
        etags = ['"two"']
        return planned
      })
      expect(outcome, `${length} bytes`).toMatchObject({ kept: [], dropped: [], findings: [] })
      expect(outcome.failed).toMatchObject([{ id: 'a1', code: 'image-replaced' }])
    }
    // A file that was as short when planned is damaged.
    await write(name, 0)
    await truncate(join(folder, name), size / 2)
    const { dropped } = await fetchOne(file, originNow(file))
    expect(dropped).toEqual([{ id: 'a1', reason: 'image-damaged' }])
  },
)

test('a server that alternates between ETags for one file has one file', async () => {
  await write('mirrored.tif', 0)
  etags = ['"a"', '"b"', '"c"']
  const file = `${server.url}/mirrored.tif`
  const one = await fetchOne(file, originNow(file))
  const two = await fetchOne(file, async () => one.kept[0]!.origin)
  expect([...one.kept, ...two.kept].map(({ sha256 }) => sha256)).toEqual([one.kept[0]!.sha256, one.kept[0]!.sha256])
})

test('the signature in an address is not part of an image’s origin, the rest is', async () => {
  await write('signed.tif', 0)
  etags = ['"one"']
  const origins: string[] = []
  for (const address of ['signed.tif?X-Amz-Signature=1', 'signed.tif?X-Amz-Signature=2', 'mirrored.tif']) {
    const cog = createCogImagery({ maxConcurrent: 1, maxCloud: 100 })
    const source = cogSource({ files: [`${server.url}/${address}`], gsd: 10 })
    origins.push(await cog.origin(source, `tests/${address.split('?')[0]}`, box))
    await cog.close()
  }
  expect(origins[0]).toBe(origins[1])
  expect(origins[0]).not.toBe(origins[2])
})
