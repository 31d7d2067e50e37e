import { count, EARTH_ENGINE_PER_SECOND, formatCounted } from '@skyscript/core'
import { hasAmbientCredentials, type Source, takesAmbientCredentials } from '@skyscript/gee-fetch'
import { ledgerOf } from './context.ts'
import { earthEngineShare, eecuHoursOf, type FetchCost, fetchCost, type Probe, probe } from './cost.ts'
import { type Flow, flow } from './flow.ts'
import { HEADS_FOLDER, writeHeads } from './heads.ts'
import { earthEngineHost, type HostCost, hostCosts } from './host-costs.ts'
import { countLeftOut } from './left-out.ts'
import { type BuildOptions, type Prepared, prepare } from './prepare.ts'
import { readResult, resultKey } from './results.ts'
import type { TagOutcomes } from './run.ts'
import { type PlanHead, type PlanResult, plan } from './stages/plan.ts'
import { addTable, sortedCounts, sortedTable } from './tables.ts'

/** A JPEG of the original takes 16 KB on average: good for an estimate. */
const JPEG_BYTES = 16_000
/** Uncompressed bytes per pixel that Earth Engine sends: red, green, blue and state. */
const BYTES_PER_PIXEL = 4
/** Assumed where nothing was probed: seconds of a request, and of a million pixels in it. */
const SECONDS_PER_REQUEST = 0.6
const SECONDS_PER_MEGAPIXEL = 1.5

/** What a build would do. */
export interface PlanSummary {
  readonly objects: {
    readonly tagged: number
    readonly focus: number
    readonly planned: number
    readonly dropped: Readonly<Record<string, number>>
    readonly failed: Readonly<Record<string, number>>
    /** By tag (`key=value`): how many are `planned`, and how many dropped for each reason. */
    readonly tags: TagOutcomes
    /** How many of the dropped `tiles.coarsen: 8` would keep, before sampling. */
    readonly coarsenable: number
  }
  /** By the source that is tried first. */
  readonly images: Readonly<Record<string, number>>
  /** The same by year; an empty one where the image has no time. */
  readonly years: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Images that sources have and that may not be used, by source and reason. */
  readonly leftOut: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Images that are not there yet; what follows is of these. */
  readonly toFetch: number
  /** Of candidates (made by the plan itself), and of pixels, at least; grouping saved what would else be one per image. */
  readonly requests: { readonly candidates: number; readonly pixels: number; readonly saved: number }
  readonly bytes: { readonly transferred: number; readonly stored: number }
  /** The same by host, Earth Engine first; hosts are asked at the same time. */
  readonly hosts: readonly HostCost[]
  /** Of the host that takes longest. */
  readonly secondsAtQuota: number
  /** EECU-hours; null where nobody was asked what pixels cost. */
  readonly eecuHours: number | null
  readonly probe: Probe | null
  /** EECU-hours of the month; null without a limit. `share` is of the limit. */
  readonly budget: { readonly limit: number; readonly used: number; readonly share: number | null } | null
}

/**
 * Plans a region and fetches nothing.
 *
 * @param mayProbe whether some images are asked for to learn what they cost; by default, where there are credentials
 */
export async function planRegion(options: BuildOptions, mayProbe?: boolean): Promise<PlanSummary> {
  const prepared = await prepare(options)
  try {
    const planned = await flow([plan], prepared.roots, prepared)
    if (planned.jobs.size > 0) await keepHeads(planned, prepared)
    const cost = await fetchCost(prepared, planned)
    const found = isProbed(cost, options, mayProbe) ? await askProbe(prepared, cost, options) : null
    const eecuHours = found && eecuHoursOf(cost, found)
    const hosts = hostsOf(cost, prepared.facts.sources, options, found)
    return {
      ...(await countsOf(planned, prepared)),
      toFetch: cost.images,
      requests: {
        candidates: prepared.roots.length * prepared.facts.sources.length,
        pixels: cost.requests,
        saved: cost.images - cost.requests,
      },
      bytes: { transferred: sum(hosts.map(({ bytes }) => bytes)), stored: cost.images * JPEG_BYTES },
      hosts,
      secondsAtQuota: Math.max(0, ...hosts.map(({ seconds }) => seconds)),
      eecuHours,
      probe: found,
      budget: await budgetOf(options, eecuHours),
    }
  } finally {
    await prepared.context.close()
  }
}

