import { boxCenter, count, fingerprint, getJson, mapTileBox, type PlannedImage, putJson } from '@skyscript/core'
import { groupRequests, pixelsIn, planTile } from '@skyscript/gee-fetch'
import { type Job, resultKey } from '../runner/runner.ts'
import type { RunContext } from './context.ts'
import { leavesOf } from './leaves.ts'
import { type PlanResult, requestsKey, selectionKey, sortedCounts } from './run.ts'
import { focusOf } from './select.ts'

/**
 * Plan job: one map tile's chosen objects -> candidate images and boxes, best first, in leaves of up to 128.
 * Asks Earth Engine once for each source which images there are.
 */
export async function planJob(job: Job, context: RunContext): Promise<void> {
  const { storage, run, captioner } = context
  const tile = job.shard
  const chosen = new Set(await getJson<string[]>(storage, selectionKey(run.select, tile)))
  const focus = (await context.tile(tile)).objects
    .filter((object) => chosen.has(object.id))
    .map((object) => focusOf(object, captioner))
  const box = mapTileBox(tile)
  const { config } = run
  const outcome = await planTile({
    tile,
    focus,
    settings: { ...config.imagery, sources: context.sources, tiles: config.tiles, seed: config.seed },
    candidates: (source) => context.imagery.find(source, box),
  })
  const leaves: PlanResult['leaves'][number][] = []
  for (const { name, items } of leavesOf(outcome.kept, (image) => boxCenter(image.candidates[0]!.box), box)) {
    const leaf = `${tile}/${name}`
    const content = fingerprint(items)
    await putJson(storage, requestsKey(leaf, content), items)
    const first = items.map(({ candidates }) => candidates[0]!)
    const requests = groupRequests(first, config.imagery.earthEngine.grouping ? tile : null)
    leaves.push({
      leaf,
      content,
      images: items.length,
      bySource: countSources(items),
      pixels: countPixels(items),
      requests: requests.length,
      requestedPixels: pixelsIn(requests),
    })
  }
  const dropped = new Map<string, number>()
  for (const { reason } of outcome.dropped) count(dropped, reason)
  const result: PlanResult = { leaves, dropped: sortedCounts(dropped), failed: outcome.failed }
  await putJson(storage, resultKey(job), result)
}

function countSources(items: readonly PlannedImage[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { candidates } of items) count(counts, candidates[0]!.source)
  return sortedCounts(counts)
}

function countPixels(items: readonly PlannedImage[]): number {
  return items.reduce((sum, { candidates }) => sum + candidates[0]!.width * candidates[0]!.height, 0)
}
