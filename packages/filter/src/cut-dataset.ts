import { type Box, InputError, type Storage } from '@skyscript/core'
import { localFile, MANIFEST, type ManifestFile, openManifestFile } from '@skyscript/dataset'
import type { ClassOf } from './balance/grouping.ts'
import { collectBalance, columnsFor } from './balance/index.ts'
import { tag } from './balance/tag.ts'
import { createCsv, createRecords } from './csv-files.ts'
import { type CutWorkers, openCutWorkers } from './cut-workers.ts'
import { createHashColumn } from './duplicates/hashes.ts'
import { matchAgainst } from './duplicates/near-duplicates.ts'
import { createTagGroups, createTextGroups } from './groups.ts'
import { createSplitsWriter } from './manifest-splits.ts'
import { createPairTable } from './pair-table.ts'
import {
  type FilePlan,
  type PlanInput,
  planFiles,
  SPLITS,
  type Split,
  type Survey,
  unlistedNote,
} from './plan-files.ts'
import { type Embeddings, openEmbeddings } from './semantic/embeddings-file.ts'
import { chooseLayout, extentOf } from './splits/choose-layout.ts'
import { type Layout, layoutsFor, sharesOf } from './splits/index.ts'

export interface CutInput extends PlanInput {
  /**
   * For `filter.split.degrees: auto`: the region's extent as declared by its clip box or its extracts (degrees; null if not
   * declared), and the side of a typical image of a point or line (metres).
   */
  readonly region: { readonly declared: Box | null; readonly imageSide: number }
  /** The class of an object by its tags, for `filter.balance` by class. */
  readonly classOf?: ClassOf | null
  /** Holds the manifest that `storePairs` wrote. */
  readonly storage: Storage
}

export interface CutFile {
  readonly path: string
  readonly rows: number
  readonly sha256: string
}

export interface CutSummary {
  readonly pairs: number
  /** CSVs and the manifest. */
  readonly files: readonly CutFile[]
  /** The CSVs of pairs, as JSON lines. */
  readonly records: readonly CutFile[]
  /** Number of pairs by value of the manifest's column `split`. */
  readonly splits: Readonly<Record<Exclude<Split, 'benchmark'>, number>> & { readonly benchmark?: number }
  /** Messages for the user, such as fewer test pairs than requested. */
  readonly notes: readonly string[]
}

/**
 * Ranks, cuts and splits the stored pairs, and rewrites the CSVs and the manifest. A set without pairs gets no file. Each
 * file appears once it is complete; if something fails, the manifest is unchanged.
 *
 * Memory: 30 bytes per pair and scorer, 90 per pair with `filter.semanticDuplicates`, 1 byte per pair and file, and one row group of the manifest.
 *
 * @throws InputError `no-scores` if the manifest has no such scorer, `bad-manifest`; errors of `storage`
 */
export async function cutDataset(input: CutInput): Promise<CutSummary> {
  const { storage, scorers, filter, seed } = input
  const file = await localFile(storage, MANIFEST)
  let manifest: ManifestFile | undefined
  let workers: CutWorkers | undefined
  let embeddings: Embeddings | undefined
  try {
    manifest = await openManifestFile(file.path)
    const missing = scorers.find((scorer) => !manifest!.scorers.includes(scorer))
    if (missing !== undefined)
      throw new InputError(
        'no-scores',
        `${MANIFEST} has no scores by "${missing}"; run skyscript build to compute them.`,
      )
    workers = await openCutWorkers(manifest, {
      ...{ scorers, seed, layout: await layoutOf(manifest, input) },
      columns: [...(filter.maxPerTag === null ? [] : tag.columns), ...columnsFor(filter.balance ?? [])],
      titles: filter.maxSameCaption !== null,
      hashes: input.exclude !== null,
    })
    if (filter.semanticDuplicates !== undefined) embeddings = await openEmbeddings(storage, manifest.rows)
    const survey = { ...(await surveyPairs(manifest, workers, input)), embeddings: embeddings ?? null }
    const { files, splits, notes } = await planFiles(survey, input, manifest.columns.has('more_captions'))
    const written = await writeFiles(manifest, workers, input, files, splits)
    const counts: Record<Split, number> = { train: 0, val: 0, test: 0, 'held-out': 0, excluded: 0, benchmark: 0 }
    for (const code of splits) counts[SPLITS[code]!]++
    const { benchmark, ...others } = counts
    const empty = survey.table.size === 0
    const unlisted = unlistedNote(files, splits, filter.split.by)
    return {
      pairs: survey.table.size,
      ...written,
      splits: filter.split.benchmark === undefined ? others : { ...others, benchmark },
      notes: empty ? [NO_PAIRS] : unlisted ? [...notes, unlisted] : notes,
    }
  } finally {
    await workers?.close()
    await embeddings?.close()
    await manifest?.close()
    await file.release()
  }
}

