import { boxCenter, count, fingerprint, getJson, mapTileBox, type PlannedImage, putJson } from '@skyscript/core'
import { planTile } from '@skyscript/gee-fetch'
import type { RunContext } from './context.ts'
import { leavesOf } from './leaves.ts'
import { plannedOrigins } from './origins.ts'
import { countIn, type PlanResult, requestsKey, selectionKey, sortedCounts, sortedTable } from './run.ts'
import { type Job, resultKey } from './runner/runner.ts'
import { focusOf, groundableTags } from './select.ts'

/**
 * Plan job: one map tile's chosen objects -> candidate images and boxes, best first, in leaves of up to 128.
 * Asks once for each source which images there are.
 */
export async function planJob(job: Job, context: RunContext, signal: AbortSignal): Promise<void> {
  const { storage, run, captioner } = context
  const tile = job.shard
  const chosen = new Set(await getJson<string[]>(storage, selectionKey(run.select, tile)))
  const objects = (await context.tile(tile)).objects.filter((object) => chosen.has(object.id))
  const box = mapTileBox(tile)
  const { config } = run
  const outcome = await planTile({
    tile,
    focus: objects.map((object) => focusOf(object, captioner)),
    settings: { ...config.imagery, sources: context.sources, tiles: config.tiles, seed: config.seed },
    candidates: (source) => context.imagery.find(source, box, signal),
    origin: context.imagery.origin,
  })
  const leaves: PlanResult['leaves'][number][] = []
  for (const { name, items } of leavesOf(outcome.kept, (image) => boxCenter(image.candidates[0]!.box), box)) {
    const leaf = `${tile}/${name}`
    const content = fingerprint(items)
    await putJson(storage, requestsKey(leaf, content), items)
    leaves.push({ leaf, content, images: items.length, bySource: firstChoices(items) })
  }
  const dropped = new Map<string, number>()
  for (const { reason } of outcome.dropped) count(dropped, reason)
  const reasons = new Map(outcome.dropped.map(({ id, reason }) => [id, reason]))
  const lost = new Set(outcome.failed.map(({ id }) => id))
  const outcomes = new Map<string, Map<string, number>>()
  for (const object of objects) {
    if (lost.has(object.id)) continue
    for (const tag of groundableTags(object, captioner)) countIn(outcomes, tag, reasons.get(object.id) ?? 'planned')
  }
  const result: PlanResult = {
    leaves,
    dropped: sortedCounts(dropped),
    tags: sortedTable(outcomes),
    failed: outcome.failed,
    origins: plannedOrigins(
      outcome.kept.flatMap(({ candidates }) => candidates),
      context.sources,
    ),
  }
  await putJson(storage, resultKey(job), result)
}

function firstChoices(items: readonly PlannedImage[]): Record<string, Record<string, number>> {
  const counts = new Map<string, Map<string, number>>()
  for (const { candidates } of items) {
    const { source, time } = candidates[0]!
    countIn(counts, source, time === null ? '' : String(new Date(time).getUTCFullYear()))
  }
  return sortedTable(counts)
}
