import { type Config, formatBytes, formatCount, formatCounted, formatSeconds } from '@skyscript/core'
import type { PlanSummary, TagOutcomes } from '@skyscript/pipeline'
import { argument, defineCommand, flag, jsonOption } from '../command.ts'
import { EXIT } from '../exit-codes.ts'

/** Tags that the table shows. */
const TAGS = 25

export const plan = defineCommand({
  name: 'plan',
  description: 'show what a build would fetch, how long it would take and what it would cost',
  arguments: { region: argument('<region.yaml>', 'the region file') },
  options: {
    probe: {
      ...flag('--probe', 'request some 50 images to measure what they cost (default: if there are credentials)'),
      opposite: { flags: '--no-probe', description: 'request no images' },
    },
    json: jsonOption,
  },
  async run({ region, probe, json }) {
    const { readRegion } = await import('../region.ts')
    const config = await readRegion(region)
    const { withBuild } = await import('../runs/with-build.ts')
    const { planRegion } = await import('@skyscript/pipeline')
    const summary = await withBuild('plan', config, (options) => planRegion(options, probe))
    process.stdout.write(json ? `${JSON.stringify(summary)}\n` : tableOf(config, summary))
    return Object.keys(summary.objects.failed).length === 0 ? EXIT.whole : EXIT.partial
  },
})

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
    `Plan for ${config.name}: ${formatCounted(objects.planned, 'image')} of ${formatCounted(objects.tagged, 'tagged object')}`,
    'images by source (first choice) and year',
    ...images,
    ...tagLines(objects.tags, row),
    'objects dropped, by reason',
    ...counts(objects.dropped),
    ...(objects.coarsenable > 0 ? [row('  with tiles.coarsen: 8 images of', formatCount(objects.coarsenable))] : []),
    ...leftOutLines(plan.leftOut, row),
    ...(Object.keys(objects.failed).length > 0 ? ['failed', ...counts(objects.failed)] : []),
    toFetch === objects.planned ? 'cost' : `cost of the ${formatCounted(toFetch, 'image')} still to fetch`,
    row('requests for candidates (at most)', formatCount(requests.candidates)),
    row('requests for pixels (at least)', formatCount(requests.pixels)),
    row('  saved by grouping', formatCount(requests.saved)),
    row('transferred, uncompressed', formatBytes(bytes.transferred)),
    row('stored, about', formatBytes(bytes.stored)),
    row(`time at the quota, ${plan.probe ? 'as probed' : 'about'}`, formatSeconds(secondsAtQuota)),
    ...hostLines(plan.hosts),
    ...eecuLines(config, plan, row),
    '',
  ].join('\n')
}

function hostLines(hosts: PlanSummary['hosts']): string[] {
  const lines = hosts.map(({ host, sources, requests, bytes, seconds }) => {
    const cost = [formatCounted(requests, 'request'), formatBytes(bytes), formatSeconds(seconds)]
    return `  ${`${host} (${sources.join(', ')})`.padEnd(44)}${cost.map((each) => each.padStart(18)).join('')}`
  })
  return ['of each host, about', ...lines]
}

/** Images that their source has, and that may not be used. */
function leftOutLines(leftOut: PlanSummary['leftOut'], row: (name: string, value: string) => string): string[] {
  const lines = Object.entries(leftOut).flatMap(([source, reasons]) =>
    Object.entries(reasons).map(([reason, n]) => row(`${source} ${reason}`, formatCount(n))),
  )
  return lines.length === 0 ? [] : ['images left out, by source and reason', ...lines]
}

/** The most frequent tags: how many of their objects get an image, and the main reason why others do not. */
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
    lines.push('  More than is left this month: a build will stop when the budget is used up; run it again to resume.')
  return lines
}
