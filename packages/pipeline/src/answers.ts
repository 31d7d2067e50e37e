/**
 * What sources said of the images of a map tile, kept in `work/candidates/<tile>.json.gz`: a tile that is planned again, since
 * its map or a setting changed, chooses among the same images, so that no pair changes because a source has newer ones.
 * `imagery.refresh` says when sources are asked again.
 */
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { fingerprint, mapTileBox, type Storage } from '@skyscript/core'
import type { Imagery, KnownDate, Source, SourceImage } from '@skyscript/gee-fetch'
import { endpointOrigin } from './origins.ts'
import { decidingSources, type Run } from './run.ts'

export const ANSWERS_FOLDER = 'work/candidates/'
export const answersKey = (tile: string): string => `${ANSWERS_FOLDER}${tile}.json.gz`

const [compress, expand] = [promisify(gzip), promisify(gunzip)]

/** What one source said. */
export interface Answer {
  /** Of all that decides what is asked. */
  readonly question: string
  /** ISO 8601 UTC; decides only when the source is asked again. */
  readonly asked: string
  readonly images: readonly SourceImage[]
  /** Dates of places of images, by `placeKey`, where they differ from place to place. */
  readonly dates?: Readonly<Record<string, KnownDate | null>>
}

/** By alias. */
export type Answers = Readonly<Record<string, Answer>>

export type Place = readonly [imageId: string, box: Parameters<Imagery['dateOf']>[2]]
const placeKey = (...place: Place) => JSON.stringify(place)

/** What of a run decides what is asked. */
type Asked = Pick<Run, 'config' | 'files'>

export function questionOf(source: Source, { config, files }: Asked): string {
  const { alias, kind } = source
  const { sources, maxCloud, earthEngine } = config.imagery
  return fingerprint(
    decidingSources(sources).find((each) => (typeof each === 'string' ? each : each.alias) === alias),
    // Of shipped sources the settings have only the alias.
    'collection' in source ? source.collection : null,
    maxCloud,
    kind === 'earth-engine' ? endpointOrigin(earthEngine) : null,
    files[alias] ?? null,
  )
}

/** Of one tile; none where nothing was asked, or the file is damaged. */
export async function readAnswers(storage: Storage, tile: string): Promise<Answers> {
  const packed = await storage.get(answersKey(tile))
  if (packed === null) return {}
  try {
    return JSON.parse((await expand(packed)).toString('utf8')) as Answers
  } catch {
    return {}
  }
}

export async function writeAnswers(storage: Storage, tile: string, answers: Answers): Promise<void> {
  const sorted = Object.entries(answers).sort(([a], [b]) => (a < b ? -1 : 1))
  await storage.put(answersKey(tile), await compress(JSON.stringify(Object.fromEntries(sorted)), { level: 4 }))
}

/** Sources as a map tile knows them: each is asked once, however often the tile is planned. */
export interface TileAnswers {
  find(source: Source, signal?: AbortSignal): Promise<readonly SourceImage[]>
  dateOf(source: Source, ...place: Place): Promise<KnownDate | null>
  /** Stores what was asked. */
  save(): Promise<void>
}

/** What asking needs. */
export interface Asking {
  readonly storage: Storage
  readonly run: Asked
  readonly imagery: Imagery
  readonly now: () => Date
}

export async function openAnswers(tile: string, { storage, run, imagery, now }: Asking): Promise<TileAnswers> {
  const known = new Map(Object.entries(await readAnswers(storage, tile)))
  const dates = new Map<string, Map<string, KnownDate | null>>()
  let isChanged = false
  /** Null where a source was not asked before, or something else. */
  const answerOf = (source: Source) => {
    const answer = known.get(source.alias)
    return answer?.question === questionOf(source, run) ? answer : null
  }
  return {
    async find(source, signal) {
      const before = answerOf(source)
      if (before !== null) return before.images
      const asked = now().toISOString()
      const images = await imagery.find(source, mapTileBox(tile), signal)
      // What could not be said now is asked again by the next plan.
      if (images.some(({ failed }) => failed)) return images
      known.set(source.alias, { question: questionOf(source, run), asked, images })
      isChanged = true
      return images
    },
    async dateOf(source, ...place) {
      if (source.kind !== 'tiles' || !source.dates) return imagery.dateOf(source, ...place)
      const answer = answerOf(source)
      const key = placeKey(...place)
      const own = dates.get(source.alias) ?? new Map(Object.entries(answer?.dates ?? {}))
      dates.set(source.alias, own)
      if (own.has(key)) return own.get(key)!
      const date = await imagery.dateOf(source, ...place)
      own.set(key, date)
      isChanged = true
      return date
    },
    async save() {
      if (!isChanged) return
      const all = [...known].map(([alias, answer]) => {
        const own = [...(dates.get(alias) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
        return [alias, own.length === 0 ? answer : { ...answer, dates: Object.fromEntries(own) }] as const
      })
      await writeAnswers(storage, tile, Object.fromEntries(all))
    },
  }
}

/** Forgets what a source said of a tile, where its images turned out to be others. */
export async function forgetAnswer(storage: Storage, tile: string, alias: string): Promise<void> {
  const { [alias]: _gone, ...others } = await readAnswers(storage, tile)
  await writeAnswers(storage, tile, others)
}
