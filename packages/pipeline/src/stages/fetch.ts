import {
  fingerprint,
  type ImageRecord,
  mapTilesOf,
  putJson,
  ServiceError,
  type Storage,
  sortedRecord,
} from '@skyscript/core'
import {
  type EarlierImages,
  type FetchOutcome,
  fetchImages,
  type ImageFinding,
  PICTURES_VERSION,
} from '@skyscript/gee-fetch'
import { leafOf, overlapping } from '../leaves.ts'
import { bucketsText } from '../presence/listing.ts'
import { keepReplaced } from '../record/before.ts'
import { getWhole, readResult, resultKey } from '../results.ts'
import { decidingSources, type Run } from '../run.ts'
import type { Job } from '../runner/job.ts'
import { countsOf, type Head, type Stage } from '../stage.ts'
import { countIn, sortedTable } from '../tables.ts'
import { checkEarthEngine, type PlannedLeaf, plannedImages } from './plan.ts'

export interface FetchHead extends Head {
  /** Map tiles that the images touch. */
  readonly tiles: readonly string[]
  /** `bucketsText` of the images. */
  readonly buckets: string
  /** Images that were looked at, by source and what came of it: `taken`, or why not. */
  readonly looked: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** What the pixels come from, by source. */
  readonly origins: Readonly<Record<string, readonly string[]>>
}

/**
 * The planned images of one leaf -> JPEGs in images{N}/ and a record of each.
 *
 * Image files are named by object, source and year, not by fingerprint, so a result of other settings may describe a
 * file that this job is about to replace. Such results are retired first: a result that is there always describes the
 * files as they are.
 */
export const fetch: Stage<PlannedLeaf, FetchOutcome, FetchHead> = {
  name: 'fetch',
  after: 'plan',
  unit: 'images',
  version: 4,
  // Jobs wait for the network. Four leaves fill the slots of a project, and the first of them reach the model early
  // (`npm run bench:flow`).
  concurrency: { embedded: 4, worker: 12 },
  publishes: true,

  decides(_leaf, { content }, { run, sources }) {
    const { seed, imagery } = run.config
    const measured = sources.some(({ kind }) => kind === 'tiles') ? [PICTURES_VERSION] : []
    return [content, seed, imagery.checks, described(imagery), ...measured]
  },

  preflight: checkEarthEngine,

  async run(job, context, signal) {
    const { storage, run, imagery, sources } = context
    const planned = await plannedImages(context, job)
    if (planned === null) {
      throw new ServiceError(
        'missing-plan',
        `The plan of ${job.shard} is gone from ${storage.url}; run the build again.`,
        { retry: false },
      )
    }
    await retireOthers(storage, job)
    return fetchImages(planned, {
      imagery,
      sources,
      checks: run.config.imagery.checks,
      storage,
      seed: run.config.seed,
      earlier: await earlierImages(storage, job),
      tile: tileOf(job),
      grouping: run.config.imagery.earthEngine.grouping,
      signal,
      onReplace: (images) => keepReplaced(storage, images, run.config.seed),
    })
  },

  head(outcome) {
    const { kept } = outcome
    const looked = new Map<string, Map<string, number>>()
    for (const { source, fault } of outcome.findings) countIn(looked, source, fault ?? 'taken')
    const origins = Map.groupBy(kept, ({ source }) => source)
    return {
      ...countsOf(outcome),
      digest: imagesDigest(kept),
      tiles: [...new Set(kept.flatMap(({ box }) => mapTilesOf(box)))].sort(),
      buckets: bucketsText(kept.map(({ filepath }) => filepath)),
      looked: sortedTable(looked),
      origins: sortedRecord(
        Iterator.from(origins).map(
          ([source, list]) => [source, [...new Set(list.map(({ origin }) => origin))].sort()] as const,
        ),
      ),
    }
  },

  async stands({ head, isSealed, result }, _upstream, presence) {
    return (isSealed && presence.areSealed(head.buckets)) || presence.images((await result()).kept)
  },
}

/** Of all that later stages depend on: not of where the same bytes come from. */
const imagesDigest = (images: readonly ImageRecord[]): string =>
  fingerprint(images.map(({ origin: _origin, ...image }) => image))

/** Sources that the user describes, whose bands and ranges may change under the same name. */
const described = ({ sources }: Run['config']['imagery']) =>
  decidingSources(sources).filter((source) => typeof source !== 'string')

/**
 * What superseded jobs of a leaf left; only ever a hint: files are checked by hash before they are used, and what another
 * version of this code wrote may lack either.
 */
interface Leftovers {
  readonly images?: readonly ImageRecord[]
  readonly findings?: readonly ImageFinding[]
}

const tileOf = ({ shard }: Pick<Job, 'shard'>) => shard.split('/')[0]!

const reuseKey = (leaf: string): string => `work/reuse/${leaf}.json`

async function retireOthers(storage: Storage, job: Job): Promise<void> {
  for (const key of await overlapping(storage, 'work/fetch', job.shard)) {
    if (key === resultKey(job)) continue
    const outcome = await readResult<Partial<FetchOutcome>>(storage, key)
    if (outcome === null) continue
    const hint = reuseKey(`${tileOf(job)}/${leafOf(key)}`)
    const known = await getWhole<Leftovers>(storage, hint)
    const images = new Map([...(known?.images ?? []), ...(outcome.kept ?? [])].map((record) => [record.id, record]))
    const findings = new Map(
      [...(known?.findings ?? []), ...(outcome.findings ?? [])].map((each) => [each.request, each]),
    )
    await putJson(storage, hint, { images: [...images.values()], findings: [...findings.values()] } satisfies Leftovers)
    await storage.delete(key)
  }
}

/** What earlier jobs know of the ground of this one, of older settings or unfinished. */
export async function earlierImages(storage: Storage, job: Pick<Job, 'shard'>): Promise<EarlierImages> {
  const records = new Map<string, ImageRecord>()
  const findings = new Map<string, ImageFinding>()
  const take = (images: readonly ImageRecord[] = [], found: readonly ImageFinding[] = []) => {
    for (const record of images) records.set(record.id, record)
    for (const each of found) findings.set(each.request, each)
  }
  for (const key of await overlapping(storage, 'work/reuse', job.shard)) {
    const left = await getWhole<Leftovers>(storage, key)
    if (left !== null) take(left.images, left.findings)
  }
  for (const key of await overlapping(storage, 'work/fetch', job.shard)) {
    const outcome = await readResult<Partial<FetchOutcome>>(storage, key)
    if (outcome !== null) take(outcome.kept, outcome.findings)
  }
  return { records, findings }
}
