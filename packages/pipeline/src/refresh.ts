/** `imagery.refresh`: asks sources again about ground that is planned, and takes up what is newer. */
import {
  byKey,
  type Config,
  count,
  formatCounted,
  mapTileBox,
  messageOf,
  refreshAge,
  ServiceError,
  type Terminal,
} from '@skyscript/core'
import type { Imagery, KnownDate, Source, SourceImage } from '@skyscript/gee-fetch'
import pMap from 'p-map'
import { type Answer, type Asking, type Place, questionOf, readAnswers, writeAnswers } from './answers.ts'

/** Map tiles that are asked about at a time; services have limits of their own. */
const TILES = 8

/** Newer images that were taken up: how many, and of how many map tiles, by source. */
export type Refreshed = Readonly<Record<string, { readonly images: number; readonly tiles: number }>>

/**
 * Asks about all map tiles of a region.
 *
 * @param plans keys of stored plans, by map tile
 * @param newTimes number of times that map services added to their layers, by source: all tiles are planned with them
 */
export async function refreshRegion(
  plans: ReadonlyMap<string, readonly string[]>,
  sources: readonly Source[],
  asking: Asking,
  terminal: Terminal,
  signal: AbortSignal,
  newTimes: ReadonlyMap<string, number> = new Map(),
): Promise<Refreshed> {
  if (asking.run.config.imagery.refresh === 'never' || plans.size === 0) return {}
  const progress = terminal.stage('refresh', 'tiles')
  const images = new Map<string, Set<string>>()
  const tiles = new Map<string, number>()
  const failed = new Set<string>()
  const onFailure = (alias: string, error: ServiceError) => {
    if (!failed.has(alias))
      terminal.warn(`${alias} can't be asked for newer images now (${messageOf(error)}); its images stay as they are.`)
    failed.add(alias)
  }
  let done = 0
  const refresh = async ([tile, keys]: readonly [string, readonly string[]]) => {
    for (const [alias, ids] of await refreshTile(tile, sources, asking, keys, onFailure, signal)) {
      count(tiles, alias)
      const all = images.get(alias) ?? new Set()
      for (const id of ids) all.add(id)
      images.set(alias, all)
    }
    progress.update(++done, plans.size)
  }
  await pMap(plans, refresh, { concurrency: TILES })
  const found = [
    ...images.entries().map(([alias, ids]) => [alias, { images: ids.size, tiles: tiles.get(alias)! }] as const),
    ...newTimes.entries().map(([alias, times]) => [alias, { images: times, tiles: plans.size }] as const),
  ].sort(byKey)
  progress.end(found.length === 0 ? 'no newer images' : found.map(sayNewer).join('; '))
  return Object.fromEntries(found)
}

/** `S2: 12 newer images in 3 map tiles` */
const sayNewer = ([alias, { images, tiles }]: readonly [string, Refreshed[string]]): string =>
  `${alias}: ${formatCounted(images, 'newer image')} in ${formatCounted(tiles, 'map tile')}`

/** Whether a source is to be asked again about a tile. */
export function isDue(refresh: Config['imagery']['refresh'], asked: string, now: Date): boolean {
  if (refresh === 'never') return false
  const age = refreshAge(refresh)
  return age === null || now.getTime() - Date.parse(asked) >= age
}

/**
 * Asks sources again about a map tile, as `imagery.refresh` wants it. Where one has an image that is newer than all that it
 * had before, its new answer takes the place of the old one, and the plan of the tile is removed, so that it is made anew;
 * else everything stays.
 *
 * @param plans keys of stored plans of a tile
 * @param onFailure called for a source that can't be asked now: its images stay
 * @returns ids of the newer images, by source
 */
async function refreshTile(
  tile: string,
  sources: readonly Source[],
  { storage, run, imagery, now }: Asking,
  plans: readonly string[],
  onFailure: (alias: string, error: ServiceError) => void,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const before = await readAnswers(storage, tile)
  const news = new Map<string, readonly string[]>()
  const answers = { ...before }
  for (const source of sources) {
    const { alias } = source
    const old = before[alias]
    const date = now()
    if (old?.question !== questionOf(source, run) || !isDue(run.config.imagery.refresh, old.asked, date)) continue
    try {
      const answer = await askAgain(source, old, tile, imagery, signal)
      if (answer === null) continue
      const newer = newerThan(old, answer)
      const taken = newer.length > 0 ? answer : old
      answers[alias] = { ...taken, question: old.question, asked: date.toISOString() }
      if (newer.length > 0) news.set(alias, newer)
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      signal.throwIfAborted()
      onFailure(alias, error)
    }
  }
  // In this order: if the build is killed in between, the tile is planned again, and asked about by a later build.
  if (news.size > 0) for (const key of plans) await storage.delete(key)
  if (Object.entries(answers).some(([alias, answer]) => answer !== before[alias]))
    await writeAnswers(storage, tile, answers)
  return news
}

type Said = Pick<Answer, 'images' | 'dates'>

/** Null where a source can't say it of all images now. */
async function askAgain(
  source: Source,
  { dates }: Said,
  tile: string,
  imagery: Imagery,
  signal: AbortSignal,
): Promise<Said | null> {
  const images = await imagery.find(source, mapTileBox(tile), signal)
  if (images.some(({ failed }) => failed)) return null
  if (dates === undefined) return { images }
  const again: Record<string, KnownDate | null> = {}
  for (const key of Object.keys(dates)) {
    signal.throwIfAborted()
    again[key] = await imagery.dateOf(source, ...(JSON.parse(key) as Place))
  }
  return { images, dates: again }
}

/** Ids of the images of an answer that are newer than all of another; of those that differ from place to place, once each. */
function newerThan(old: Said, { images, dates = {} }: Said): string[] {
  const known = new Set(old.images.map(({ imageId }) => imageId))
  const timeOf = ({ time }: SourceImage) => time ?? -Infinity
  const newest = old.images.reduce((latest, image) => Math.max(latest, timeOf(image)), -Infinity)
  const isNewer = (image: SourceImage) =>
    image.unusable === undefined && !known.has(image.imageId) && (image.time === null || image.time > newest)
  const ids = new Set(images.filter(isNewer).map(({ imageId }) => imageId))
  for (const [key, date] of Object.entries(dates)) {
    const before = old.dates?.[key]?.time ?? -Infinity
    if (date !== null && date.time > before) ids.add((JSON.parse(key) as Place)[0])
  }
  return [...ids]
}
