import { createCaptioner } from '@skyscript/captioner'
import type { Box, ImageRecord, OsmObject, Tags } from '@skyscript/core'
import { beforeEach, expect, test } from 'vitest'
import { MemoryStorage } from '../../../dataset/test/support/memory-storage.ts'
import type { RunContext } from '../context.ts'
import { putResult, resultKey } from '../results.ts'
import { indexTile } from '../tiles.ts'
import { caption } from './caption.ts'

const signal = new AbortController().signal
const real = createCaptioner()
let storage: MemoryStorage
/** Ids of the images that were captioned. */
let captioned: string[]
beforeEach(() => {
  storage = new MemoryStorage()
  captioned = []
})

const square = (id: string, [x, y]: readonly [number, number], tags: Tags): OsmObject => ({
  id,
  tags,
  version: 1,
  timestamp: null,
  geometry: { type: 'Polygon', coordinates: [[[x, y], [x + 1e-4, y], [x + 1e-4, y + 1e-4], [x, y + 1e-4], [x, y]]] }, // biome-ignore format: one square
})
const HOUSE = square('a1', [7.45, 46.72], { building: 'house' })
const POOL = square('a2', [7.4502, 46.72], { leisure: 'swimming_pool' })
const FAR = square('a3', [7.47, 46.73], { landuse: 'orchard' })
const BOX: Box = [7.4499, 46.7199, 7.4504, 46.7202]

/** Captions the house's image in a map of some objects, as the job of a fingerprint. */
async function run(fingerprint: string, objects: readonly OsmObject[]) {
  const image = { id: 'a1', source: 'CH', filepath: 'images2/a1.jpg', box: BOX, gsd: 0.1, time: 1.6e12 } as ImageRecord
  const fetched = { stage: 'fetch', shard: 'x/q', fingerprint: 'images' }
  await putResult(storage, resultKey(fetched), { digest: 'images' }, { kept: [image], dropped: [], failed: [] })
  const tile = await indexTile(objects, ({ tags }) => real.namedTo(tags))
  const captioner = {
    ...real,
    captionImage(...given: Parameters<typeof real.captionImage>) {
      captioned.push(given[0].id)
      return real.captionImage(...given)
    },
  }
  const context = { storage, captioner, tile: async () => tile } as unknown as RunContext
  const job = { dataset: 'd', run: 'r', stage: 'caption', shard: 'x/q', input: 'images', fingerprint }
  const result = await caption.run(job, context, signal)
  await putResult(storage, resultKey(job), caption.head(result), result)
  return result
}

test('images of a leaf are not captioned again where a change of their map tile is far from them', async () => {
  const before = await run('before', [HOUSE, POOL, FAR])
  expect(captioned).toEqual(['a1'])
  expect(before.kept[0]!.surroundingTags).toEqual([{ leisure: 'swimming_pool' }])
  const meta = storage.files.get('meta2/a1.pickle')
  expect(await run('after', [HOUSE, POOL, { ...FAR, tags: { natural: 'water' } }])).toEqual(before)
  expect(captioned).toEqual(['a1'])
  expect(storage.files.get('meta2/a1.pickle')).toEqual(meta)
  expect([...storage.files.keys()].filter((key) => key.startsWith('work/caption/'))).toEqual([
    'work/caption/x/q.after.jsonl',
  ])
})

test('a meta that was damaged meanwhile is written again', async () => {
  await run('before', [HOUSE, POOL])
  const meta = storage.files.get('meta2/a1.pickle')!
  await storage.put('meta2/a1.pickle', 'damaged')
  await run('after', [HOUSE, POOL, FAR])
  expect(storage.files.get('meta2/a1.pickle')).toEqual(meta)
})

test.each<readonly [string, readonly OsmObject[]]>([
  ['another tag of the object', [{ ...HOUSE, tags: { building: 'school' } }, POOL]],
  ['another tag of one beside it', [HOUSE, { ...POOL, tags: { leisure: 'pitch' } }]],
  ['one beside it moved', [HOUSE, square('a2', [7.44995, 46.71995], POOL.tags)]],
  ['one beside it gone', [HOUSE]],
  ['one beside it added', [HOUSE, POOL, square('a4', [7.45025, 46.7201], { natural: 'water' })]],
])('images are captioned as in a new map after a change near them: %s', async (_, objects) => {
  await run('before', [HOUSE, POOL])
  const after = await run('after', objects)
  expect(captioned).toEqual(['a1', 'a1'])
  const meta = storage.files.get('meta2/a1.pickle')
  storage = new MemoryStorage()
  expect(await run('fresh', objects)).toEqual(after)
  expect(storage.files.get('meta2/a1.pickle')).toEqual(meta)
})
