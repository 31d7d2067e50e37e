import { gunzipSync } from 'node:zlib'
import { type Box, type Config, mapTileBox, ServiceError, type Terminal } from '@skyscript/core'
import { type Imagery, type KnownDate, type Source, type SourceImage, sourcesOf } from '@skyscript/gee-fetch'
import { expect, test } from 'vitest'
import { parseConfig } from '../../core/src/config.ts'
import { MemoryStorage } from '../../dataset/test/support/memory-storage.ts'
import { answersKey, forgetAnswer, openAnswers } from './answers.ts'
import { refreshRegion } from './refresh.ts'

const TILE = 'x1870_y1360'
const [west, south, east, north] = mapTileBox(TILE)
const BOX: Box = [west, south, west + 0.001, south + 0.001]
const [S2, CH] = sourcesOf(['S2', 'CH']) as [Source, Source]
/** Its pictures are of several years. */
const MAPS = { ...CH, kind: 'tiles', alias: 'MAPS', dates: {} } as unknown as Source
const day = (text: string) => Date.parse(text)

const image = (imageId: string, time: string | null, more: Partial<SourceImage> = {}): SourceImage => ({
  imageId,
  time: time === null ? null : day(time),
  cloud: 0,
  footprint: [west, south, east, north],
  ...more,
})

/** A source's catalogue as it is at a time, and how often it was asked. */
function setUp(refresh: Config['imagery']['refresh'] = 'never', maxCloud = 20, storage = new MemoryStorage()) {
  const { imagery, ...rest } = parseConfig('{ osm: { source: a.osm.pbf }, output: out }', '/r/region.yaml')
  const config = { ...rest, imagery: { ...imagery, refresh, maxCloud } }
  const catalogue = {
    images: [] as SourceImage[],
    date: null as KnownDate | null,
    failure: null as ServiceError | null,
  }
  const asked = { images: 0, dates: 0 }
  const clock = { now: new Date('2024-05-01T00:00:00Z') }
  const client = {
    async find() {
      asked.images++
      if (catalogue.failure) throw catalogue.failure
      return catalogue.images
    },
    async dateOf() {
      asked.dates++
      return catalogue.date
    },
  }
  const asking = { storage, run: { config, files: {} }, imagery: client as unknown as Imagery, now: () => clock.now }
  const warnings: string[] = []
  const said: string[] = []
  const terminal = {
    stage: () => ({ update() {}, end: (text: string) => said.push(text) }),
    warn: (text: string) => warnings.push(text),
  } as unknown as Terminal
  const signal = new AbortController().signal
  const again = (newTimes?: ReadonlyMap<string, number>) =>
    refreshRegion(new Map([[TILE, ['work/plan/p']]]), [S2, CH, MAPS], asking, terminal, signal, newTimes)
  const plan = async (source = S2) => {
    const answers = await openAnswers(TILE, asking)
    const images = await answers.find(source)
    const date = await answers.dateOf(source, images[0]?.imageId ?? '', BOX)
    await answers.save()
    return { ids: images.map(({ imageId }) => imageId), date }
  }
  return { storage, catalogue, asked, clock, warnings, said, again, plan }
}

test('a source is asked once about a map tile, and again about something else', async () => {
  const { storage, catalogue, asked, plan } = setUp()
  catalogue.images = [image('a', '2021-06-01', { facts: { licence: 'CC0' } })]
  expect((await plan()).ids).toEqual(['a'])
  catalogue.images = [image('b', '2022-06-01')]
  expect((await plan()).ids).toEqual(['a'])
  expect(asked.images).toBe(1)
  expect((await plan(CH)).ids).toEqual(['b'])
  const other = setUp('never', 50, storage)
  other.catalogue.images = [image('c', '2022-06-01')]
  expect((await other.plan()).ids).toEqual(['c'])
  // Nothing but the answers and when they were asked is stored.
  const stored = JSON.parse(gunzipSync(storage.files.get(answersKey(TILE))!).toString())
  expect(Object.keys(stored)).toEqual(['CH', 'S2'])
  await forgetAnswer(storage, TILE, 'S2')
  other.catalogue.images = []
  expect([(await other.plan()).ids, (await other.plan(CH)).ids]).toEqual([[], []])
})

