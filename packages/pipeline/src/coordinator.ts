import { type Captioner, createCaptioner } from '@skyscript/captioner'
import type { Terminal } from '@skyscript/core'
import {
  type CaptionRecord,
  type Config,
  count,
  type Failed,
  fingerprint,
  getJson,
  mapTilesOf,
  type Outcome,
  putJson,
  type Storage,
} from '@skyscript/core'
import type { ScorerIdentity } from '@skyscript/filter'
import { type FetchOutcome, sourcesOf } from '@skyscript/gee-fetch'
import { assembleDataset } from './assemble.ts'
import { openCaptioner, readCaptionTables } from './captioner.ts'
import { type ContentCheck, createContentCheck, getResult, listStorage, SEAL, sealDataset } from './content-check.ts'
import { openCog, openContext, openScorers, type RunContext } from './context.ts'
import { PROBE, warnOfBudget } from './cost.ts'
import { type Assembled, assembledKey } from './cut.ts'
import { extractTiles } from './extract.ts'
import { collectGarbage } from './garbage.ts'
import { type SourceFile, withSources } from './inputs.ts'
import { type LearnedTags, learnTags } from './learn-tags.ts'
import { withLicensedSources } from './licences.ts'
import type { ContextOptions } from './models.ts'
import { listedFiles, originsOfFiles } from './origins.ts'
import { LEASE_FOLDER, type Lease } from './ownership/lease.ts'
import { type PrivateAddresses, refuseForWorkers, withoutSecrets, withSecrets } from './private-addresses.ts'
import {
  type CaptionTables,
  countIn,
  type ExtractIndex,
  extractIndexKey,
  type Run,
  requestsKey,
  type SelectIndex,
  selectIndexKey,
  sortedCounts,
  sortedTable,
  VERSIONS,
} from './run.ts'
import { type Job, type Runner, resultKey, runKey, type StageName } from './runner/runner.ts'
import type { ScoreOutcome } from './score.ts'
import { selectObjects } from './select.ts'
import { fetchShardsOf, planShardsOf, runPlan } from './shards.ts'
import { createStageRunner, type Shard, type StageRunner } from './stages.ts'

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

/** One leaf of a map tile on its way through the stages. */
export interface LeafResult {
  readonly leaf: string
  readonly fetch: Job
  readonly caption: Job
  readonly score: Job
  /** Of the contents of all results. */
  readonly digest: string
}

export interface BuildResult extends Assembled {
  /** Jobs that had to be done, by stage. */
  readonly jobs: Readonly<Record<string, number>>
}

