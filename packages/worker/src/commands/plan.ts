import type { Config } from '@skyscript/core'
import { type BuildOptions, prepare, runPlan } from '../pipeline/coordinator.ts'
import { sortedCounts } from '../pipeline/run.ts'
import { formatBytes, formatCount, formatSeconds } from '../terminal/terminal.ts'
import { withBuild } from './build.ts'
import { readRegion } from './region.ts'

/** A JPEG of the original takes 16 KB on average: good for an estimate. */
const JPEG_BYTES = 16_000
/** Uncompressed bytes per pixel that Earth Engine sends: red, green, blue and validity. */
const BYTES_PER_PIXEL = 4
/** Seconds of one image request, as seen at the high-volume endpoint; with the quota's concurrency it gives the hours. */
const SECONDS_PER_REQUEST = 0.8

/** What a build would do. */
export interface PlanSummary {
  readonly objects: {
    readonly tagged: number
    readonly focus: number
    readonly planned: number
    readonly dropped: Readonly<Record<string, number>>
    readonly failed: Readonly<Record<string, number>>
  }
  /** Images by the source that is tried first. */
  readonly images: Readonly<Record<string, number>>
  /** Of candidates (made by the plan itself), and of pixels, at least; grouping saved what would else be one per image. */
  readonly requests: { readonly candidates: number; readonly pixels: number; readonly saved: number }
  readonly bytes: { readonly transferred: number; readonly stored: number }
  readonly secondsAtQuota: number
}

/** `skyscript plan`: no pixels; 0, or 2 where a map tile could not be planned. */
export async function planCommand(file: string, options: { json?: boolean }): Promise<number> {
  const config = await readRegion(file)
  const summary = await withBuild(config, planSummary)
  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : tableOf(config, summary))
  return Object.keys(summary.objects.failed).length === 0 ? 0 : 2
}

async function planSummary(options: BuildOptions): Promise<PlanSummary> {
  const prepared = await prepare(options)
  try {
    const plans = [...(await runPlan(prepared)).values()]
    const total = new Map<string, Map<string, number>>([
      ['dropped', new Map()],
      ['images', new Map()],
      ['failed', new Map(prepared.stages.failed)],
    ])
    const add = (what: string, name: string, n: number) =>
      total.get(what)!.set(name, (total.get(what)!.get(name) ?? 0) + n)
    for (const record of [prepared.index.dropped, prepared.selection.dropped, ...plans.map((plan) => plan.dropped)]) {
      for (const [reason, n] of Object.entries(record)) add('dropped', reason, n)
    }
    for (const plan of plans) for (const { code } of plan.failed) add('failed', code, 1)
    const leaves = plans.flatMap((plan) => plan.leaves)
    for (const { bySource } of leaves) for (const [source, n] of Object.entries(bySource)) add('images', source, n)
    const planned = leaves.reduce((sum, leaf) => sum + leaf.images, 0)
    const requestedPixels = leaves.reduce((sum, leaf) => sum + leaf.requestedPixels, 0)
    const requests = leaves.reduce((sum, leaf) => sum + leaf.requests, 0)
    const { maxConcurrent } = options.config.imagery.earthEngine
    return {
      objects: {
        tagged: prepared.index.tagged,
        focus: Object.values(prepared.selection.tiles).reduce((sum, tile) => sum + tile.objects, 0),
        planned,
        dropped: sortedCounts(total.get('dropped')!),
        failed: sortedCounts(total.get('failed')!),
      },
      images: sortedCounts(total.get('images')!),
      requests: {
        candidates: Object.keys(prepared.selection.tiles).length * prepared.run.config.imagery.sources.length,
        pixels: requests,
        saved: planned - requests,
      },
      bytes: { transferred: requestedPixels * BYTES_PER_PIXEL, stored: planned * JPEG_BYTES },
      secondsAtQuota: Math.max(requests / 100, (requests * SECONDS_PER_REQUEST) / maxConcurrent),
    }
  } finally {
    await prepared.context.close()
  }
}

function tableOf(config: Config, { objects, images, requests, bytes, secondsAtQuota }: PlanSummary): string {
  const row = (name: string, value: string) => `  ${name.padEnd(34)}${value.padStart(14)}`
  const counts = (record: Readonly<Record<string, number>>) =>
    Object.entries(record).map(([name, n]) => row(name, formatCount(n)))
  return [
    `Plan for ${config.name}: ${formatCount(objects.planned)} images of ${formatCount(objects.tagged)} tagged objects`,
    'images by first choice of source',
    ...counts(images),
    'dropped, by reason',
    ...counts(objects.dropped),
    ...(Object.keys(objects.failed).length > 0 ? ['failed', ...counts(objects.failed)] : []),
    'cost',
    row('requests for candidates (at most)', formatCount(requests.candidates)),
    row('requests for pixels (at least)', formatCount(requests.pixels)),
    row('  saved by grouping', formatCount(requests.saved)),
    row('transferred, uncompressed', formatBytes(bytes.transferred)),
    row('stored, about', formatBytes(bytes.stored)),
    row('time at the quota, about', formatSeconds(secondsAtQuota)),
    '',
  ].join('\n')
}
