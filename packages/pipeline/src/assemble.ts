import {
  byKey,
  type CaptionRecord,
  type Edit,
  fingerprint,
  formatCounted,
  type ImageRecord,
  metaPath,
  type Outcome,
  type ScoreRecord,
  type Storage,
  sortedRecord,
  TOOL_VERSION,
} from '@skyscript/core'
import { type DatasetRow, EMBEDDINGS } from '@skyscript/dataset'
import { createReportCollector, type Terms } from '@skyscript/dataset/report'
import { findDuplicates, storePairs } from '@skyscript/filter'
import { sourcesOf } from '@skyscript/gee-fetch'
import { type BenchmarkFacts, readBenchmarks } from './benchmarks.ts'
import {
  type Assembled,
  beginChange,
  type CutOptions,
  cutStored,
  type DatasetFacts,
  type DatasetState,
  findAssembled,
  hasStoredPairs,
  readExclude,
  STATE,
  stateText,
} from './cut.ts'
import { lockedConfig } from './lock.ts'
import { PathTable } from './presence/path-table.ts'
import type { Presence } from './presence/presence.ts'
import { removeImages } from './record/before.ts'
import { getWhole, inputOf, resultKey } from './results.ts'
import { type Run, sourceFinder, VERSIONS } from './run.ts'
import type { Job } from './runner/job.ts'
import { embeddedBy } from './stages/score.ts'

/** One leaf of a map tile that came through all stages. */
export interface LeafResult {
  readonly leaf: string
  readonly fetch: Job
  readonly caption: Job
  readonly score: Job
  /** Of the contents of these results. */
  readonly digests: readonly string[]
  /** Of the versions and timestamps of the objects of its map tile. */
  readonly edits: string
}

/** Last edits of a map tile's focus objects, by id. */
export type EditsOf = (tile: string) => Promise<ReadonlyMap<string, Edit>>

/** What a build knows of its dataset, besides the leaves that make it up. */
export type BuiltFacts = Omit<DatasetFacts, 'config' | 'content' | 'exclude'> & Pick<Run, 'config'>

/**
 * All results -> the stored pairs, then the cut of them. Pairs that are stored already are not gathered again, so that
 * other settings of the filter cost a cut.
 */
export async function assembleDataset(
  built: BuiltFacts,
  leaves: readonly LeafResult[],
  options: CutOptions & { readonly presence: Presence; readonly editsOf: EditsOf },
): Promise<Assembled> {
  const { storage, terminal, presence } = options
  const exclude = await readExclude(built.config.filter.exclude, terminal)
  const benchmarks = await readBenchmarks(built.config.benchmarks)
  const facts = datasetFacts(built, leaves, { exclude: exclude?.fingerprint ?? null, benchmarks })
  const found = await findAssembled(facts, storage, presence.isSuspect)
  if (found !== null) {
    const { kept } = found.lock.counts
    const { images, metas } = presence.listing.counts
    if (images > kept || metas > kept) await removeOthers(storage, leaves, built.config.seed, options)
    return found
  }
  const before = await getWhole<DatasetState>(storage, STATE)
  const isStored = before?.content === facts.content && (await hasStoredPairs(storage, presence.isSuspect))
  const stored = isStored ? before : await storeDataset(facts, leaves, before?.names ?? [], options)
  const names = [...new Set([...stored.names, built.config.name])].sort()
  return cutStored({ ...stored, ...facts, names }, exclude, options)
}

/** Everything that names the dataset of some leaves. */
export function datasetFacts(
  built: BuiltFacts,
  leaves: readonly LeafResult[],
  { exclude, benchmarks }: { readonly exclude: string | null; readonly benchmarks: BenchmarkFacts | null },
): DatasetFacts {
  const described = { ...built, config: { ...lockedConfig(built.config), ...(benchmarks && { benchmarks }) } }
  return { ...described, content: contentOf(described, leaves), exclude }
}

/** Of all that decides the manifest's columns but the splits. */
function contentOf(
  { config, scorers }: Pick<DatasetFacts, 'config' | 'scorers'>,
  leaves: readonly LeafResult[],
): string {
  const embedded = embeddedBy(config.filter)
  return fingerprint('pairs', VERSIONS.assemble, TOOL_VERSION, {
    sources: config.imagery.sources,
    // Shipped sources are named by alias only, and what is said of them may be corrected.
    terms: sourcesOf(config.imagery.sources).map(({ collection, licence, credit }) => [
      collection,
      licence,
      credit(null),
      credit(2000),
    ]),
    more: config.captions.more > 0,
    ...(embedded !== null && { embedded }),
    seed: config.seed,
    scorers: scorers.map(({ name }) => name),
    leaves: leaves.map(({ leaf, digests, edits }) => [leaf, fingerprint(...digests), edits]),
  })
}

