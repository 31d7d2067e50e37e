import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RowFaults } from '@skyscript/benchmark'
import { DataFault, type Terminal } from '@skyscript/core'
import type { DualEncoder } from '@skyscript/filter'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { embedRows } from './embed-images.ts'
import { openEmbeddingCache } from './embedding-cache.ts'
import { imagesBelow } from './image-source.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-embed-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const terminal: Terminal = { stage: () => ({ update() {}, end() {} }), note() {}, warn() {} }

/** Takes texts for images: their embedding is their length. */
function countingEncoder() {
  const seen: string[] = []
  const encoder = {
    model: { id: 'counting', revision: null, files: [] },
    fingerprint: 'f'.repeat(64),
    textsAtOnce: 1,
    async embedImages(images: readonly Uint8Array[]) {
      const texts = images.map((bytes) => Buffer.from(bytes).toString())
      seen.push(...texts)
      return texts.map((text) =>
        text === 'broken' ? new DataFault('unreadable-image', 'It is broken.') : Float32Array.of(text.length, 1),
      )
    },
  } as unknown as DualEncoder
  return { encoder, seen }
}

test('an image is embedded once for all sets and runs, whatever its name, and broken ones each time', async () => {
  const files = { 'a.jpg': 'one', 'b.jpg': 'three', 'same.jpg': 'one', 'bad.jpg': 'broken' }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  await writeFile(join(folder, 'other.jpg'), 'fourth')
  const run = async (names: readonly string[]) => {
    const { encoder, seen } = countingEncoder()
    const store = await openEmbeddingCache(join(folder, 'cache'), encoder.fingerprint, terminal)
    const rows = names.map((path, i) => ({ line: i + 2, path }))
    const faults = new RowFaults('a.csv', { skip: true })
    const embedded: [string, number][] = []
    const options = { encoder, images: imagesBelow(folder), store, faults, terminal }
    for await (const { rows: own, embedding } of embedRows(rows, options)) embedded.push([own[0]!.path, embedding[0]!])
    await store.flush()
    return { embedded, seen: seen.sort(), skipped: faults.skipped }
  }
  const all = [
    ['a.jpg', 3],
    ['b.jpg', 5],
    ['same.jpg', 3],
  ]
  expect(await run(Object.keys(files))).toEqual({
    embedded: all,
    seen: ['broken', 'one', 'three'],
    skipped: { 'unreadable-image': 1 },
  })
  const { embedded, seen } = await run([...Object.keys(files), 'other.jpg'])
  expect([embedded, seen]).toEqual([
    [...all, ['other.jpg', 6]],
    ['broken', 'fourth'],
  ])
})
