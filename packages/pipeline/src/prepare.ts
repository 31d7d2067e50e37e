import { createCaptioner } from '@skyscript/captioner'
import { type Config, fingerprint, formatCounted, getJson, putJson, type Storage, type Terminal } from '@skyscript/core'
import { identifyScorers } from '@skyscript/filter'
import { sourcesOf } from '@skyscript/gee-fetch'
import { openCaptioner, readCaptionTables } from './captioner.ts'
import { openCog, openContext, scorerOptions } from './context.ts'
import { extractTiles } from './extract.ts'
import type { Facts } from './facts.ts'
import type { FlowOptions } from './flow.ts'
import { HEADS_FOLDER, readHeads } from './heads.ts'
import { type SourceFile, withSources } from './inputs.ts'
import { type LearnedTags, learnTags } from './learn-tags.ts'
import { withLicensedSources } from './licences.ts'
import type { ContextOptions } from './models.ts'
import { listedFiles, originChecker } from './origins.ts'
import type { Lease } from './ownership/lease.ts'
import { listStorage } from './presence/listing.ts'
import { createPresence } from './presence/presence.ts'
import { type PrivateAddresses, refuseForWorkers, withoutSecrets, withSecrets } from './private-addresses.ts'
import {
  type CaptionTables,
  type ExtractIndex,
  extractIndexKey,
  type Run,
  type SelectIndex,
  selectIndexKey,
} from './run.ts'
import { type Runner, runKey } from './runner/runner.ts'
import { selectObjects } from './select.ts'
import type { Following } from './stage.ts'

export interface BuildOptions extends ContextOptions {
  readonly config: Config
  readonly storage: Storage
  /** Opens a bucket that an extract is read from. */
  readonly openStorage: (url: string) => Promise<Storage>
  readonly runner: Runner
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** The output is this process's own. */
  readonly lease?: Lease
}

/** What a run knows before its first job, and what its stages need. */
export interface Prepared extends FlowOptions {
  /** The map tiles that have focus objects. */
  readonly roots: readonly Following[]
  /** Keys of what a classifier said. */
  readonly learnedTags: readonly string[]
}

/** Extracts, selects, and stores what the jobs need to know. The caller closes the context. */
export async function prepare(given: BuildOptions): Promise<Prepared> {
  const privateAddresses: PrivateAddresses = given.privateAddresses ?? new Map()
  const options = { ...given, config: withLicensedSources(given.config), privateAddresses }
  const { config, storage, runner, terminal, signal } = options
  const { queue, output: _output, ...shared } = config
  const stored = withoutSecrets(shared, privateAddresses)
  if (queue !== 'embedded') refuseForWorkers(privateAddresses, stored)
  // A missing model costs no imagery.
  const scorers = await identifyScorers(scorerOptions(config, options))
  const first = await listStorage(storage)
  const existing = new Set(first.work.keys())
  const texts = await readCaptionTables(config.captions)
  const { tables, captioner, extract, reading, learnedTags } = await withSources(
    withSecrets(config).osm,
    { signal, terminal, openStorage: given.openStorage, cacheFolder: given.modelCache },
    async (files) => {
      const asked = await askClassifier(options, texts, files, existing)
      const tables: CaptionTables = { ...texts, learned: asked?.learned ?? null }
      const captioner = await openCaptioner(config, tables, options)
      const reading = terminal.stage('extract', 'bytes')
      const extract = await extractTiles(files, config.osm.clip, captioner, storage, existing, reading, signal)
      return { tables, captioner, extract, reading, learnedTags: asked === null ? [] : [asked.key] }
    },
  )
  const index = (await getJson<ExtractIndex>(storage, extractIndexKey(extract)))!
  const objects = Object.values(index.tiles).reduce((sum, tile) => sum + tile.objects, 0)
  reading.end(
    `${formatCounted(objects, 'visible object')} of ${index.tagged} tagged, in ${formatCounted(Object.keys(index.tiles).length, 'map tile')}`,
  )

  const choosing = terminal.stage('select', 'tiles')
  const select = await selectObjects(config, extract, index, captioner, storage, existing, choosing)
  const selection = (await getJson<SelectIndex>(storage, selectIndexKey(select)))!
  const chosen = Object.values(selection.tiles).reduce((sum, tile) => sum + tile.objects, 0)
  choosing.end(formatCounted(chosen, 'focus object'))

  const files = await listedFiles(sourcesOf(withSecrets(config).imagery.sources), () => openCog(config, options))
  const run: Run = { config: stored, extract, select, tables, files }
  const name = fingerprint(run)
  await putJson(storage, runKey(name), run)
  // Jobs of a build before this one may have changed what was listed.
  const isOutdated = (await options.lease?.allow(name)) ?? false
  const listing = isOutdated ? await listStorage(storage) : first
  const context = await openContext(storage, run, options, captioner)
  const { sources } = context
  const facts: Facts = { run, index, selection, captioner, sources, scorers }
  const areAsPlanned = originChecker(context.imagery, sources, (text) => terminal.warn(text))
  return {
    ...{ storage, run: name, facts, context, runner, terminal, signal, learnedTags },
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

/** What the classifier of the settings says of the extracts' tags; null without one. */
async function askClassifier(
  { config, storage, terminal, signal, ...models }: BuildOptions,
  texts: Omit<CaptionTables, 'learned'>,
  files: readonly SourceFile[],
  existing: ReadonlySet<string>,
): Promise<LearnedTags | null> {
  const { classifier, labels } = config.captions
  if (classifier === null) return null
  const asking = terminal.stage('classify', 'tags')
  const tables = createCaptioner({ labels, ...(texts.tags !== null && { tags: texts.tags }) })
  const asked = await learnTags(classifier, files, tables, storage, existing, asking, models, signal)
  const { rows } = asked.learned
  const seen = rows.filter(({ maxGsd }) => maxGsd !== null).length
  asking.end(`${seen} of ${formatCounted(rows.length, 'tag')} in no table visible`)
  return asked
}
