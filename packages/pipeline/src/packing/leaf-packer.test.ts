import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { mapTileBox, type PlannedImage, ServiceError } from '@skyscript/core'
import { afterEach, expect, test } from 'vitest'
import { createLeafPacker, type LeafPacker } from './leaf-packer.ts'
import { PlannedTable } from './planned-table.ts'

const TILE = 'x1874_y1367'
const [WEST, SOUTH] = mapTileBox(TILE)
const settings = { tile: TILE, grouping: true, sources: ['CH' as const] }

/** Images side by side, in no order of their ids. */
function tableOf(images: number): PlannedTable {
  const table = new PlannedTable()
  for (let i = 0; i < images; i++) {
    const [x, y] = [WEST + (i % 90) * 0.001, SOUTH + Math.floor(i / 90) * 0.001]
    const candidate = { source: 'CH', imageId: 'one', origin: 'test', time: 0, gsd: 0.1, width: 300, height: 300 }
    const image: PlannedImage = {
      id: `n${(i * 7919) % images}`,
      candidates: [{ ...candidate, box: [x, y, x + 0.0004, y + 0.0003] }],
    }
    table.add(image)
  }
  return table
}

const packers: LeafPacker[] = []
const packer = (worthAThread: number) => {
  packers.push(createLeafPacker(worthAThread))
  return packers.at(-1)!
}
afterEach(async () => {
  for (const each of packers.splice(0)) await each.close()
})

test('leaves are the same whether a thread packs them or not, and of two tables at a time', async () => {
  const here = await Array.fromAsync(packer(Infinity).pack(tableOf(7919), settings))
  expect(here.length).toBeGreaterThan(60)
  expect(here.reduce((sum, { kept }) => sum + kept, 0)).toBe(7919)
  const beside = packer(0)
  const [large, small] = await Promise.all([
    Array.fromAsync(beside.pack(tableOf(7919), settings)),
    Array.fromAsync(beside.pack(tableOf(50), settings)),
  ])
  expect(large).toEqual(here)
  expect(small).toEqual(await Array.fromAsync(packer(Infinity).pack(tableOf(50), settings)))
  const images = JSON.parse(Buffer.from(here[0]!.json).toString('utf8')) as PlannedImage[]
  expect(images.map(({ id }) => id)).toEqual(images.map(({ id }) => id).sort())
})

test('a thread that was left in the middle of a table, or that has ended, packs the next table', async () => {
  const beside = packer(0)
  const packed = beside.pack(tableOf(7919), settings)
  expect((await packed.next()).done).toBe(false)
  await packed.return(undefined)
  expect(await Array.fromAsync(beside.pack(tableOf(50), settings))).toHaveLength(1)
  await beside.close()
  expect(await Array.fromAsync(beside.pack(tableOf(50), settings))).toHaveLength(1)
})

test('a thread that died packs no table that was in it, and another packs the next', async () => {
  const beside = packer(0)
  const started = once(process, 'worker') as Promise<[Worker]>
  const packed = beside.pack(tableOf(60_000), settings)
  await packed.next()
  const [thread] = await started
  await thread.terminate()
  await expect(Array.fromAsync(packed)).rejects.toMatchObject({ code: 'thread-died', retry: true })
  expect(await Array.fromAsync(beside.pack(tableOf(50), settings))).toHaveLength(1)
})

test('a table that cannot be sent to the thread fails, and the next one does not', async () => {
  const beside = packer(0)
  const notData = { ...settings, sources: [() => 'CH'] as never }
  await expect(Array.fromAsync(beside.pack(tableOf(50), notData))).rejects.toThrow('could not be cloned')
  expect(await Array.fromAsync(beside.pack(tableOf(50), settings))).toHaveLength(1)
})

test('what a thread throws, or that it was ended, is told to who takes its leaves', async () => {
  const beside = packer(0)
  await expect(Array.fromAsync(beside.pack(tableOf(50), { ...settings, tile: 'nowhere' }))).rejects.toThrow(
    '"nowhere" is not the name of a map tile.',
  )
  const packed = beside.pack(tableOf(60_000), settings)
  await packed.next()
  await beside.close()
  await expect(Array.fromAsync(packed)).rejects.toThrow(ServiceError)
})
