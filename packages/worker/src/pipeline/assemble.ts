import {
  type CaptionRecord,
  fingerprint,
  getJson,
  type ImageRecord,
  metaPath,
  type Outcome,
  putJson,
  type ScoreRecord,
  ServiceError,
  type SourceAlias,
  type Storage,
  sha256OfStream,
} from '@skyscript/core'
import { type AssembleSummary, assemble, type DatasetRow } from '@skyscript/filter'
import { type Source, sourcesOf } from '@skyscript/gee-fetch'
import { attributionMarkdown, createReportCollector, creditLines, droppedCsv } from '../report/report.ts'
import { resultKey } from '../runner/runner.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { TOOL_VERSION } from '../version.ts'
import type { LeafResult, ScorerIdentity } from './coordinator.ts'
import { lockedConfig } from './lock.ts'
import { type ExtractIndex, LOCK, type Run, VERSIONS } from './run.ts'

/** `dataset.lock.json`: what the dataset was made from and what it consists of. Holds no time of day and no path of a machine. */
export interface DatasetLock {
  readonly tool: { readonly name: 'skyscript'; readonly version: string }
  /** Of everything that decided the dataset. */
  readonly fingerprint: string
  readonly config: unknown
  readonly inputs: ExtractIndex['inputs']
  /** Fingerprint of the groundability table and the caption rules. */
  readonly tables: { readonly captioner: string }
  readonly models: readonly ScorerIdentity[]
  readonly counts: {
    /** Tagged objects read = kept + dropped + failed. */
    readonly objects: number
    readonly kept: number
    readonly dropped: Readonly<Record<string, number>>
    readonly failed: Readonly<Record<string, number>>
  }
  readonly rows: Readonly<Record<string, number>>
  readonly notes: readonly string[]
  /** sha256 of every file but the images and metas, whose hashes are in the manifest. */
  readonly files: Readonly<Record<string, string>>
}

export interface Assembled {
  readonly fingerprint: string
  readonly lock: DatasetLock
  /** The dataset was there already. */
  readonly unchanged: boolean
}

export const assembledKey = (name: string): string => `work/assemble/${name}.json`

/**
 * All that assembly needs to know, stored so that `cut` can redo it with other settings and without a model:
 * which results make up the dataset, and what was counted on the way.
 */
