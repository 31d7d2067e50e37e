import { count, formatCounted } from '@skyscript/core'
import { takesAmbientCredentials } from '@skyscript/gee-fetch'
import {
  type BuildOptions,
  countIn,
  eecuHoursOf,
  type FetchCost,
  fetchCost,
  fetchShardsOf,
  ledgerOf,
  type PlanResult,
  type Prepared,
  type Probe,
  prepare,
  probe,
  runPlan,
  sortedCounts,
  sortedTable,
  type TagOutcomes,
} from '@skyscript/pipeline'

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
  }
  /** By the source that is tried first. */
  readonly images: Readonly<Record<string, number>>
  /** The same by year; an empty one where the image has no time. */
  readonly years: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Images that are not there yet; what follows is of these. */
  readonly toFetch: number
  /** Of candidates (made by the plan itself), and of pixels, at least; grouping saved what would else be one per image. */
  readonly requests: { readonly candidates: number; readonly pixels: number; readonly saved: number }
  readonly bytes: { readonly transferred: number; readonly stored: number }
  readonly secondsAtQuota: number
  /** EECU-hours; null where nobody was asked what pixels cost. */
  readonly eecuHours: number | null
  readonly probe: Probe | null
  /** EECU-hours of the month; null without a limit. `share` is of the limit. */
  readonly budget: { readonly limit: number; readonly used: number; readonly share: number | null } | null
}

export interface PlanOptions {
  /** Whether some 50 images are requested to measure their cost; default: if there are credentials. */
  readonly probe: boolean | undefined
}

/** Counts what a build would do, and what it would cost. */
export async function planSummary(options: BuildOptions, { probe: asked }: PlanOptions): Promise<PlanSummary> {
  const prepared = await prepare(options)
  try {
    const plans = await runPlan(prepared)
    const cost = await fetchCost(prepared, fetchShardsOf(prepared, plans))
    const { endpoint, credentials, maxConcurrent } = options.config.imagery.earthEngine
    const mayProbe = endpoint !== 'local' && cost.sample.length > 0
    const inEnvironment = takesAmbientCredentials(endpoint) && process.env.GOOGLE_APPLICATION_CREDENTIALS !== undefined
    const hasCredentials = credentials !== null || inEnvironment
    const found = mayProbe && (asked ?? hasCredentials) ? await askProbe(prepared, cost, options) : null
    const eecuHours = found && eecuHoursOf(cost, found)
    const seconds = found
      ? (found.seconds / found.pixels) * cost.pixels
      : cost.requests * SECONDS_PER_REQUEST + (cost.pixels / 1e6) * SECONDS_PER_MEGAPIXEL
    return {
      ...countsOf(prepared, plans),
      toFetch: cost.images,
      requests: {
        candidates: Object.keys(prepared.selection.tiles).length * prepared.context.sources.length,
        pixels: cost.requests,
        saved: cost.images - cost.requests,
      },
      bytes: { transferred: cost.pixels * BYTES_PER_PIXEL, stored: cost.images * JPEG_BYTES },
      secondsAtQuota: Math.max(cost.requests / 100, seconds / maxConcurrent),
      eecuHours,
      probe: found,
      budget: await budgetOf(options, eecuHours),
    }
  } finally {
    await prepared.context.close()
  }
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

function countsOf(
  prepared: Prepared,
  byTile: ReadonlyMap<string, PlanResult>,
): Pick<PlanSummary, 'objects' | 'images' | 'years'> {
  const { index, selection, stages } = prepared
  const plans = [...byTile.values()]
  const dropped = new Map<string, number>()
  for (const record of [index.dropped, selection.dropped, ...plans.map((plan) => plan.dropped)]) {
    for (const [reason, n] of Object.entries(record)) count(dropped, reason, n)
  }
  const failed = new Map(stages.failed)
  for (const plan of plans) for (const { code } of plan.failed) count(failed, code)
  const years = new Map<string, Map<string, number>>()
  for (const { bySource } of plans.flatMap((plan) => plan.leaves)) addTable(years, bySource)
  const tags = new Map<string, Map<string, number>>()
  for (const table of [selection.tags, ...plans.map((plan) => plan.tags)]) addTable(tags, table)
  const images = new Map([...years].map(([source, counts]) => [source, sum(counts.values())]))
  return {
    objects: {
      tagged: index.tagged,
      focus: sum(Object.values(selection.tiles).map((tile) => tile.objects)),
      planned: sum(images.values()),
      dropped: sortedCounts(dropped),
      failed: sortedCounts(failed),
      tags: sortedTable(tags),
    },
    images: sortedCounts(images),
    years: sortedTable(years),
  }
}

function addTable(
  table: Map<string, Map<string, number>>,
  more: Readonly<Record<string, Readonly<Record<string, number>>>>,
) {
  for (const [row, counts] of Object.entries(more))
    for (const [column, n] of Object.entries(counts)) countIn(table, row, column, n)
}

const sum = (numbers: Iterable<number>): number => Iterator.from(numbers).reduce((all, each) => all + each, 0)
