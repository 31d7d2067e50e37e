import { mkdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { neverReasons } from '@skyscript/captioner'
import {
  type Config,
  fingerprint,
  formatCounted,
  getJson,
  InputError,
  PARTITIONS,
  putJson,
  type Storage,
  sha256,
  sortedRecord,
  type Terminal,
  TOOL_VERSION,
} from '@skyscript/core'
import {
  ATTRIBUTION,
  BENCHMARKS_REPORT,
  CROISSANT,
  type DatasetLock,
  DROPPED_CSV,
  type DuplicateSummary,
  EMBEDDINGS,
  EVALUATIONS_REPORT,
  EXCLUDED_CSV,
  LOCK,
  MANIFEST,
  parseRowsPath,
  README,
  REPORT,
  SIMILAR_CSV,
  SUMS,
} from '@skyscript/dataset'
import { type BenchmarkSheet, readSheets } from '@skyscript/dataset/benchmarks'
import { cardOf, setsOf } from '@skyscript/dataset/export'
import {
  attributionMarkdown,
  benchmarksPage,
  creditLines,
  droppedCsv,
  ofScorers,
  type ReportData,
  reportPage,
  type SourceAttribution,
  type Terms,
  writeEvaluationsPage,
} from '@skyscript/dataset/report'
import { type BenchmarkImages, cutDataset, readBenchmarkImages, type ScorerIdentity } from '@skyscript/filter'
import { type BenchmarkFacts, checkSetFolders, makeSets, removeSets } from './benchmarks.ts'
import { balancesByClass, classOfTags, classTable } from './classes.ts'
import { type LockedConfig, lockedFilter } from './lock.ts'
import { haveSums } from './presence/presence.ts'
import { beginChanges, type ChangesSummary, lockText, publish } from './record/publish.ts'
import { getWhole } from './results.ts'
import { type ExtractIndex, sourceFinder, VERSIONS } from './run.ts'
import { splitRegion } from './split-region.ts'
import { embeddedBy } from './stages/score.ts'

export interface Assembled {
  readonly fingerprint: string
  readonly lock: DatasetLock
  /** The dataset was there already. */
  readonly unchanged: boolean
  /** What was changed of the dataset that was there before; null for nothing. */
  readonly changes: ChangesSummary | null
}

/** What a dataset is made from, and what was counted on the way. */
export interface DatasetFacts {
  readonly config: LockedConfig & { readonly benchmarks?: BenchmarkFacts }
  readonly inputs: ExtractIndex['inputs']
  /** Tagged objects read. */
  readonly objects: number
  readonly captioner: string
  /** In the order of the manifest's columns. */
  readonly scorers: readonly ScorerIdentity[]
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: Readonly<Record<string, number>>
  /** Images that were looked at, by source and what came of it: `taken`, or why not. */
  readonly looked: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** By source of files, a hash of the addresses and versions that its images come from. */
  readonly origins: Readonly<Record<string, string>>
  /** Of the manifest's columns but the splits. */
  readonly content: string
  /** Of what `filter.exclude` holds; null without it. */
  readonly exclude: string | null
}

/**
 * `state/dataset.json`: all that is needed beside the manifest to cut the dataset anew, without images, model or `work/`.
 * It is there only if the manifest has its pairs.
 */
export interface DatasetState extends DatasetFacts {
  readonly report: ReportData
  readonly duplicates: DuplicateSummary
  /** Years of the images of every source; null for images without a time. */
  readonly years: Readonly<Record<string, readonly (number | null)[]>>
  /** Licences and credits of sources whose images have their own. */
  readonly terms?: Readonly<Record<string, readonly Terms[]>>
  /** Of `state/embeddings.bin`, and the scorer whose embeddings it has; missing without it. */
  readonly embeddings?: { readonly scorer: string; readonly sha256: string }
  /** All that CSVs in this storage may begin with: what the dataset was called before. */
  readonly names: readonly string[]
}

export const STATE = 'state/dataset.json'
/** Hashes of the images of `filter.exclude`, so that a cut need not read them again. */
const EXCLUDE = 'state/exclude.json'

export const assembledKey = (name: string): string => `work/assemble/${name}.json`

export const fingerprintOf = (facts: DatasetFacts): string =>
  fingerprint(
    ...['assemble', VERSIONS.assemble, TOOL_VERSION, facts],
    ...(balancesByClass(facts.config.filter) ? [classTable()] : []),
  )

export interface CutOptions {
  readonly storage: Storage
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** Which files of the dataset may have changed since they were written; all of them by default. */
  readonly isSuspect?: (path: string) => boolean
}

/**
 * The dataset as it is in storage, if it is whole and what these facts make.
 *
 * @param isSuspect which files are compared with their sums; the others need only be there
 */
export async function findAssembled(
  facts: DatasetFacts,
  storage: Storage,
  isSuspect: (path: string) => boolean = () => true,
): Promise<Assembled | null> {
  const name = fingerprintOf(facts)
  const lock = await getWhole<DatasetLock>(storage, assembledKey(name))
  if (lock === null || !(await haveSums(storage, lock.files, isSuspect))) return null
  const written = await storage.get(LOCK)
  const unchanged = written !== null && Buffer.from(written).toString('utf8') === lockText(lock)
  const changes = unchanged ? null : await publish(storage, lock)
  return { fingerprint: name, lock, unchanged, changes }
}

/** Whether the stored pairs are there as the last build or cut left them. */
export async function hasStoredPairs(
  storage: Storage,
  isSuspect: (path: string) => boolean = () => true,
): Promise<boolean> {
  if (!(await storage.has(MANIFEST))) return false
  // There is one, or none after a cut that was stopped.
  for await (const { key } of storage.list('work/assemble/')) {
    const sums = storedSums(await getWhole<Partial<DatasetLock>>(storage, key))
    if (sums !== null) return haveSums(storage, sums, isSuspect)
  }
  // A dataset that was copied without `work/`.
  const sums = storedSums(await getWhole<Partial<DatasetLock>>(storage, LOCK))
  return sums === null || haveSums(storage, sums, isSuspect)
}

/** Of the pairs and of what a cut knows beside them; null without a lock. */
function storedSums(lock: Partial<DatasetLock> | null): Record<string, string> | null {
  const sums = [MANIFEST, STATE, EMBEDDINGS].flatMap((path) => {
    const sum = lock?.files?.[path]
    return sum === undefined ? [] : [[path, sum] as const]
  })
  return sums.length === 0 ? null : Object.fromEntries(sums)
}

/** Before files change: nothing half-made may look whole, and no result that describes other files may pass for done. */
export async function beginChange(storage: Storage): Promise<void> {
  await beginChanges(storage)
  // Exports beside the dataset that describe files as they were.
  for (const stale of [SUMS, CROISSANT]) await storage.delete(stale)
  for await (const { key } of storage.list('work/assemble/')) await storage.delete(key)
}

/** The stored pairs -> ranking, splits, CSVs, manifest, report, attribution; last of all the lock file. */
export async function cutStored(
  state: DatasetState,
  exclude: BenchmarkImages | null,
  { storage, terminal, signal, isSuspect }: CutOptions,
): Promise<Assembled> {
  const { report, duplicates, years, terms = {}, names, embeddings, ...facts } = state
  const name = fingerprintOf(facts)
  const found = await findAssembled(facts, storage, isSuspect)
  if (found !== null) return found
  checkEmbeddings(state)
  const { config } = state
  const { benchmarks } = config
  if (benchmarks) await checkSetFolders(storage, benchmarks)
  await beginChange(storage)
  // Before any file of these settings: whatever stops this cut, the next one knows their names.
  await storage.put(STATE, stateText(state))
  if (exclude === null) await storage.delete(EXCLUDE)
  else await storage.put(EXCLUDE, excludeText(exclude))
  const progress = terminal.stage('cut', 'pairs')
  const scorers = config.filter.scorers.map((scorer) => scorer.name)
  const summary = await cutDataset({
    name: config.name,
    scorers,
    filter: config.filter,
    seed: config.seed,
    region: splitRegion(config, state.inputs),
    exclude,
    classOf: balancesByClass(config.filter) ? classOfTags() : null,
    storage,
    signal,
  })
  // Before sets are written: names that differ in case only may be one folder.
  await removeSets(storage)
  const sets = benchmarks && (await makeSets(benchmarks, { ...config, scorers }, { storage, signal }))
  const sourceOf = sourceFinder(config)
  const sources = Object.entries(years).map(([alias, each]) => {
    const { collection, licence, credit } = sourceOf(alias)
    return { alias, collection, terms: terms[alias] ?? [{ licence, credits: each.map(credit) }], years: each }
  })
  const { dropped, failed, looked, objects } = state
  const notes = [...summary.notes, ...(sets?.notes ?? [])]
  const page = {
    meanings: neverReasons(),
    name: config.name,
    toolVersion: TOOL_VERSION,
    ...{ objects, dropped, failed, looked },
    ...{ files: summary.files, splits: summary.splits, notes, duplicates },
    ...(sets && { benchmarks: sets.sets }),
    credits: creditLines(sources),
  }
  const sheets = sets && (await readSheets(storage, Object.keys(sets.sets), { scorers, seed: config.seed }))
  const texts: Record<string, string> = {
    [ATTRIBUTION]: attributionMarkdown(config.name, sources, {
      drawn: config.imagery.earthEngine.endpoint === 'local',
    }),
    [DROPPED_CSV]: droppedCsv({ dropped, failed }),
    [REPORT]: await reportPage(ofScorers(report, scorers), page, storage),
    ...(sheets && sheets.length > 0 && { [BENCHMARKS_REPORT]: await benchmarksPage(page, sheets, storage) }),
  }
  for (const [path, text] of Object.entries(texts)) await storage.put(path, text)
  const files = new Map([
    ...[...summary.files, ...summary.records].map(({ path, sha256: hash }) => [path, hash] as const),
    ...(sets?.files ?? []),
    ...Object.entries(texts).map(([path, text]) => [path, sha256(text)] as const),
  ])
  await removeStrays(storage, names, files)
  if (!files.has(BENCHMARKS_REPORT))
    for (const path of [BENCHMARKS_REPORT, EVALUATIONS_REPORT]) await storage.delete(path)
  // Files of former names are gone, so nothing of the dataset depends on what it was called before.
  const text = stateText({ ...state, names: [config.name] })
  await storage.put(STATE, text)
  files.set(STATE, sha256(text))
  if (embeddings !== undefined) files.set(EMBEDDINGS, embeddings.sha256)
  if (exclude !== null) files.set(EXCLUDE, sha256(excludeText(exclude)))
  const unlisted: DatasetLock = {
    tool: { name: 'skyscript', version: TOOL_VERSION },
    fingerprint: name,
    config,
    inputs: state.inputs,
    origins: state.origins,
    tables: { captioner: state.captioner },
    models: state.scorers,
    counts: { objects, kept: summary.pairs, dropped, failed },
    splits: summary.splits,
    duplicates,
    ...(sets && { benchmarks: sets.sets }),
    rows: { ...Object.fromEntries(summary.files.map((file) => [file.path, file.rows])), ...sets?.rows },
    notes,
    files: sortedRecord(files),
  }
  const readme = readmeOf(unlisted, report, sources, sheets)
  await storage.put(README, readme)
  const lock: DatasetLock = { ...unlisted, files: sortedRecord(files.set(README, sha256(readme))) }
  await makeImageFolders(storage)
  if (files.has(BENCHMARKS_REPORT)) await showEvaluations(storage, lock, terminal)
  await putJson(storage, assembledKey(name), lock)
  const changes = await publish(storage, lock)
  progress.update(summary.pairs, summary.pairs)
  progress.end(`${formatCounted(summary.pairs, 'pair')} in ${formatCounted(summary.files.length, 'file')}`)
  return { fingerprint: name, lock, unchanged: false, changes }
}

/** The page of saved results, of which some may be of sets as they were before. */
async function showEvaluations(storage: Storage, lock: DatasetLock, terminal: Terminal): Promise<void> {
  try {
    await writeEvaluationsPage(storage, lock)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    // A file beside the dataset stops no build.
    terminal.warn(error.message)
  }
}

/** @throws InputError `no-embeddings` if the settings need embeddings that were not stored */
function checkEmbeddings({ config: { filter }, embeddings }: DatasetState): void {
  const embedder = embeddedBy(filter)
  if (embedder === null || embeddings?.scorer === embedder) return
  throw new InputError(
    'no-embeddings',
    `filter.semanticDuplicates needs embeddings of the images by "${embedder}", which are not stored; run skyscript build with this setting to compute them.`,
  )
}

function readmeOf(
  lock: DatasetLock,
  { sources, kept }: ReportData,
  attributions: readonly SourceAttribution[],
  sheets: readonly BenchmarkSheet[] | undefined,
): string {
  const facts = attributions.flatMap(({ alias, collection, terms }) => {
    const images = sources.find(({ source }) => source === alias)
    if (images === undefined) return []
    const gsds = [...new Set([images.gsd.min, images.gsd.max])]
    const licence = terms.map((each) => each.licence).join('; ')
    const credits = [...new Set(terms.flatMap((each) => each.credits))]
    return [{ source: alias, collection, licence, credits, pairs: images.images, gsds }]
  })
  return cardOf({ lock, sets: setsOf(lock) }, { pairs: kept, sources: facts, dates: null }, sheets && { sheets })
}

/** In a folder all those that the original has, filled or not: torchgeo's class looks for every one of them. */
async function makeImageFolders({ localPath }: Storage): Promise<void> {
  if (localPath === undefined) return
  for (const number of PARTITIONS) await mkdir(localPath(`images${number}`), { recursive: true })
}

export const stateText = (state: DatasetState) => JSON.stringify(state)

/** CSVs, and their rows as JSON lines, of settings that are no more. Listed by their names: a dataset's folder may hold ten million files beside. */
async function removeStrays(
  storage: Storage,
  names: readonly string[],
  files: ReadonlyMap<string, string>,
): Promise<void> {
  for (const name of names) {
    for await (const { key } of storage.list(`${name}_`)) {
      if (parseRowsPath(name, key) !== null && !files.has(key)) await storage.delete(key)
    }
  }
  for (const csv of [EXCLUDED_CSV, SIMILAR_CSV]) if (!files.has(csv)) await storage.delete(csv)
}

/** The images of the folder that the settings name. */
export async function readExclude(folder: string | null, terminal: Terminal): Promise<BenchmarkImages | null> {
  if (folder === null) return null
  const progress = terminal.stage('exclude', 'images')
  const images = await readBenchmarkImages(folder, progress)
  progress.end(`${formatCounted(images.files.length, 'image')} of ${basename(folder)}`)
  for (const { file, why } of images.unreadable) terminal.warn(`${file} of filter.exclude can't be read (${why})`)
  return images
}

type Hashes = BenchmarkImages['hashes']
type StoredExclude = Omit<BenchmarkImages, 'hashes'> & { readonly hashes: Record<keyof Hashes, number[]> }

function excludeText(images: BenchmarkImages): string {
  const hashes = { high: [...images.hashes.high], low: [...images.hashes.low] }
  return JSON.stringify({ ...images, hashes } satisfies StoredExclude)
}

/** What the last build or cut left out, without its folder. */
export async function storedExclude(storage: Storage): Promise<BenchmarkImages | null> {
  const stored = await getJson<StoredExclude>(storage, EXCLUDE)
  if (stored === null) return null
  return {
    ...stored,
    hashes: { high: Uint32Array.from(stored.hashes.high), low: Uint32Array.from(stored.hashes.low) },
  }
}

/** The settings of a region file's filter over stored results. */
export function withFilter(
  state: DatasetState,
  { name, filter, seed }: Pick<Config, 'name' | 'filter' | 'seed'>,
  benchmarks: BenchmarkFacts | null,
): DatasetState {
  const { benchmarks: _former, ...config } = state.config
  return {
    ...state,
    config: { ...config, name, filter: lockedFilter(filter), seed, ...(benchmarks && { benchmarks }) },
    names: [...new Set([...state.names, name])].sort(),
  }
}