/**
 * The whole pipeline. Each stage's shards are named by what decides them; those whose result is in storage are done,
 * the others become jobs. The coordinator holds no state of its own: killed at any point and started again, it goes on
 * from what is in storage.
 *
 * Memory: names and counts of all shards, and the set of keys in storage.
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const { storage, terminal, signal } = options
  const scorers = await identifyScorers(options)
  const prepared = await prepare(options)
  try {
    const { stages, check } = prepared
    const dropped = new Map(Object.entries({ ...prepared.index.dropped }))
    for (const [reason, n] of Object.entries(prepared.selection.dropped)) count(dropped, reason, n)
    const failed = new Map<string, number>()
    const looked = new Map<string, Map<string, number>>()
    const origins = new Map<string, Map<string, number>>()
    const sentences = new Map<string, string>()
    const countFailed = ({ code, message }: Omit<Failed, 'id'>) => {
      count(failed, code)
      if (!sentences.has(code)) sentences.set(code, message)
    }
    const tally = ({ dropped: lost, failed: broken }: Outcome<unknown>) => {
      for (const { reason } of lost) count(dropped, reason)
      for (const each of broken) countFailed(each)
    }

    const planShards = planShardsOf(prepared)
    const plans = await runPlan(prepared, planShards)
    for (const plan of plans.values()) {
      for (const [reason, n] of Object.entries(plan.dropped)) count(dropped, reason, n)
      for (const each of plan.failed) countFailed(each)
    }

    const fetchShards = fetchShardsOf(prepared, plans)
    await warnOfBudget(prepared, fetchShards, options)
    const fetched = await stages.run(
      'fetch',
      'images',
      fetchShards,
      (outcome: FetchOutcome) => outcome.failed.length === 0 && check.images(outcome.kept),
      (outcome) => {
        tally(outcome)
        for (const { source, fault } of outcome.findings) countIn(looked, source, fault ?? 'taken')
        const tiles = new Set(outcome.kept.flatMap((image) => mapTilesOf(image.box)))
        for (const { source, origin } of outcome.kept) countIn(origins, source, origin)
        // Where the same bytes come from decides nothing that follows.
        const images = outcome.kept.map(({ origin: _origin, ...image }) => image)
        return { digest: fingerprint(images), tiles: [...tiles].sort(), images: outcome.kept.length }
      },
    )
    if (failed.has('eecu-budget-used'))
      terminal.warn(
        "The month's EECU-hours (imagery.earthEngine.maxEecuHours) are used; the dataset is made of what is there. Run the same command next month, or with more of them, and it goes on.",
      )

    const captionShards = fetchShards.flatMap(({ job }): Shard[] => {
      const images = fetched.get(job.shard)
      if (!images) return []
      const around = images.tiles.map((tile) => [tile, prepared.index.tiles[tile]?.sha256 ?? null])
      const name = fingerprint('caption', VERSIONS.caption, images.digest, around, prepared.captioner.fingerprint)
      return [{ job: { ...job, stage: 'caption', input: job.fingerprint, fingerprint: name }, weight: images.images }]
    })
    const captioned = await stages.run(
      'caption',
      'images',
      captionShards,
      (outcome: Outcome<CaptionRecord>, { shard, input }) =>
        check.metas(outcome.kept, async () => {
          const fetchResult = await getResult<FetchOutcome>(storage, `work/fetch/${shard}/${input}.json`)
          return fetchResult?.kept ?? []
        }),
      (outcome) => {
        tally(outcome)
        return {
          digest: fingerprint(outcome.kept),
          titles: fingerprint(outcome.kept.map(({ id, title }) => [id, title])),
          pairs: outcome.kept.length,
        }
      },
    )

    const scoreShards = captionShards.flatMap(({ job }): Shard[] => {
      const captions = captioned.get(job.shard)
      if (!captions) return []
      const images = fetched.get(job.shard)!.digest
      const models = scorers.map(({ name, fingerprint: model }) => [name, model])
      const name = fingerprint('score', VERSIONS.score, images, captions.titles, models)
      return [{ job: { ...job, stage: 'score', input: job.fingerprint, fingerprint: name }, weight: captions.pairs }]
    })
    const scored = await stages.run(
      'score',
      'pairs',
      scoreShards,
      () => true,
      (outcome: ScoreOutcome) => {
        tally(outcome)
        return fingerprint(outcome.kept)
      },
    )
    for (const [code, message] of sentences)
      if (code !== 'eecu-budget-used') terminal.warn(`${failed.get(code)} objects failed (${code}): ${message}`)
    for (const [code, n] of stages.failed) count(failed, code, n)

    const jobOf = (shards: readonly Shard[]) => new Map(shards.map(({ job }) => [job.shard, job]))
    const [fetchOf, scoreOf] = [jobOf(fetchShards), jobOf(scoreShards)]
    const leaves = captionShards.flatMap(({ job }): LeafResult[] => {
      const leaf = job.shard
      if (!scored.has(leaf)) return []
      const digest = fingerprint(fetched.get(leaf)!.digest, captioned.get(leaf)!.digest, scored.get(leaf)!)
      return [{ leaf, fetch: fetchOf.get(leaf)!, caption: job, score: scoreOf.get(leaf)!, digest }]
    })
    leaves.sort((a, b) => (a.leaf < b.leaf ? -1 : 1))
    const assembled = await assembleDataset(
      {
        config: prepared.run.config,
        inputs: prepared.index.inputs,
        objects: prepared.index.tagged,
        captioner: prepared.captioner.fingerprint,
        scorers,
        dropped: sortedCounts(dropped),
        failed: sortedCounts(failed),
        looked: sortedTable(looked),
        origins: originsOfFiles(origins, prepared.context.sources),
      },
      leaves,
      { storage, terminal, signal, check, isSuspect: check.isSuspect },
    )
    if (failed.size === 0 && !assembled.unchanged) {
      const jobs = [
        ...planShards.map(({ job }) => job),
        ...leaves.flatMap((leaf) => [leaf.fetch, leaf.caption, leaf.score]),
      ]
      const requests = [...plans.values()].flatMap((plan) =>
        plan.leaves.map(({ leaf, content }) => requestsKey(leaf, content)),
      )
      const live = new Set([
        SEAL,
        PROBE,
        runKey(prepared.name),
        assembledKey(assembled.fingerprint),
        ...jobs.map(resultKey),
        ...requests,
      ])
      await collectGarbage(storage, live, [
        LEASE_FOLDER,
        `work/extract/${prepared.run.extract}/`,
        `work/select/${prepared.run.select}/`,
        ...prepared.learnedTags,
      ])
    }
    if (check.differs || stages.jobs.size > 0 || !assembled.unchanged) await sealDataset(storage)
    return { ...assembled, jobs: Object.fromEntries(stages.jobs) }
  } finally {
    await prepared.context.close()
  }
}

/** What a run knows before its first job. */
export interface Prepared {
  readonly run: Run
  /** Fingerprint of the run, in every job. */
  readonly name: string
  readonly index: ExtractIndex
  readonly selection: SelectIndex
  readonly captioner: Captioner
  readonly context: RunContext
  readonly stages: StageRunner
  readonly existing: ReadonlySet<string>
  readonly check: ContentCheck
  readonly terminal: Terminal
  /** Keys of what a classifier said. */
  readonly learnedTags: readonly string[]
}

