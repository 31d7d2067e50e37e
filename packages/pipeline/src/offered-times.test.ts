import type { Config } from '@skyscript/core'
import { describedSource } from '@skyscript/core/config'
import { expect, test } from 'vitest'
import { MemoryStorage } from '../../dataset/test/support/memory-storage.ts'
import { openOfferedTimes } from './offered-times.ts'

const TOWN = { kind: 'wms', alias: 'TOWN', url: 'https://town.example/wms', layers: 'ortho', gsd: 0.2, licence: 'CC0' }
const described = (changes: object = {}) => describedSource({ ...TOWN, ...changes }, 'TOWN')
const START = Date.parse('2024-05-01T00:00:00Z')

/** A build of a source: the times that it uses, and how many of them are new. */
async function build(
  storage: MemoryStorage,
  offered: readonly string[],
  refresh: Config['imagery']['refresh'] = 'never',
  { days = 0, given = {} }: { readonly days?: number; readonly given?: object } = {},
) {
  const times = await openOfferedTimes(storage, refresh, new Date(START + days * 86_400_000))
  const [source] = times.settle([described(given)], [described({ ...given, times: offered })])
  await times.save()
  return { times: (source as { times?: readonly string[] }).times, newer: times.newer.get('TOWN') ?? 0 }
}

test('a time that a service adds is used by a build that asks for newer images, and stays from then on', async () => {
  const storage = new MemoryStorage()
  expect(await build(storage, ['2018', '2021'])).toEqual({ times: ['2018', '2021'], newer: 0 })
  const offered = ['2018', '2021', '2024']
  expect(await build(storage, offered)).toEqual({ times: ['2018', '2021'], newer: 0 })
  expect(await build(storage, offered, 'newer')).toEqual({ times: offered, newer: 1 })
  expect(await build(storage, offered, 'newer')).toEqual({ times: offered, newer: 0 })
  expect((await build(storage, offered)).times).toEqual(offered)
})

test('an age counts from when the service was asked last', async () => {
  const storage = new MemoryStorage()
  await build(storage, ['2018'])
  expect((await build(storage, ['2018', '2021'], '90d', { days: 89 })).times).toEqual(['2018'])
  // Nothing is new on the ninetieth day, from which the next age counts.
  await build(storage, ['2018'], '90d', { days: 90 })
  expect((await build(storage, ['2018', '2021'], '90d', { days: 179 })).times).toEqual(['2018'])
  expect((await build(storage, ['2018', '2021'], '90d', { days: 180 })).newer).toBe(1)
})

test('a time that is offered no longer is not asked for, and older ones that were added wait for a newer one', async () => {
  const storage = new MemoryStorage()
  await build(storage, ['2018', '2021'])
  expect((await build(storage, ['2021', '2024'])).times).toEqual(['2021'])
  expect((await build(storage, ['2019', '2021'], 'newer')).times).toEqual(['2021'])
  expect((await build(storage, ['2019', '2021', '2024'], 'newer')).times).toEqual(['2019', '2021', '2024'])
  // Where none of them is left, there is nothing to keep.
  expect((await build(storage, ['2025'])).times).toEqual(['2025'])
})

test('times of the settings, and those of another layer, are used as they are', async () => {
  const storage = new MemoryStorage()
  const times = ['2018', '2021']
  await build(storage, ['2018'])
  expect((await build(storage, times)).times).toEqual(['2018'])
  expect((await build(storage, times, 'never', { given: { times } })).times).toEqual(times)
  await build(storage, ['2018'])
  expect((await build(storage, times, 'never', { given: { layers: 'infrared' } })).times).toEqual(times)
})
