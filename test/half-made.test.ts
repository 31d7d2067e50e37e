// @module-tag slow
/** Nothing half-made looks whole: `dataset.lock.json` is there only while every file is as it says. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Storage } from '../packages/core/src/index.ts'
import { makeFolder } from './support/skyscript.ts'
import { buildHere, type Settings, SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'
import { MODEL } from './support/town.ts'

const LOCK = 'dataset.lock.json'
let folder: Awaited<ReturnType<typeof makeFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
beforeAll(async () => {
  folder = await makeFolder('half-made')
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
  await writeMap(at('smaller.osm.pbf'), SMALL_TOWN.slice(1, -1))
})
afterAll(() => folder?.remove())

/** Notes each change of a file of the dataset, and which of them came while there was a lock. */
function watching(storage: Storage) {
  const [changed, early] = [new Set<string>(), new Set<string>()]
  const watch = async (key: string) => {
    if (key.startsWith('work/') || key === LOCK) return
    changed.add(key)
    if (await storage.has(LOCK)) early.add(key)
  }
  const watched: Storage = {
    ...storage,
    put: async (key, value) => {
      await watch(key)
      await storage.put(key, value)
    },
    delete: async (key) => {
      if (await storage.has(key)) await watch(key)
      await storage.delete(key)
    },
  }
  return { changed, early, watched }
}

test('no file of a whole dataset changes before its lock is gone, whatever changes', async () => {
  const scorers = [{ name: 'other', model: MODEL }]
  // Builds of one output, one after another, each with the kind of file that it must change. Another scorer follows the
  // first build at once: its jobs write no file of the dataset, so the lock must go before the manifest is written.
  const changes: readonly (readonly [RegExp, string, Settings])[] = [
    [/^images/, 'map', {}],
    [/^manifest/, 'map', { filter: { scorers, val: 2, test: 2 } }],
    [/^Small_train_top20pct/, 'map', { filter: { scorers, val: 2, test: 2, top: [20] } }],
    [/^images/, 'map', { tiles: { minPixels: 16, maxPixels: 300, pointPixels: 80 } }],
    [/^meta/, 'map', { captions: { labels: 'skyscript-2023' } }],
    [/^images/, 'smaller', {}],
  ]
  for (const [kind, map, settings] of changes) {
    let watch: ReturnType<typeof watching> | undefined
    await buildHere(smallRegion(at(`${map}.osm.pbf`), at('out'), settings), folder.path, (storage) => {
      watch = watching(storage)
      return watch.watched
    })
    expect(
      [...watch!.changed].filter((key) => kind.test(key)),
      String(kind),
    ).not.toEqual([])
    expect([...watch!.early], JSON.stringify(settings)).toEqual([])
  }
}, 120_000)