/** Gathers the pairs of all leaves: the manifest, what the report says of them, and no image or meta beside theirs. */
async function storeDataset(
  facts: DatasetFacts,
  leaves: readonly LeafResult[],
  names: readonly string[],
  { storage, terminal, signal, editsOf }: CutOptions & { readonly editsOf: EditsOf },
): Promise<DatasetState> {
  const { config } = facts
  await beginChange(storage)
  await storage.delete(STATE)
  const progress = terminal.stage('assemble', 'pairs')
  const scorers = facts.scorers.map((scorer) => scorer.name)
  const sourceOf = sourceFinder(config)
  const collector = createReportCollector({ seed: config.seed, scorers })
  const years = new Map<string, Set<number | null>>()
  const own = new Map<string, Map<string, Set<string>>>()
  const paths = new PathTable()
  async function* rows() {
    for await (const row of rowsOf(storage, leaves, editsOf, signal)) {
      collector.add(row)
      paths.set(row.image.filepath, 1)
      const { source, time } = row.image
      years.set(source, (years.get(source) ?? new Set()).add(yearOf(time)))
      progress.update(paths.size)
      yield row
    }
  }
  const embedder = embeddedBy(config.filter)
  const { embeddings } = await storePairs({
    rows: rows(),
    scorers,
    moreCaptions: config.captions.more > 0,
    embeddings: embedder !== null,
    attribution: ({ image }) => {
      const { collection, ...source } = sourceOf(image.source)
      const {
        licence = source.licence,
        credit = source.credit(yearOf(image.time)),
        timePrecision = source.timePrecision,
      } = image.facts ?? {}
      if (image.facts?.licence !== undefined || image.facts?.credit !== undefined) {
        const terms = own.get(image.source) ?? new Map<string, Set<string>>()
        own.set(image.source, terms.set(licence, (terms.get(licence) ?? new Set()).add(credit)))
      }
      const datePrecision = image.time === null ? null : timePrecision === 'year' ? 'year' : 'day'
      return { collection, licence, credit, datePrecision }
    },
    storage,
  })
  await removeStrays(storage, paths, config.seed)
  if (embedder === null) await storage.delete(EMBEDDINGS)
  const state: DatasetState = {
    ...facts,
    report: collector.end(),
    duplicates: await findDuplicates(storage),
    years: sortedRecord(
      Iterator.from(years).map(
        ([source, each]) => [source, [...each].sort((a, b) => (a ?? 1e9) - (b ?? 1e9))] as const,
      ),
    ),
    terms: Object.fromEntries([...own].map(([source, each]) => [source, termsOf(each)])),
    names: [...new Set([...names, config.name])].sort(),
    ...(embedder !== null && { embeddings: { scorer: embedder, sha256: embeddings! } }),
  }
  await storage.put(STATE, stateText(state))
  progress.end(formatCounted(paths.size, 'pair'))
  return state
}

const termsOf = (terms: ReadonlyMap<string, ReadonlySet<string>>): Terms[] =>
  [...terms].sort(byKey).map(([licence, credits]) => ({ licence, credits: [...credits].sort() }))

const yearOf = (time: number | null) => (time === null ? null : new Date(time).getUTCFullYear())

/** Images and metas that belong to none of the stored pairs, wherever they come from. */
async function removeOthers(
  storage: Storage,
  leaves: readonly LeafResult[],
  seed: number,
  { signal }: CutOptions,
): Promise<void> {
  const paths = new PathTable()
  for await (const { image } of pairsOf(storage, leaves, signal)) paths.set(image.filepath, 1)
  await removeStrays(storage, paths, seed)
}

/** Images and metas of objects that left the dataset. */
async function removeStrays(storage: Storage, images: PathTable, seed: number): Promise<void> {
  const strays = async function* () {
    for await (const { key } of storage.list('images')) if (/^images\d\//.test(key) && !images.has(key)) yield key
  }
  await removeImages(storage, strays(), seed)
  for await (const { key } of storage.list('meta')) {
    const image = key.replace(/^meta/, 'images').replace(/\.pickle$/, '.jpg')
    if (/^meta\d\//.test(key) && !(metaPath(image) === key && images.has(image))) await storage.delete(key)
  }
}

/** The pairs of a dataset with the last edits of their objects. Memory: the edits of one map tile. */
async function* rowsOf(
  storage: Storage,
  leaves: readonly LeafResult[],
  editsOf: EditsOf,
  signal: AbortSignal,
): AsyncGenerator<DatasetRow> {
  let [here, edits]: [string, ReadonlyMap<string, Edit>] = ['', new Map()]
  for await (const { leaf, ...pair } of pairsOf(storage, leaves, signal)) {
    const tile = leaf.split('/')[0]!
    if (tile !== here) [here, edits] = [tile, await editsOf(tile)]
    const edit = edits.get(pair.image.id)
    if (edit === undefined) throw new TypeError(`${pair.image.filepath} is of an object that is not in its map tile.`)
    yield { ...pair, edit }
  }
}

/** The pairs of a dataset, leaf by leaf, by id within a leaf: those that every stage kept. */
async function* pairsOf(
  storage: Storage,
  leaves: readonly LeafResult[],
  signal: AbortSignal,
): AsyncGenerator<Omit<DatasetRow, 'edit'> & { readonly leaf: string }> {
  for (const jobs of leaves) {
    signal.throwIfAborted()
    const [images, captions, scores] = await Promise.all([
      inputOf<Outcome<ImageRecord>>(storage, resultKey(jobs.fetch)),
      inputOf<Outcome<CaptionRecord>>(storage, resultKey(jobs.caption)),
      inputOf<Outcome<ScoreRecord>>(storage, resultKey(jobs.score)),
    ])
    const captionOf = new Map(captions.kept.map((record) => [record.id, record]))
    const scoreOf = new Map(scores.kept.map((record) => [record.id, record]))
    for (const image of [...images.kept].sort((a, b) => (a.id < b.id ? -1 : 1))) {
      const caption = captionOf.get(image.id)
      const score = scoreOf.get(image.id)
      if (caption && score) yield { ...{ leaf: jobs.leaf, image, caption }, ...scoresOf(score) }
    }
  }
}

const scoresOf = ({ similarities, phash, embedding }: ScoreRecord) => ({
  ...{ similarities, phash },
  ...(embedding !== undefined && { embedding }),
})
