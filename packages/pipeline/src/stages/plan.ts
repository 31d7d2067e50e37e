import {
  boxCenter,
  breather,
  count,
  type FocusObject,
  fingerprint,
  getJson,
  mapTileBox,
  type PlannedImage,
  putJson,
} from '@skyscript/core'
import { groupRequests, pixelsIn, planTile, sharing } from '@skyscript/gee-fetch'
import pMap from 'p-map'
import type { RunContext } from '../context.ts'
import { leavesOf } from '../leaves.ts'
import { originOfTile, type PlannedOrigin, plannedOrigins } from '../origins.ts'
import { requestsKey, selectionKey, type TagOutcomes } from '../run.ts'
import type { Job } from '../runner/job.ts'
import { focusOf, groundableTags } from '../select.ts'
import { failuresOf, type Head, type Stage, type Weighed } from '../stage.ts'
import { countIn, sortedCounts, sortedTable } from '../tables.ts'

/** Leaves that are written at a time. */
const WRITES = 8

/** The planned images of one leaf. They are stored under `requestsKey(shard, content)`. */
export interface PlannedLeaf extends Weighed {
  readonly shard: string
  readonly content: string
  /** Requests for pixels and their pixels, if each image is of its first candidate. */
  readonly requests: number
  readonly pixels: number
}

export interface PlanResult {
  readonly leaves: readonly PlannedLeaf[]
  /** Images by first choice of source, and by year (empty where it isn't known). */
  readonly years: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly dropped: Readonly<Record<string, number>>
  readonly tags: TagOutcomes
  readonly failed: readonly { readonly id: string; readonly code: string; readonly message: string }[]
  /** Of images of catalogues, to be compared by later builds. */
  readonly origins: readonly PlannedOrigin[]
}

export interface PlanHead extends Head, Pick<PlanResult, 'leaves' | 'years'> {
  readonly hasOrigins: boolean
}

/**
 * One map tile's chosen objects -> candidate images and boxes, best first, in leaves of up to 128. Asks once for each
 * source which images there are.
 */
export const plan: Stage<Weighed, PlanResult, PlanHead> = {
  name: 'plan',
  after: null,
  unit: 'objects',
  version: 6,
  concurrency: { embedded: 2, worker: 2 },
  publishes: false,

  decides(tile, _upstream, { run, index, selection, captioner, sources }) {
    const { imagery, tiles, seed } = run.config
    // What is allowed and what is judged later choose no image, and how services are asked doesn't either.
    const { earthEngine: _earthEngine, licences: _licences, checks: _checks, patience: _patience, ...choice } = imagery
    return [
      index.tiles[tile]!.sha256,
      selection.tiles[tile]!.sha256,
      captioner.tagsFingerprint,
      originOfTile(run.config, sources, tile, index.tiles),
      run.files,
      choice,
      tiles,
      seed,
    ]
  },

  preflight: checkEarthEngine,

  async run({ shard: tile }, context, signal) {
    const { storage, run, captioner, sources } = context
    const chosen = new Set(await getJson<string[]>(storage, selectionKey(run.select, tile)))
    const box = mapTileBox(tile)
    const { config } = run
    const tagsOf = new Map<string, readonly string[]>()
    const sameTags = new Map<string, readonly string[]>()
    async function* focus(): AsyncGenerator<FocusObject> {
      for await (const object of context.homeObjects(tile, chosen)) {
        const tags = groundableTags(object.tags, captioner)
        const known = sameTags.get(tags.join('\n')) ?? tags
        if (known === tags) sameTags.set(tags.join('\n'), tags)
        tagsOf.set(object.id, known)
        yield focusOf(object, captioner)
      }
    }
    const outcome = await planTile({
      tile,
      focus: focus(),
      settings: { ...config.imagery, sources, tiles: config.tiles, seed: config.seed },
      candidates: (source) => context.imagery.find(source, box, signal),
      origin: context.imagery.origin,
    })
    const breathe = breather()
    const positionOf = (image: PlannedImage) => boxCenter(image.candidates[0]!.box)
    const leaves = await pMap(
      leavesOf(outcome.kept, positionOf, box),
      async ({ name, items }): Promise<PlannedLeaf> => {
        await breathe()
        const shard = `${tile}/${name}`
        const content = fingerprint(items)
        const first = items.map(({ candidates }) => candidates[0]!)
        const requests = groupRequests(first, config.imagery.earthEngine.grouping ? tile : null, sharing(sources))
        await putJson(storage, requestsKey(shard, content), items)
        return { shard, content, kept: items.length, requests: requests.length, pixels: pixelsIn(requests) }
      },
      { concurrency: WRITES },
    )
    const dropped = new Map<string, number>()
    for (const { reason } of outcome.dropped) count(dropped, reason)
    const reasons = new Map(outcome.dropped.map(({ id, reason }) => [id, reason]))
    const lost = new Set(outcome.failed.map(({ id }) => id))
    const outcomes = new Map<string, Map<string, number>>()
    for (const [id, tags] of tagsOf) {
      await breathe()
      if (lost.has(id)) continue
      for (const tag of tags) countIn(outcomes, tag, reasons.get(id) ?? 'planned')
    }
    return {
      leaves,
      years: yearsOf(outcome.kept),
      dropped: sortedCounts(dropped),
      tags: sortedTable(outcomes),
      failed: outcome.failed,
      origins: plannedOrigins(outcome.kept, sources),
    }
  },

  head: ({ leaves, years, dropped, failed, origins }) => ({
    digest: fingerprint(leaves.map(({ shard, content }) => [shard, content])),
    kept: leaves.reduce((sum, { kept }) => sum + kept, 0),
    dropped,
    failed: failuresOf(failed),
    leaves,
    years,
    hasOrigins: origins.length > 0,
  }),

  async stands({ head, result }, _upstream, presence) {
    return (
      head.leaves.every(({ shard, content }) => presence.has(requestsKey(shard, content))) &&
      (!head.hasOrigins || (await presence.origins((await result()).origins)))
    )
  },

  follow: ({ leaves }) => leaves.map((leaf) => ({ shard: leaf.shard, input: leaf.content, upstream: leaf })),
}

/** One sentence about wrong credentials now, instead of one failure for each job later. */
export async function checkEarthEngine({ run, sources, earthEngine }: RunContext): Promise<void> {
  const isRemote = run.config.imagery.earthEngine.endpoint !== 'local'
  if (isRemote && sources.some(({ kind }) => kind === 'earth-engine')) await earthEngine()
}

/** What a job of a leaf reads: its planned images; null where they are gone. */
export const plannedImages = ({ storage }: RunContext, { shard, input }: Job): Promise<PlannedImage[] | null> =>
  getJson<PlannedImage[]>(storage, requestsKey(shard, input))

function yearsOf(images: readonly PlannedImage[]): Record<string, Record<string, number>> {
  const counts = new Map<string, Map<string, number>>()
  for (const { candidates } of images) {
    const { source, time } = candidates[0]!
    countIn(counts, source, time === null ? '' : String(new Date(time).getUTCFullYear()))
  }
  return sortedTable(counts)
}
