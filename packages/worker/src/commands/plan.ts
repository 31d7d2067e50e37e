import { type Config, count, formatBytes, formatCount, formatSeconds } from '@skyscript/core'
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
import { withBuild } from './build.ts'
import { readRegion } from './region.ts'

/** A JPEG of the original takes 16 KB on average: good for an estimate. */
const JPEG_BYTES = 16_000
/** Uncompressed bytes per pixel that Earth Engine sends: red, green, blue and state. */
const BYTES_PER_PIXEL = 4
/** Assumed where nothing was probed: seconds of a request, and of a million pixels in it. */
const SECONDS_PER_REQUEST = 0.6
const SECONDS_PER_MEGAPIXEL = 1.5
/** Tags that the table shows. */
const TAGS = 25

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
  readonly json?: boolean
  /** Whether some images are asked for to learn what they cost; unless told, where there are credentials. */
  readonly probe?: boolean
}

/** `skyscript plan`: 0, or 2 where a map tile could not be planned. */
export async function planCommand(file: string, options: PlanOptions): Promise<number> {
  const config = await readRegion(file)
  const summary = await withBuild('plan', config, (build) => planSummary(build, options))
  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : tableOf(config, summary))
  return Object.keys(summary.objects.failed).length === 0 ? 0 : 2
}

async function planSummary(options: BuildOptions, { probe: asked }: PlanOptions): Promise<PlanSummary> {
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
  asking.end(found ? `${found.images} images, to learn what they cost` : 'none of the images could be had')
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

function tableOf(config: Config, plan: PlanSummary): string {
  const { objects, years, toFetch, requests, bytes, secondsAtQuota } = plan
  const row = (name: string, value: string) => `  ${name.padEnd(44)}${value.padStart(14)}`
  const counts = (record: Readonly<Record<string, number>>) =>
    Object.entries(record).map(([name, n]) => row(name, formatCount(n)))
  const images = Object.entries(years).flatMap(([source, byYear]) =>
    Object.entries(byYear).map(([year, n]) => row(`${source} ${year || 'without a year'}`, formatCount(n))),
  )
  return [
    `Plan for ${config.name}: ${formatCount(objects.planned)} images of ${formatCount(objects.tagged)} tagged objects`,
    'images by first choice of source, and year',
    ...images,
    ...tagLines(objects.tags, row),
    'objects dropped, by reason',
    ...counts(objects.dropped),
    ...(Object.keys(objects.failed).length > 0 ? ['failed', ...counts(objects.failed)] : []),
    `cost of ${toFetch === objects.planned ? 'all' : `the ${formatCount(toFetch)} that are not there yet`}`,
    row('requests for candidates (at most)', formatCount(requests.candidates)),
    row('requests for pixels (at least)', formatCount(requests.pixels)),
    row('  saved by grouping', formatCount(requests.saved)),
    row('transferred, uncompressed', formatBytes(bytes.transferred)),
    row('stored, about', formatBytes(bytes.stored)),
    row(`time at the quota, ${plan.probe ? 'as probed' : 'about'}`, formatSeconds(secondsAtQuota)),
    ...eecuLines(config, plan, row),
    '',
  ].join('\n')
}

/** The tags of most objects: how many get an image, and what keeps most of the others from it. */
function tagLines(tags: TagOutcomes, row: (name: string, value: string) => string): string[] {
  const entries = Object.entries(tags).map(([tag, outcomes]) => {
    const { planned = 0, ...reasons } = outcomes
    const [worst] = Object.entries(reasons).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    return { tag, planned, all: planned + sum(Object.values(reasons)), worst }
  })
  entries.sort((a, b) => b.all - a.all || (a.tag < b.tag ? -1 : 1))
  const lines = entries.slice(0, TAGS).map(({ tag, planned, all, worst }) => {
    const why = worst ? `  (${worst[0]} ${formatCount(worst[1])})` : ''
    return `${row(tag.slice(0, 44), `${formatCount(planned)} of ${formatCount(all)}`)}${why}`
  })
  const more =
    entries.length > TAGS ? ` (the ${TAGS} most frequent of ${formatCount(entries.length)}; all with --json)` : ''
  return [`objects planned, by tag${more}`, ...lines]
}

function eecuLines(
  { imagery }: Config,
  { eecuHours, budget }: PlanSummary,
  row: (name: string, value: string) => string,
): string[] {
  if (imagery.earthEngine.endpoint === 'local') return []
  const hours = (value: number) => (value === 0 ? '0' : Number(value.toPrecision(3)).toString())
  const lines = [
    row('EECU-hours, as probed', eecuHours === null ? 'not probed' : hours(eecuHours)),
    ...(budget === null ? [] : [row(`used of this month's ${hours(budget.limit)}`, hours(budget.used))]),
  ]
  if (budget === null || budget.share === null || eecuHours === null) return lines
  lines.push(row("share of the month's budget", `${(100 * budget.share).toFixed(1)} %`))
  if (eecuHours > budget.limit - budget.used)
    lines.push('  More than is left of this month: a build stops in between, and goes on when it is run again.')
  return lines
}