/** Extracts, selects, and stores what the jobs need to know. */
export async function prepare(given: BuildOptions): Promise<Prepared> {
  const privateAddresses: PrivateAddresses = given.privateAddresses ?? new Map()
  const options = { ...given, config: withLicensedSources(given.config), privateAddresses }
  const { config, storage, runner, terminal, signal } = options
  const { queue, output: _output, ...shared } = config
  const stored = withoutSecrets(shared, privateAddresses)
  if (queue !== 'embedded') refuseForWorkers(privateAddresses, stored)
  const first = await listStorage(storage)
  const { existing } = first
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
  reading.end(`${objects} visible objects of ${index.tagged} tagged, in ${Object.keys(index.tiles).length} map tiles`)

  const choosing = terminal.stage('select', 'tiles')
  const select = await selectObjects(config, extract, index, captioner, storage, existing, choosing)
  const selection = (await getJson<SelectIndex>(storage, selectIndexKey(select)))!
  choosing.end(`${Object.values(selection.tiles).reduce((sum, tile) => sum + tile.objects, 0)} focus objects`)

  const files = await listedFiles(sourcesOf(withSecrets(config).imagery.sources), () => openCog(config, options))
  const run: Run = { config: stored, extract, select, tables, files }
  const name = fingerprint(run)
  await putJson(storage, runKey(name), run)
  // Jobs of a build before this one may have changed what was listed.
  const isOutdated = (await options.lease?.allow(name)) ?? false
  const listing = isOutdated ? await listStorage(storage) : first
  const check = await createContentCheck(storage, listing)
  const context = await openContext(storage, run, options, captioner)
  const preflight = async (stage: StageName) => {
    // One sentence about wrong credentials now, instead of one failure for each job later.
    const remote = config.imagery.earthEngine.endpoint !== 'local'
    const asked = context.sources.some((source) => source.kind === 'earth-engine')
    if (remote && asked && (stage === 'plan' || stage === 'fetch')) await context.earthEngine()
  }
  const stages = createStageRunner({ storage, existing: listing.existing, runner, terminal, signal, preflight })
  return {
    run,
    name,
    index,
    selection,
    captioner,
    context,
    stages,
    existing: listing.existing,
    check,
    learnedTags,
    terminal,
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
  asking.end(`${seen} of ${rows.length} tags that no table knows can be seen`)
  return asked
}

/** Opens the scorers once before anything is asked of anyone, so that a missing model costs no imagery. */
async function identifyScorers(options: BuildOptions): Promise<readonly ScorerIdentity[]> {
  const { scorers, close } = await openScorers(options.config, options)
  await close()
  return scorers
}
