import {
  EARTH_ENGINE_PER_SECOND,
  fingerprint,
  getJson,
  putJson,
  ServiceError,
  type Storage,
  seededFraction,
} from '@skyscript/core'
import {
  candidateToAsk,
  createEarthEngine,
  createImagery,
  groupRequests,
  NO_EARLIER_IMAGES,
  type PixelRequest,
  pixelsIn,
  type RequestShare,
  requestShares,
} from '@skyscript/gee-fetch'
import pMap from 'p-map'
import { ledgerOf, limitName } from './context.ts'
import { type Flow, find, jobOf } from './flow.ts'
import type { ContextOptions } from './models.ts'
import type { BuildOptions, Prepared } from './prepare.ts'
import type { Following } from './stage.ts'
import { earlierImages, fetch } from './stages/fetch.ts'
import { type PlanHead, type PlannedLeaf, plan, plannedImages } from './stages/plan.ts'

/** Images that a probe asks for, and requests of one leaf among the first, so that they come from all over the region. */
const PROBE_IMAGES = 50
const PROBE_PER_LEAF = 5
/** Leaves that are read at a time: enough to hide a bucket's latency. */
const READS = 16
/** Requests of a probe at a time: few, so that each takes as long as it does and not as others let it. */
const PROBE_CONCURRENT = 8

/** What is still to be fetched of a plan, at least: images whose first candidate doesn't serve are asked for again. */
export interface FetchCost {
  readonly images: number
  readonly requests: number
  /** Pixels that are asked for. */
  readonly pixels: number
  /** Of these, what sources outside of Earth Engine are asked for, by alias. */
  readonly others: ReadonlyMap<string, RequestShare>
  /** Some of the requests to Earth Engine, drawn by the seed. */
  readonly sample: readonly PixelRequest[]
}

