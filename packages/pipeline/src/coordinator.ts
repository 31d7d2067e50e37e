import { count, formatCounted, getJson, type Terminal } from '@skyscript/core'
import { assembleDataset, type BuiltFacts, type LeafResult } from './assemble.ts'
import type { RunContext } from './context.ts'
import { warnOfBudget } from './cost.ts'
import { type Assembled, assembledKey } from './cut.ts'
import { type Flow, flow } from './flow.ts'
import { removeUnused } from './garbage.ts'
import { type Done, HEADS_FOLDER, writeHeads } from './heads.ts'
import { originsOfFiles } from './origins.ts'
import { leftOutOf } from './plan-region.ts'
import { type BuildOptions, type Prepared, prepare } from './prepare.ts'
import { sealDataset } from './presence/listing.ts'
import type { Refreshed } from './refresh.ts'
import type { ExtractUpdate } from './region-map.ts'
import { selectionKey } from './run.ts'
import type { FetchHead } from './stages/fetch.ts'
import { loadStages } from './stages/index.ts'
import { type PlanHead, plan } from './stages/plan.ts'
import { addTable, countIn, sortedCounts, sortedTable } from './tables.ts'

export interface BuildResult extends Assembled {
  /** Jobs that had to be done, by stage. */
  readonly jobs: Readonly<Record<string, number>>
  /** Images that sources have and that may not be used, by source and reason. */
  readonly leftOut: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** What `osm.changes` did, by extract. */
  readonly updates: readonly ExtractUpdate[]
  /** Newer images that `imagery.refresh` found, by source. */
  readonly refreshed: Refreshed
}

/**
 * The whole pipeline. Each shard's result is named by what decides it; those in storage are done, the others become jobs.
 * The coordinator has no state that it needs: killed at any point and started again, it resumes from what is in storage.
 *
 * Memory: the heads of all results, and the keys below work/.
 */
export async function build(given: BuildOptions): Promise<BuildResult> {
  const prepared = await prepare(given)
  const { storage, terminal, signal, presence, context } = prepared
  try {
    const made = await runStages(prepared, given)
    const { built, sentences } = builtOf(made, prepared)
    tellFailed(sentences, built.failed, terminal)
    const leaves = leavesOf(made, prepared)
    const editsOf = (tile: string) => focusEdits(tile, context)
    const options = { storage, terminal, signal, presence, editsOf, isSuspect: presence.isSuspect }
    const assembled = await assembleDataset(built, leaves, options)
    const isChanged = made.jobs.size > 0 || !assembled.unchanged
    if (isChanged || presence.differs) {
      const packs = [...presence.listing.work.keys()].filter((key) => key.startsWith(HEADS_FOLDER))
      const digests = new Map<string, string>()
      for (const [stage, done] of made.done) digests.set(stage, await writeHeads(storage, stage, done.values(), packs))
      if (Object.keys(built.failed).length === 0)
        await removeUnused(prepared, made, assembledKey(assembled.fingerprint))
      await sealDataset(storage, digests)
    }
    const { updates, refreshed } = prepared
    return { ...assembled, jobs: Object.fromEntries(made.jobs), leftOut: leftOutOf(made), updates, refreshed }
  } finally {
    await context.close()
  }
}

/** All stages at once; where a month's budget may be too small for the plan, the plan comes first, to tell. */
async function runStages(prepared: Prepared, options: BuildOptions): Promise<Flow> {
  const stages = await loadStages()
  const { endpoint, maxEecuHours } = options.config.imagery.earthEngine
  if (maxEecuHours === null || endpoint === 'local') return flow(stages, prepared.roots, prepared)
  const planned = await flow([plan], prepared.roots, prepared)
  await warnOfBudget(prepared, planned, options)
  const heads = [...planned.done.get(plan.name)!.values()].map(({ head }) => head as PlanHead)
  const rest = await flow(
    stages.filter((stage) => stage.name !== plan.name),
    heads.flatMap(plan.follow!),
    prepared,
  )
  const failed = new Map(planned.failed)
  for (const [code, objects] of rest.failed) count(failed, code, objects)
  return {
    done: new Map([...planned.done, ...rest.done]),
    failed,
    jobs: new Map([...planned.jobs, ...rest.jobs]),
  }
}

/** What a build knows of its dataset from the heads of all results, and one sentence for each code of failures. */
export function builtOf(
  made: Flow,
  { facts }: Prepared,
): { readonly built: BuiltFacts; readonly sentences: ReadonlyMap<string, string> } {
  const { done, failed: lost } = made
  const { run, index, selection, captioner, scorers, sources } = facts
  const dropped = new Map<string, number>()
  const failed = new Map(lost)
  const looked = new Map<string, Map<string, number>>()
  const origins = new Map<string, Map<string, number>>()
  const sentences = new Map<string, string>()
  const drop = (counts: Readonly<Record<string, number>>) => {
    for (const [reason, objects] of Object.entries(counts)) count(dropped, reason, objects)
  }
  drop(index.dropped)
  drop(selection.dropped)
  for (const results of done.values()) {
    for (const { head } of sorted(results)) {
      drop(head.dropped)
      for (const [code, { objects, message }] of Object.entries(head.failed)) {
        count(failed, code, objects)
        if (!sentences.has(code)) sentences.set(code, message)
      }
    }
  }
  addTable(looked, leftOutOf(made))
  for (const { head } of done.get('fetch')!.values()) {
    const fetched = head as FetchHead
    addTable(looked, fetched.looked)
    for (const [source, list] of Object.entries(fetched.origins))
      for (const origin of list) countIn(origins, source, origin)
  }
  const built: BuiltFacts = {
    config: run.config,
    inputs: index.inputs,
    objects: index.tagged,
    captioner: captioner.fingerprint,
    scorers,
    dropped: sortedCounts(dropped),
    failed: sortedCounts(failed),
    looked: sortedTable(looked),
    origins: originsOfFiles(origins, sources),
  }
  return { built, sentences }
}

/** By shard, so that the sentence shown for a code doesn't depend on which job ended first. */
const sorted = (results: ReadonlyMap<string, Done>) =>
  [...results].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)

function tellFailed(sentences: ReadonlyMap<string, string>, failed: BuiltFacts['failed'], terminal: Terminal) {
  for (const [code, message] of sentences) {
    if (code === 'eecu-budget-used')
      terminal.warn(
        'The monthly EECU budget (imagery.earthEngine.maxEecuHours) is used up; the dataset has the images fetched so far. Raise it, or run the same command next month, to fetch the rest.',
      )
    else terminal.warn(`${formatCounted(failed[code] ?? 0, 'object')} failed (${code}): ${message}`)
  }
}

/** The leaves that came through all stages, in their order. */
export function leavesOf({ done }: Flow, { facts }: Pick<Prepared, 'facts'>): LeafResult[] {
  const [fetched, captioned, scored] = ['fetch', 'caption', 'score'].map((stage) => done.get(stage)!)
  return [...scored!.keys()].sort().map((leaf) => {
    const [fetch, caption, score] = [fetched, captioned, scored].map((results) => results!.get(leaf)!)
    const digests = [fetch, caption, score].map((each) => each!.head.digest)
    const { edits } = facts.index.tiles[leaf.split('/')[0]!]!
    return { leaf, fetch: fetch!.job, caption: caption!.job, score: score!.job, digests, edits }
  })
}

/** Versions and timestamps of the objects of a map tile that are to get an image. */
async function focusEdits(tile: string, { storage, run, homeEdits }: RunContext) {
  return homeEdits(tile, new Set(await getJson<string[]>(storage, selectionKey(run.select, tile))))
}
