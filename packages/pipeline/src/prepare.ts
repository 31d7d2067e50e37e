import { fingerprint, formatCounted, getJson, putJson, type SourceChoice } from '@skyscript/core'
import { identifyScorers } from '@skyscript/filter'
import { completeSources, sourcesOf } from '@skyscript/gee-fetch'
import { forgetAnswer } from './answers.ts'
import { chooseAuto, noteOtherSources, withAuto } from './auto-sources.ts'
import { openCog, openContext, scorerOptions, webOptions } from './context.ts'
import type { Facts } from './facts.ts'
import type { FlowOptions } from './flow.ts'
import { HEADS_FOLDER, readHeads } from './heads.ts'
import { readCatalogue, withLayers } from './layer-sources.ts'
import { withLicensedSources } from './licences.ts'
import { openOfferedTimes } from './offered-times.ts'
import { listedFiles, originChecker } from './origins.ts'
import type { Lease } from './ownership/lease.ts'
import { listStorage } from './presence/listing.ts'
import { createPresence, type Presence } from './presence/presence.ts'
import { type PrivateAddresses, refuseForWorkers, withoutSecrets, withSecrets } from './private-addresses.ts'
import { type Refreshed, refreshRegion } from './refresh.ts'
import { type ExtractUpdate, type MapOptions, readMap } from './region-map.ts'
import { type Run, type SelectIndex, selectIndexKey } from './run.ts'
import { type Runner, runKey } from './runner/runner.ts'
import { selectObjects } from './select.ts'
import type { Following } from './stage.ts'

export interface BuildOptions extends MapOptions {
  readonly runner: Runner
  /** The output is this process's own. */
  readonly lease?: Lease
}

/** What a run knows before its first job, and what its stages need. */
export interface Prepared extends FlowOptions {
  /** The map tiles that have focus objects. */
  readonly roots: readonly Following[]
  /** Newer images that were taken up, by source. */
  readonly refreshed: Refreshed
  /** Keys of what a classifier said. */
  readonly learnedTags: readonly string[]
  readonly updates: readonly ExtractUpdate[]
}

/** Extracts, selects, and stores what the jobs need to know. The caller closes the context. */
export async function prepare(given: BuildOptions): Promise<Prepared> {
  const privateAddresses: PrivateAddresses = given.privateAddresses ?? new Map()
  const say = (text: string) => given.terminal.note(text)
  const described = await withLayers(given.config, (catalogue) =>
    readCatalogue(catalogue, say, webOptions(given.config, given), given.signal),
  )
  const licensed = withLicensedSources(described)
  const sayTerms = (alias: string, terms: readonly string[]) => say(`${alias}: ${terms.join(' ')}`)
  const times = await openOfferedTimes(given.storage, licensed.imagery.refresh, given.now?.() ?? new Date())
  const complete = async <S extends SourceChoice>(sources: readonly S[]) =>
    times.settle(sources, await completeSources(sources, webOptions(licensed, given), sayTerms))
  // A service without the layer, or one that is away, is known before the map is read.
  const imagery = { ...licensed.imagery, sources: await complete(licensed.imagery.sources) }
  const options = { ...given, config: { ...licensed, imagery }, privateAddresses }
  const { storage, runner, terminal, signal } = options
  const { queue, output: _output, ...shared } = options.config
  const stored = withoutSecrets(shared, privateAddresses)
  if (queue !== 'embedded') refuseForWorkers(privateAddresses, stored)
  // A missing model costs no imagery.
  const scorers = await identifyScorers(scorerOptions(options.config, options))
  const first = await listStorage(storage)
  const existing = new Set(first.work.keys())
  const { tables, captioner, extract, index, learnedTags, updates } = await readMap(options, existing)
  const auto = await chooseAuto(options.config.imagery, Object.keys(index.tiles), {
    say,
    complete: async (source) => (await complete([source]))[0]!,
  })
  const config = withAuto(options.config, auto)
  await times.save()
  if (auto.length > 0) await noteOtherSources(storage, config.imagery.sources, say)
  const choosing = terminal.stage('select', 'tiles')
  const select = await selectObjects(config, extract, index, captioner, storage, existing, choosing)
  const selection = (await getJson<SelectIndex>(storage, selectIndexKey(select)))!
  const chosen = Object.values(selection.tiles).reduce((sum, tile) => sum + tile.objects, 0)
  choosing.end(formatCounted(chosen, 'focus object'))

  const files = await listedFiles(sourcesOf(withSecrets(config).imagery.sources), () => openCog(config, options))
  const run: Run = { config: withAuto(stored, auto), extract, select, tables, files }
  const name = fingerprint(run)
  await putJson(storage, runKey(name), run)
  // Jobs of a build before this one may have changed what was listed.
  const isOutdated = (await options.lease?.allow(name)) ?? false
  const context = await openContext(storage, run, options, captioner)
  const { sources } = context
  const plans = plansIn(existing, selection)
  const refreshed = await refreshRegion(plans, sources, context, terminal, signal, times.newer)
  const isListed = !isOutdated && Object.keys(refreshed).length === 0
  const listing = isListed ? first : await listStorage(storage)
  const facts: Facts = { run, index, selection, captioner, sources, scorers }
  const changedSource = originChecker(context.imagery, sources, (text) => terminal.warn(text))
  const areAsPlanned: Presence['origins'] = async (tile, planned) => {
    const changed = await changedSource(planned)
    if (changed !== null) await forgetAnswer(storage, tile, changed)
    return changed === null
  }
  return {
    ...{ storage, run: name, facts, context, runner, terminal, signal, learnedTags, updates, refreshed },
    isEmbedded: queue === 'embedded',
    heads: await readHeads(
      storage,
      listing.work.keys().filter((key) => key.startsWith(HEADS_FOLDER)),
    ),
    presence: await createPresence(storage, listing, areAsPlanned),
    roots: Object.entries(selection.tiles).map(([tile, { objects: kept }]) => ({
      shard: tile,
      input: select,
      upstream: { kept },
    })),
  }
}

/** Keys of stored plans, by the map tiles that have focus objects. */
function plansIn(existing: ReadonlySet<string>, selection: SelectIndex): Map<string, string[]> {
  const plans = new Map<string, string[]>()
  for (const key of existing) {
    const tile = /^work\/plan\/([^/.]+)\./.exec(key)?.[1]
    if (tile !== undefined && Object.hasOwn(selection.tiles, tile)) plans.set(tile, [...(plans.get(tile) ?? []), key])
  }
  return plans
}