/** Looks at what is in storage: an image that is there costs nothing. */
export async function fetchCost(prepared: Prepared, planned: Flow): Promise<FetchCost> {
  const { context, presence, facts, storage } = prepared
  const { sources } = context
  const { imagery, seed } = facts.run.config
  const inEarthEngine = new Set(sources.flatMap(({ kind, alias }) => (kind === 'earth-engine' ? [alias] : [])))
  const others = new Map<string, RequestShare>()
  const cost = { images: 0, requests: 0, pixels: 0, others, sample: [] as PixelRequest[] }
  let sampled = 0
  const more: PixelRequest[] = []
  const take = (requests: readonly PixelRequest[]) => {
    for (const request of requests) {
      if (sampled >= PROBE_IMAGES) return
      cost.sample.push(request)
      sampled += request.parts.length
    }
  }
  // To look what overlaps a leaf is a dozen questions to a bucket, and vain in a map tile of which nothing is there.
  const tileOf = (shard: string) => shard.split('/')[0]!
  const known = new Set(
    presence.listing.work
      .keys()
      .map((key) => /^work\/(?:fetch|reuse)\/([^/]+)\//.exec(key)?.[1])
      .filter((tile) => tile !== undefined),
  )
  const requestsOf = async (item: Following) => {
    const leaf = item.upstream as PlannedLeaf
    const job = jobOf(fetch, item, prepared)
    const done = await find(job, prepared)
    if (done !== null && Object.keys(done.head.failed).length === 0) return NOTHING
    const isNew = !known.has(tileOf(leaf.shard))
    if (isNew && sampled >= PROBE_IMAGES) return { ...leaf, images: leaf.kept, list: [] }
    const planned = (await plannedImages(context, job)) ?? []
    const earlier = isNew ? NO_EARLIER_IMAGES : await earlierImages(storage, job)
    const asked = planned.flatMap((image) => candidateToAsk(image, { sources, earlier, checks: imagery.checks }) ?? [])
    const list = groupRequests(asked, tileOf(job.shard), sources, imagery.earthEngine.grouping)
    return {
      ...{ images: asked.length, requests: list.length, pixels: pixelsIn(list), list },
      others: requestShares(list, sources),
    }
  }
  const heads = [...planned.done.get(plan.name)!.values()].map(({ head }) => head as PlanHead)
  const leaves = heads.flatMap(plan.follow!)
  const draws = new Map(leaves.map(({ shard }) => [shard, seededFraction(seed, 'probe', shard)]))
  const drawn = leaves.sort((a, b) => draws.get(a.shard)! - draws.get(b.shard)!)
  for (let from = 0; from < drawn.length; from += READS) {
    for (const { images, requests, pixels, list, others: shares } of await Promise.all(
      drawn.slice(from, from + READS).map(requestsOf),
    )) {
      cost.images += images
      cost.requests += requests
      cost.pixels += pixels
      for (const [alias, share] of Object.entries(shares ?? {})) others.set(alias, sumOf(share, others.get(alias)))
      const askable = list.filter(({ candidate }) => inEarthEngine.has(candidate.source))
      take(askable.slice(0, PROBE_PER_LEAF))
      if (more.length < PROBE_IMAGES) more.push(...askable.slice(PROBE_PER_LEAF, PROBE_PER_LEAF + PROBE_IMAGES))
    }
  }
  take(more)
  return cost
}

const NOTHING = { images: 0, requests: 0, pixels: 0, list: [], others: null }

const sumOf = (a: RequestShare, b: RequestShare = { requests: 0, pixels: 0, files: 0 }): RequestShare => ({
  requests: a.requests + b.requests,
  pixels: a.pixels + b.pixels,
  files: a.files + b.files,
})

/** What Earth Engine is asked for. */
export function earthEngineShare({ requests, pixels, others }: FetchCost): Pick<FetchCost, 'requests' | 'pixels'> {
  const rest = [...others.values()]
  return {
    requests: requests - rest.reduce((sum, each) => sum + each.requests, 0),
    pixels: pixels - rest.reduce((sum, each) => sum + each.pixels, 0),
  }
}

/** What some requests cost when they were tried. */
export interface Probe {
  readonly images: number
  readonly pixels: number
  readonly eecuSeconds: number
  /** Of all requests, one after another. */
  readonly seconds: number
}

/** Kept beside the stages' results. */
export const PROBE = 'work/probe.json'

/** What the last probe of this dataset found; null without one. */
const lastProbe = async (storage: Storage): Promise<Probe | null> =>
  (await getJson<{ probe: Probe }>(storage, PROBE))?.probe ?? null

/**
 * Asks for the sample's pixels, which it throws away, with Earth Engine's profiler; not again for the same sample. Images
 * that can't be had count for nothing; null where none can.
 */
export async function probe(
  { context, facts }: Prepared,
  { sample }: FetchCost,
  options: ContextOptions,
  signal: AbortSignal,
): Promise<Probe | null> {
  const { storage, sources } = context
  const { imagery } = facts.run.config
  const name = fingerprint(sample)
  const known = await getJson<{ name: string; probe: Probe }>(storage, PROBE)
  if (known?.name === name) return known.probe
  const { endpoint, project, credentials, maxConcurrent, maxEecuHours } = imagery.earthEngine
  const limiter = await options.limiter?.(limitName(endpoint, project), maxConcurrent, EARTH_ENGINE_PER_SECOND)
  const maxSeconds = maxEecuHours === null ? null : maxEecuHours * 3600
  const client = createEarthEngine({
    endpoint,
    project,
    credentials,
    maxConcurrent: PROBE_CONCURRENT,
    ...(limiter && { limiter }),
    eecu: { ledger: ledgerOf(project, options), maxSeconds },
  })
  try {
    const noFiles = () => Promise.reject(new TypeError('A probe sends requests to Earth Engine only.'))
    const service = createImagery(
      { earthEngine: async () => client, cog: noFiles, tiles: noFiles, oam: noFiles },
      { ...imagery, earthEngineOrigin: () => '' },
    )
    await client.check()
    let seconds = 0
    const answered: PixelRequest[] = []
    const ask = async (request: PixelRequest) => {
      const { candidate, grid } = request
      const source = sources.find(({ alias }) => alias === candidate.source)!
      const from = performance.now()
      try {
        await service.pixels(source, candidate.imageId, grid, signal)
      } catch (error) {
        if (signal.aborted || !(error instanceof ServiceError)) throw error
        return
      }
      seconds += (performance.now() - from) / 1000
      answered.push(request)
    }
    await pMap(sample, ask, { concurrency: PROBE_CONCURRENT })
    const { eecuSeconds } = await client.eecuUse()
    if (answered.length === 0) return null
    const images = answered.reduce((sum, { parts }) => sum + parts.length, 0)
    const found: Probe = { images, pixels: pixelsIn(answered), eecuSeconds, seconds }
    await putJson(storage, PROBE, { name, probe: found })
    return found
  } finally {
    await client.close()
  }
}

/** EECU-hours of what is to be fetched, by what a probe's pixels cost. */
export const eecuHoursOf = (cost: FetchCost, found: Probe): number =>
  found.pixels === 0 ? 0 : ((found.eecuSeconds / found.pixels) * earthEngineShare(cost).pixels) / 3600

/** One sentence where a plan costs more than is left of the month, while it can still be made smaller. */
export async function warnOfBudget(prepared: Prepared, planned: Flow, options: BuildOptions): Promise<void> {
  const { endpoint, project, maxEecuHours } = prepared.facts.run.config.imagery.earthEngine
  if (maxEecuHours === null || endpoint === 'local') return
  const found = await lastProbe(options.storage)
  if (found === null) return
  const hours = eecuHoursOf(await fetchCost(prepared, planned), found)
  const left = maxEecuHours - (await ledgerOf(project, options).read()).eecuSeconds / 3600
  if (hours <= left) return
  options.terminal.warn(
    `The plan takes about ${hours.toPrecision(2)} EECU-hours, and ${Math.max(0, left).toPrecision(2)} are left of this month's ${maxEecuHours}: the build will stop when they are used up, with a complete dataset of the images fetched so far; run it again next month to resume.`,
  )
}