test('what can not be said of an image now, and a damaged file, are asked again', async () => {
  const { storage, catalogue, asked, plan } = setUp()
  const failed = new ServiceError('imagery-down', 'The service is away.', { retry: true })
  catalogue.images = [image('a', '2021-06-01', { failed })]
  await plan()
  catalogue.images = [image('a', '2021-06-01')]
  await plan()
  await plan()
  expect(asked.images).toBe(2)
  storage.files.set(answersKey(TILE), Buffer.from('{'))
  await plan()
  expect(asked.images).toBe(3)
})

test('dates of places stay as they were, until a place has a newer one', async () => {
  const { catalogue, asked, again, plan, storage } = setUp('newer')
  await storage.put('work/plan/p', '')
  catalogue.images = [image('mosaic', null)]
  catalogue.date = { time: day('2019-04-01'), timePrecision: 'day' }
  expect((await plan(MAPS)).date?.time).toBe(day('2019-04-01'))
  catalogue.date = { time: day('2022-04-01'), timePrecision: 'day' }
  expect((await plan(MAPS)).date?.time).toBe(day('2019-04-01'))
  expect(asked.dates).toBe(1)
  expect(await again()).toEqual({ MAPS: { images: 1, tiles: 1 } })
  expect(storage.files.has('work/plan/p')).toBe(false)
  expect((await plan(MAPS)).date?.time).toBe(day('2022-04-01'))
  expect(await again()).toEqual({})
})

test.each([
  ['a newer image', [image('a', '2021-06-01'), image('b', '2022-06-01')], 1],
  ['an image without a time that was not known', [image('a', '2021-06-01'), image('b', null)], 1],
  ['an older image', [image('a', '2021-06-01'), image('b', '2020-06-01')], 0],
  ['other clouds in an image', [image('a', '2021-06-01', { cloud: 5 })], 0],
  ['no image any more', [], 0],
  ['a newer image that may not be used', [image('b', '2022-06-01', { unusable: 'image-licence-not-open' })], 0],
])('where a source has %s, a refresh changes what is planned only for a newer one', async (_what, images, newer) => {
  const { storage, catalogue, again, plan } = setUp('newer')
  await storage.put('work/plan/p', '')
  catalogue.images = [image('a', '2021-06-01')]
  await plan()
  catalogue.images = images
  expect(await again()).toEqual(newer > 0 ? { S2: { images: newer, tiles: 1 } } : {})
  expect(storage.files.has('work/plan/p')).toBe(newer === 0)
  expect((await plan()).ids).toEqual(newer > 0 ? images.map(({ imageId }) => imageId) : ['a'])
})

test('an age counts from the last answer, whatever it was', async () => {
  const { catalogue, asked, clock, again, plan } = setUp('2w')
  catalogue.images = [image('a', '2021-06-01')]
  await plan()
  clock.now = new Date('2024-05-14T23:59:59Z')
  await again()
  expect(asked.images).toBe(1)
  clock.now = new Date('2024-05-15T00:00:00Z')
  await again()
  await again()
  expect(asked.images).toBe(2)
})

test('a source that is away is named once, and asked by the next build', async () => {
  const { catalogue, warnings, again, plan } = setUp('newer')
  catalogue.images = [image('a', '2021-06-01')]
  await plan()
  catalogue.failure = new ServiceError('imagery-down', 'The service is away.', { retry: true })
  expect(await again()).toEqual({})
  expect(warnings).toEqual([
    "S2 can't be asked for newer images now (The service is away.); its images stay as they are.",
  ])
  catalogue.failure = null
  catalogue.images = [image('b', '2022-06-01')]
  expect(await again()).toEqual({ S2: { images: 1, tiles: 1 } })
})

test('times that map services added are named beside newer images', async () => {
  const { catalogue, said, again, plan } = setUp('newer')
  catalogue.images = [image('a', '2021-06-01')]
  await plan()
  expect(await again()).toEqual({})
  expect(await again(new Map([['TOWN', 2]]))).toEqual({ TOWN: { images: 2, tiles: 1 } })
  catalogue.images = [image('b', '2022-06-01')]
  expect(Object.keys(await again(new Map([['TOWN', 2]])))).toEqual(['S2', 'TOWN'])
  expect(said).toEqual([
    'no newer images',
    'TOWN: 2 newer images in 1 map tile',
    'S2: 1 newer image in 1 map tile; TOWN: 2 newer images in 1 map tile',
  ])
})
