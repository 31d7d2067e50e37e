import { setImmediate as nextTurn } from 'node:timers/promises'
import { createCaptioner } from '@skyscript/captioner'
import { type Box, type Geometry, type ImageRecord, LABELS, type OsmObject } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { indexTile } from './tiles.ts'

const TAGS = [
  { power: 'pole' },
  { natural: 'coastline' },
  { building: 'house', 'addr:street': 'Hill' },
  { highway: 'residential', surface: 'asphalt' },
  { landuse: 'forest', leaf_type: 'broadleaved' },
  { office: 'lawyer', power: 'pole' },
  { office: 'lawyer' },
  { note: 'look again' },
]

const place = fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }))
const objects = fc
  .array(fc.tuple(fc.constantFrom(...TAGS), place, fc.boolean()), { minLength: 1, maxLength: 30 })
  .map((list) =>
    list.map(([tags, [x, y], isArea], i): OsmObject => {
      const [w, s, e, n] = [x, y, x + 3, y + 4].map((each) => each / 1000) as Box
      const ring: [number, number][] = [[w, s], [e, s], [e, n], [w, n], [w, s]] // biome-ignore format: one square
      const geometry: Geometry = isArea
        ? { type: 'Polygon', coordinates: [ring] }
        : { type: 'Point', coordinates: [w, s] }
      // Tags of different objects are different objects too, whatever they say.
      return { id: `${isArea ? 'a' : 'n'}${i}`, tags: { ...tags }, version: 1, timestamp: null, geometry }
    }),
  )

test.each(LABELS)(
  'an image is captioned the same from what the index of its map tile finds as from all objects (%s)',
  async (labels) => {
    const captioner = createCaptioner({ labels })
    let skipped = 0
    await fc.assert(
      fc.asyncProperty(objects, fc.constantFrom(0.1, 0.2, 0.6, 1, 10, 30), place, async (all, gsd, [x, y]) => {
        const box: Box = [x / 1000 - 0.02, y / 1000 - 0.02, x / 1000 + 0.02, y / 1000 + 0.02]
        const [focus] = all
        const image = {
          id: focus!.id,
          filepath: 'images2/n0_CH_20.jpg',
          source: 'CH',
          gsd,
          box,
        } as unknown as ImageRecord
        const found = (await indexTile(all, ({ tags }) => captioner.namedTo(tags))).search(box, gsd)
        expect(new Set(found).size).toBe(found.length)
        skipped += all.length - found.length
        expect(captioner.captionImage(image, focus!, found)).toEqual(captioner.captionImage(image, focus!, all))
      }),
    )
    expect(skipped).toBeGreaterThan(0)
  },
)

test('the same objects in another order make the same caption', () => {
  const captioner = createCaptioner({ counts: true, directions: true })
  fc.assert(
    fc.property(objects, (all) => {
      const [focus] = all
      const image = { id: focus!.id, source: 'CH', gsd: 0.1, box: [0, 0, 0.1, 0.1] } as unknown as ImageRecord
      const caption = captioner.captionImage(image, focus!, all)
      expect(captioner.captionImage(image, focus!, all.toReversed())).toEqual(caption)
      expect(createCaptioner({ counts: true, directions: true }).captionImage(image, focus!, all)).toEqual(caption)
    }),
  )
})

test('while many objects are indexed, others have their turn', async () => {
  const many = Array.from({ length: 200_000 }, (_, i): OsmObject => {
    const geometry: Geometry = { type: 'Point', coordinates: [(i % 500) / 5000, Math.floor(i / 500) / 5000] }
    return { id: `n${i}`, tags: TAGS[0]!, version: 1, timestamp: null, geometry }
  })
  let turns = 0
  let isDone = false
  const others = (async () => {
    for (; !isDone; turns++) await nextTurn()
  })()
  const index = await indexTile(many, () => 1)
  isDone = true
  await others
  expect(index.search([0, 0, 0.00021, 0], 1).map(({ id }) => id)).toEqual(['n0', 'n1'])
  expect(turns).toBeGreaterThan(1)
})