/** Requests, bytes and time of each host. */
function hostsOf(
  cost: FetchCost,
  sources: readonly Source[],
  { config }: BuildOptions,
  found: Probe | null,
): readonly HostCost[] {
  const { earthEngine } = config.imagery
  const inside = sources.filter(({ kind }) => kind === 'earth-engine')
  const { requests, pixels } = earthEngineShare(cost)
  const seconds = found
    ? (found.seconds / found.pixels) * pixels
    : requests * SECONDS_PER_REQUEST + (pixels / 1e6) * SECONDS_PER_MEGAPIXEL
  const host: HostCost = {
    host: earthEngineHost(earthEngine),
    sources: inside.map(({ alias }) => alias),
    requests,
    bytes: pixels * BYTES_PER_PIXEL,
    seconds: Math.max(requests / EARTH_ENGINE_PER_SECOND, seconds / earthEngine.maxConcurrent),
  }
  return [...(inside.length > 0 ? [host] : []), ...hostCosts(cost.others, sources)]
}

async function keepHeads({ done }: Flow, { storage, presence }: Prepared): Promise<void> {
  const packs = presence.listing.work.keys().filter((key) => key.startsWith(HEADS_FOLDER))
  await writeHeads(storage, plan.name, done.get(plan.name)!.values(), packs)
}

function isProbed({ sample }: FetchCost, { config }: BuildOptions, mayProbe: boolean | undefined): boolean {
  const { endpoint, credentials } = config.imagery.earthEngine
  if (endpoint === 'local' || sample.length === 0) return false
  const inEnvironment = takesAmbientCredentials(endpoint) && hasAmbientCredentials()
  return mayProbe ?? (credentials !== null || inEnvironment)
}

async function askProbe(prepared: Prepared, cost: FetchCost, options: BuildOptions): Promise<Probe | null> {
  const asking = options.terminal.stage('probe', 'requests')
  const found = await probe(prepared, cost, options, options.signal)
  asking.end(
    found ? `${formatCounted(found.images, 'image')} requested to measure the cost` : 'no image could be fetched',
  )
  return found
}

async function budgetOf(options: BuildOptions, hours: number | null): Promise<PlanSummary['budget']> {
  const { project, maxEecuHours: limit } = options.config.imagery.earthEngine
  if (limit === null) return null
  const used = (await ledgerOf(project, options).read()).eecuSeconds / 3600
  return { limit, used, share: hours === null ? null : hours / limit }
}

async function countsOf(
  planned: Flow,
  { storage, facts }: Prepared,
): Promise<Pick<PlanSummary, 'objects' | 'images' | 'years' | 'leftOut'>> {
  const { index, selection } = facts
  const dropped = new Map<string, number>()
  const failed = new Map(planned.failed)
  const years = new Map<string, Map<string, number>>()
  const tags = new Map<string, Map<string, number>>()
  const addCounts = (counts: Readonly<Record<string, number>>) => {
    for (const [reason, objects] of Object.entries(counts)) count(dropped, reason, objects)
  }
  addCounts(index.dropped)
  addCounts(selection.dropped)
  addTable(tags, selection.tags)
  for (const { job, head } of planned.done.get(plan.name)!.values()) {
    addCounts(head.dropped)
    for (const [code, { objects }] of Object.entries(head.failed)) count(failed, code, objects)
    addTable(years, (head as PlanHead).years)
    addTable(tags, (await readResult<PlanResult>(storage, resultKey(job)))?.tags ?? {})
  }
  const images = new Map([...years].map(([source, counts]) => [source, sum(counts.values())]))
  return {
    objects: {
      tagged: index.tagged,
      focus: sum(Object.values(selection.tiles).map((tile) => tile.objects)),
      planned: sum(images.values()),
      dropped: sortedCounts(dropped),
      failed: sortedCounts(failed),
      tags: sortedTable(tags),
      coarsenable: selection.coarsenable ?? 0,
    },
    images: sortedCounts(images),
    years: sortedTable(years),
    leftOut: leftOutOf(planned),
  }
}

/** Numbers of images that were left out of a plan, by source and reason. */
export const leftOutOf = ({ done }: Flow) =>
  countLeftOut([...done.get(plan.name)!.values()].map(({ head }) => (head as PlanHead).leftOut ?? {}))

const sum = (numbers: Iterable<number>): number => Iterator.from(numbers).reduce((all, each) => all + each, 0)
