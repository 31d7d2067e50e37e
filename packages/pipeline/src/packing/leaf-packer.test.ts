import type { Worker } from 'node:worker_threads'
import { mapTileBox, type PlannedImage } from '@skyscript/core'
import { afterAll, expect, test } from 'vitest'
import { leavesOfTable } from './leaf-packer.ts'
import type { PackSettings } from './pack-leaves.ts'
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

/** Threads that this file started. */
const threads: Worker[] = []
const note = (thread: Worker) => void threads.push(thread)
process.on('worker', note)
afterAll(() => void process.off('worker', note))

const packedHere = (table: PlannedTable) => Array.fromAsync(leavesOfTable(table, settings, Infinity))
const inThread = (table: PlannedTable, asked: PackSettings = settings) => leavesOfTable(table, asked, 0)

test('leaves are the same whether a thread packs them or not, and of two tables at a time', async () => {
  const here = await packedHere(tableOf(7919))
  expect(here.length).toBeGreaterThan(60)
  expect(here.reduce((sum, { kept }) => sum + kept, 0)).toBe(7919)
  const [large, small] = await Promise.all([
    Array.fromAsync(inThread(tableOf(7919))),
    Array.fromAsync(inThread(tableOf(50))),
  ])
  expect(large).toEqual(here)
  expect(small).toEqual(await packedHere(tableOf(50)))
  const images = JSON.parse(Buffer.from(here[0]!.json).toString('utf8')) as PlannedImage[]
  expect(images.map(({ id }) => id)).toEqual(images.map(({ id }) => id).sort())
})

test('a thread that has packed a table packs the next one', async () => {
  await Array.fromAsync(inThread(tableOf(50)))
  const before = threads.length
  expect(await Array.fromAsync(inThread(tableOf(50)))).toHaveLength(1)
  expect(threads).toHaveLength(before)
})

test('a table that was left in the middle does not disturb the next', async () => {
  const packed = inThread(tableOf(7919))
  expect((await packed.next()).done).toBe(false)
  await packed.return(undefined)
  expect(await Array.fromAsync(inThread(tableOf(50)))).toHaveLength(1)
})

test('a thread that died packs no table that was in it, and another packs the next', async () => {
  const packed = inThread(tableOf(60_000))
  await packed.next()
  await Promise.all(threads.map((thread) => thread.terminate()))
  await expect(Array.fromAsync(packed)).rejects.toMatchObject({ code: 'thread-died', retry: true })
  expect(await Array.fromAsync(inThread(tableOf(50)))).toHaveLength(1)
})

test('a table that cannot be sent to the thread fails, and the next one does not', async () => {
  const notData = { ...settings, sources: [() => 'CH'] as never }
  await expect(Array.fromAsync(inThread(tableOf(50), notData))).rejects.toThrow('could not be cloned')
  expect(await Array.fromAsync(inThread(tableOf(50)))).toHaveLength(1)
})

test('an error of the thread reaches the caller', async () => {
  await expect(Array.fromAsync(inThread(tableOf(50), { ...settings, tile: 'nowhere' }))).rejects.toThrow(
    '"nowhere" is not the name of a map tile.',
  )
})