async function layoutOf(manifest: ManifestFile, { filter, region, seed }: CutInput): Promise<Layout> {
  const extent = await extentOf(manifest, region.declared)
  const layouts = layoutsFor(filter, { extent, imageSide: region.imageSide }, seed)
  return chooseLayout(manifest, layouts, sharesOf(filter), seed)
}

const NO_PAIRS =
  'The dataset has no pairs: dropped.csv counts why; check that osm.clip is within the extract and that imagery.sources cover it.'

async function surveyPairs(
  { rows }: ManifestFile,
  workers: CutWorkers,
  input: CutInput,
): Promise<Omit<Survey, 'embeddings'>> {
  const { scorers, filter, exclude, signal } = input
  const table = createPairTable(scorers.length, rows)
  const tags = filter.maxPerTag === null ? null : createTagGroups(rows)
  const balance = collectBalance(filter.balance ?? [], rows, input.classOf ?? null)
  const titles = filter.maxSameCaption === null ? null : createTextGroups(rows)
  const hashes = exclude === null ? null : createHashColumn(rows)
  for await (const group of workers.survey()) {
    signal?.throwIfAborted()
    table.add(group)
    balance.add(group.columns)
    if (tags !== null) for (const json of group.columns.center_tags as string[]) tags.add(json)
    for (const hash of group.titles ?? []) titles!.add(hash)
    for (const hash of group.hashes ?? []) hashes!.add(hash)
  }
  return {
    table: table.end(),
    balance: balance.end(),
    tags: tags?.end() ?? null,
    titles: titles?.end() ?? null,
    excluded: exclude && hashes && matchAgainst(hashes.end(), exclude.hashes),
  }
}

async function writeFiles(
  manifest: ManifestFile,
  workers: CutWorkers,
  { storage, signal }: CutInput,
  plans: readonly FilePlan[],
  splits: Uint8Array,
): Promise<Pick<CutSummary, 'files' | 'records'>> {
  const writer = createSplitsWriter(storage, manifest)
  const outputs = plans.map(({ path, columns }) =>
    columns === null ? createRecords(storage, path) : createCsv(storage, path, columns),
  )
  try {
    let group = 0
    for await (const texts of workers.format(plans.map(({ members, of }) => ({ members, of })))) {
      signal?.throwIfAborted()
      const { from, to } = manifest.groups[group++]!
      await writer.add(Array.from(splits.subarray(from, to), (code) => SPLITS[code]!))
      for (const [i, { text, rows }] of texts.entries()) await outputs[i]!.add(text, rows)
    }
    for (const output of outputs) await output.end()
    await writer.end()
  } catch (error) {
    await Promise.all([writer.abort(error), ...outputs.map((output) => output.abort(error))])
    throw error
  }
  const written = outputs.map(({ path, rows, sha256 }) => ({ path, rows, sha256 }))
  const [records, files] = [true, false].map((isRecords) =>
    written.filter((_, i) => (plans[i]!.columns === null) === isRecords),
  ) as [CutFile[], CutFile[]]
  return { files: [...files, { path: MANIFEST, rows: manifest.rows, sha256: writer.sha256 }], records }
}
