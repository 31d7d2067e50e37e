import { count, type Failed, type FocusObject, fingerprint, getJson, type PlannedImage } from '@skyscript/core'
import { PICTURES_VERSION, planTile } from '@skyscript/gee-fetch'
import pMap from 'p-map'
import { openAnswers } from '../answers.ts'
import type { RunContext } from '../context.ts'
import { collectLeftOut, type LeftOut } from '../left-out.ts'
import { originOfTile, originSample, type PlannedOrigin } from '../origins.ts'
import { leavesOfTable } from '../packing/leaf-packer.ts'
import type { PackedLeaf } from '../packing/pack-leaves.ts'
import { PlannedTable } from '../packing/planned-table.ts'
import { decidingImagery, decidingSources, requestsKey, selectionKey, type TagOutcomes } from '../run.ts'
import type { Job } from '../runner/job.ts'
import { type Sight, sightByTags } from '../select.ts'
import { failuresOf, type Head, type Stage, type Weighed } from '../stage.ts'
import { countIn, sortedCounts, sortedTable } from '../tables.ts'

/** Leaves that are written at a time. */
const WRITES = 8

type Focus = FocusObject & Sight
type Table = Map<string, Map<string, number>>

/** The planned images of one leaf. They are stored under `requestsKey(shard, content)`. */
export interface PlannedLeaf extends Weighed, Pick<PackedLeaf, 'content' | 'requests' | 'pixels' | 'others'> {
  readonly shard: string
}

export interface PlanResult {
  readonly leaves: readonly PlannedLeaf[]
  /** Images by first choice of source, and by year (empty where it isn't known). */
  readonly years: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly dropped: Readonly<Record<string, number>>
  readonly tags: TagOutcomes
  readonly failed: readonly Failed[]
  /** Missing if nothing was left out. */
  readonly leftOut?: LeftOut
  /** Of images of catalogues, to be compared by later builds. */
  readonly origins: readonly PlannedOrigin[]
}

export interface PlanHead extends Head, Pick<PlanResult, 'leaves' | 'years' | 'leftOut'> {
  readonly hasOrigins: boolean
}

/**
 * One map tile's chosen objects -> candidate images and boxes, best first, in leaves of up to 128. Asks each source which
 * images there are, unless it was asked before.
 */
export const plan: Stage<Weighed, PlanResult, PlanHead> = {
  name: 'plan',
  after: null,
  unit: 'objects',
  version: 7,
  concurrency: { embedded: 2, worker: 2 },
  publishes: false,

  decides(tile, _upstream, { run, index, selection, captioner, sources }) {
    const { imagery, tiles, seed } = run.config
    // What is allowed and what is judged later choose no image, and how services are asked doesn't either.
    const { earthEngine: _earthEngine, licences: _licences, checks: _checks, ...choice } = decidingImagery(imagery)
    // Only this choice asks when an object was edited.
    const edits = imagery.year === 'closest' ? [index.tiles[tile]!.edits] : []
    const measured = sources.some(({ kind }) => kind === 'tiles') ? [PICTURES_VERSION] : []
    return [
      index.tiles[tile]!.sha256,
      selection.tiles[tile]!.sha256,
      captioner.tagsFingerprint,
      originOfTile(run.config, sources, tile, index.tiles),
      run.files,
      { ...choice, sources: decidingSources(imagery.sources) },
      tiles,
      seed,
      ...measured,
      ...edits,
    ]
  },

  preflight: checkEarthEngine,

  async run({ shard: tile }, context, signal) {
    const { storage, run, captioner, sources } = context
    const { config } = run
    const chosen = new Set(await getJson<string[]>(storage, selectionKey(run.select, tile)))
    const sightOf = sightByTags(captioner)
    async function* focus(): AsyncGenerator<Focus> {
      for await (const outlines of context.homeOutlines(tile, (id) => chosen.has(id))) {
        signal.throwIfAborted()
        for (const outline of outlines) {
          const { id, isArea, box, edited } = outline
          yield { id, isArea, box, edited, geometry: () => outline.geometry(), ...sightOf(outline) }
        }
      }
    }
    const leftOut = collectLeftOut()
    const answers = await openAnswers(tile, context)
    const planning = planTile({
      tile,
      focus: focus(),
      settings: { ...config.imagery, sources, tiles: config.tiles, seed: config.seed },
      async candidates(source) {
        const images = await answers.find(source, signal)
        leftOut.add(source.alias, images)
        return images
      },
      origin: context.imagery.origin,
      dateOf: answers.dateOf,
    })
    const table = new PlannedTable()
    const origins = originSample(sources)
    const dropped = new Map<string, number>()
    const failed: Failed[] = []
    const [years, outcomes]: [Table, Table] = [new Map(), new Map()]
    for await (const [{ tags }, planned] of planning) {
      if ('code' in planned) {
        failed.push(planned)
        continue
      }
      const isKept = 'candidates' in planned
      for (const tag of tags) countIn(outcomes, tag, isKept ? 'planned' : planned.reason)
      if (!isKept) count(dropped, planned.reason)
      else {
        const { source, time } = planned.candidates[0]!
        countIn(years, source, time === null ? '' : String(new Date(time).getUTCFullYear()))
        origins.add(planned)
        table.add(planned)
      }
    }
    await answers.save()
    const { grouping } = config.imagery.earthEngine
    const packed = leavesOfTable(table, { tile, grouping, sources: config.imagery.sources })
    const write = async ({ name, json, ...leaf }: PackedLeaf): Promise<PlannedLeaf> => {
      signal.throwIfAborted()
      const shard = `${tile}/${name}`
      await storage.put(requestsKey(shard, leaf.content), json)
      return { shard, ...leaf }
    }
    // Where a leaf can't be stored the others are not taken.
    const leaves = await pMap(packed, write, { concurrency: WRITES }).finally(() => packed.return(undefined))
    return {
      leaves,
      years: sortedTable(years),
      dropped: sortedCounts(dropped),
      tags: sortedTable(outcomes),
      failed: failed.sort((a, b) => (a.id < b.id ? -1 : 1)),
      ...(Object.keys(leftOut.all()).length > 0 && { leftOut: leftOut.all() }),
      origins: origins.all(),
    }
  },

  head: ({ leaves, years, dropped, failed, leftOut, origins }) => ({
    digest: fingerprint(leaves.map(({ shard, content }) => [shard, content])),
    kept: leaves.reduce((sum, { kept }) => sum + kept, 0),
    dropped,
    failed: failuresOf(failed),
    leaves,
    years,
    ...(leftOut && { leftOut }),
    hasOrigins: origins.length > 0,
  }),

  async stands({ job, head, result }, _upstream, presence) {
    return (
      head.leaves.every(({ shard, content }) => presence.has(requestsKey(shard, content))) &&
      (!head.hasOrigins || (await presence.origins(job.shard, (await result()).origins)))
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