export interface DatasetState {
  readonly config: Run['config']
  readonly inputs: ExtractIndex['inputs']
  /** Tagged objects read. */
  readonly objects: number
  readonly captioner: string
  readonly scorers: readonly ScorerIdentity[]
  readonly leaves: readonly LeafResult[]
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: Readonly<Record<string, number>>
  /** Images that were looked at, by source and what came of it: `taken`, or why not. */
  readonly looked: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export const STATE = 'work/dataset.json'

export interface AssembleOptions {
  readonly storage: Storage
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** All results -> ranking, splits, CSVs, manifest, report, attribution; last of all the lock file. */
export async function assembleDataset(state: DatasetState, options: AssembleOptions): Promise<Assembled> {
  const { storage, terminal, signal } = options
  const name = fingerprint('assemble', VERSIONS.assemble, TOOL_VERSION, {
    ...state,
    config: lockedConfig(state.config),
    leaves: state.leaves.map(({ leaf, digest }) => [leaf, digest]),
  })
  const before = await getJson<DatasetLock>(storage, assembledKey(name))
  if (before !== null && (await haveAll(storage, Object.keys(before.files)))) {
    const unchanged = await storage.has(LOCK)
    if (!unchanged) await putLock(storage, before)
    return { fingerprint: name, lock: before, unchanged }
  }

  await storage.delete(LOCK)
  // CSVs have one name whatever is in them: a result that describes others must not pass for done later.
  for await (const { key } of storage.list('work/assemble/')) await storage.delete(key)
  await putJson(storage, STATE, state)
  const progress = terminal.stage('assemble', 'pairs')
  const rows = () => rowsOf(storage, state.leaves, signal)
  const { config } = state
  const sourceOf = sourceFinder(config)
  const summary = await assemble({
    rows,
    name: config.name,
    scorers: state.scorers.map((scorer) => scorer.name),
    filter: config.filter,
    seed: config.seed,
    moreCaptions: config.captions.more > 0,
    attribution: ({ image }) => {
      const { collection, licence, credit } = sourceOf(image.source)
      return { collection, licence, credit: credit(yearOf(image.time)) }
    },
    storage,
  })
  const lock = await publish(state, storage, summary, rows, name)
  await putJson(storage, assembledKey(name), lock)
  await putLock(storage, lock)
  progress.update(lock.counts.kept, lock.counts.kept)
  progress.end(`${lock.counts.kept} pairs in ${Object.keys(lock.rows).length} files`)
  return { fingerprint: name, lock, unchanged: false }
}

function sourceFinder(config: Run['config']): (alias: SourceAlias) => Source {
  const sources = new Map(sourcesOf(config.imagery.sources).map((source) => [source.alias, source]))
  return (alias) => {
    const source = sources.get(alias)
    if (!source) throw new TypeError(`An image is of ${alias}, which is no source of the settings.`)
    return source
  }
}

const yearOf = (time: number | null) => (time === null ? null : new Date(time).getUTCFullYear())

async function haveAll(storage: Storage, keys: readonly string[]): Promise<boolean> {
  for (const key of keys) if (!(await storage.has(key))) return false
  return true
}

async function putLock(storage: Storage, lock: DatasetLock): Promise<void> {
  await storage.put(LOCK, `${JSON.stringify(lock, null, 2)}\n`)
}

/** Everything beside the CSVs and the manifest, and the removal of files that are no longer part of the dataset. */
async function publish(
  state: DatasetState,
  storage: Storage,
  summary: AssembleSummary,
  rows: () => AsyncIterable<DatasetRow>,
  name: string,
): Promise<DatasetLock> {
  const { config, scorers, dropped, failed } = state
  const sourceOf = sourceFinder(config)
  const report = createReportCollector({ seed: config.seed, scorers: scorers.map((scorer) => scorer.name) })
  const paths = new Set<string>()
  for await (const row of rows()) {
    report.add(row)
    paths.add(row.image.filepath)
  }
  const sources = [...report.years()].sort().map(([alias, years]) => {
    const { collection, licence, credit } = sourceOf(alias)
    return { alias, collection, licence, credits: years.map(credit), years }
  })
  const texts: Record<string, string> = {
    'ATTRIBUTION.md': attributionMarkdown(config.name, sources),
    'dropped.csv': droppedCsv({ dropped, failed }),
    'report/index.html': await report.finish({
      storage,
      name: config.name,
      toolVersion: TOOL_VERSION,
      objects: state.objects,
      dropped,
      failed,
      looked: state.looked,
      files: summary.files,
      credits: creditLines(sources),
    }),
  }
  for (const [path, text] of Object.entries(texts)) await storage.put(path, text)
  const files: [string, string][] = []
  for (const path of [...summary.files.map((file) => file.path), ...Object.keys(texts)].sort()) {
    files.push([path, await sha256OfStream(storage.stream(path))])
  }
  await removeStrays(storage, paths, new Set(files.map(([path]) => path)))
  return {
    tool: { name: 'skyscript', version: TOOL_VERSION },
    fingerprint: name,
    config: lockedConfig(config),
    inputs: state.inputs,
    tables: { captioner: state.captioner },
    models: scorers,
    counts: { objects: state.objects, kept: paths.size, dropped, failed },
    rows: Object.fromEntries(summary.files.map((file) => [file.path, file.rows])),
    notes: summary.notes,
    files: Object.fromEntries(files),
  }
}

/** Images and metas of objects that left the dataset, and CSVs of settings that are no more. */
async function removeStrays(storage: Storage, images: ReadonlySet<string>, files: ReadonlySet<string>): Promise<void> {
  const metas = new Set([...images].map(metaPath))
  for (const prefix of ['images', 'meta']) {
    for await (const { key } of storage.list(prefix)) {
      if (/^(images|meta)\d\//.test(key) && !images.has(key) && !metas.has(key)) await storage.delete(key)
    }
  }
  const ours =
    /^[A-Za-z0-9._-]+_(train_unfiltered_5M|(train_top\d+pct|val_\d+K?|test_\d+K?)_filtered_by_CLIP_\w+?)(_captions)?\.csv$/
  for await (const { key } of storage.list('')) {
    if (ours.test(key) && !files.has(key)) await storage.delete(key)
  }
}

/** The pairs of a dataset, leaf by leaf, by id within a leaf: those that every stage kept. */
export async function* rowsOf(
  storage: Storage,
  leaves: readonly Pick<LeafResult, 'leaf' | 'fetch' | 'caption' | 'scores'>[],
  signal: AbortSignal,
): AsyncGenerator<DatasetRow> {
  for (const { fetch, caption, scores } of leaves) {
    signal.throwIfAborted()
    const [images, captions, ...scored] = await Promise.all(
      [fetch, caption, ...scores].map((job) => outcomeOf<{ id: string }>(storage, resultKey(job))),
    )
    const captionOf = new Map((captions!.kept as CaptionRecord[]).map((record) => [record.id, record]))
    const scoreOf = scored.map(
      (outcome) => new Map((outcome.kept as ScoreRecord[]).map(({ id, similarity }) => [id, similarity])),
    )
    const sorted = [...(images!.kept as ImageRecord[])].sort((a, b) => (a.id < b.id ? -1 : 1))
    for (const image of sorted) {
      const text = captionOf.get(image.id)
      const similarities = scoreOf.map((each) => each.get(image.id)).filter((similarity) => similarity !== undefined)
      if (text && similarities.length === scoreOf.length) yield { image, caption: text, similarities }
    }
  }
}

async function outcomeOf<T>(storage: Storage, key: string): Promise<Outcome<T>> {
  const outcome = await getJson<Outcome<T>>(storage, key)
  if (outcome === null)
    throw new ServiceError('missing-result', `${key} is gone from ${storage.url}; run the build again.`, {
      retry: false,
    })
  return outcome
}
