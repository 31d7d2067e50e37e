/** The jobs of the stages that plan and fetch images, each named by what decides its result. */
import { fingerprint } from '@skyscript/core'
import type { Prepared } from './coordinator.ts'
import { originChecker, originOfTile } from './origins.ts'
import { type PlanResult, type Run, requestsKey, VERSIONS } from './run.ts'
import type { Shard } from './stages.ts'

export function planShardsOf({ run, name, index, selection, captioner, context }: Prepared): Shard[] {
  const { imagery, tiles, seed } = run.config
  // What is allowed and what is judged later choose no image, and how services are asked doesn't either.
  const { earthEngine: _earthEngine, licences: _licences, checks: _checks, patience: _patience, ...choice } = imagery
  return Object.entries(selection.tiles).map(([tile, { sha256, objects }]) => {
    const decides = fingerprint(
      'plan',
      VERSIONS.plan,
      index.tiles[tile]!.sha256,
      sha256,
      captioner.tagsFingerprint,
      originOfTile(run.config, context.sources, tile, index.tiles),
      run.files,
      choice,
      tiles,
      seed,
    )
    return {
      job: {
        dataset: context.storage.url,
        run: name,
        stage: 'plan',
        shard: tile,
        input: run.select,
        fingerprint: decides,
      },
      weight: objects,
    }
  })
}

/** Plans every map tile that has focus objects; by tile. */
export function runPlan(prepared: Prepared, shards = planShardsOf(prepared)): Promise<Map<string, PlanResult>> {
  const { imagery, sources } = prepared.context
  const areAsPlanned = originChecker(imagery, sources, (text) => prepared.terminal.warn(text))
  const isDone = async (plan: PlanResult) =>
    plan.failed.length === 0 &&
    plan.leaves.every(({ leaf, content }) => prepared.existing.has(requestsKey(leaf, content))) &&
    (await areAsPlanned(plan.origins))
  return prepared.stages.run('plan', 'objects', shards, isDone, (plan: PlanResult) => plan)
}

export function fetchShardsOf({ run, name, context }: Prepared, plans: ReadonlyMap<string, PlanResult>): Shard[] {
  return [...plans.values()].flatMap(({ leaves }) =>
    leaves.map(({ leaf, content, images }): Shard => {
      const { seed, imagery } = run.config
      const decides = fingerprint('fetch', VERSIONS.fetch, content, seed, imagery.checks, described(imagery))
      return {
        job: {
          dataset: context.storage.url,
          run: name,
          stage: 'fetch',
          shard: leaf,
          input: content,
          fingerprint: decides,
        },
        weight: images,
      }
    }),
  )
}

/** Sources of the user's own, whose bands and ranges may change under the same name. */
const described = ({ sources }: Run['config']['imagery']) => sources.filter((source) => typeof source !== 'string')
