/**
 * An independent reader of finished datasets, which checks everything that the dataset's users rely on. With the writer it
 * shares only the contract: names of files and columns, the lock's schema, and core's paths and geometry. CSVs, Parquet and
 * pickles have their own readers, and every image is fully decoded.
 */
import { createHash } from 'node:crypto'
import {
  formatBytes,
  formatCount,
  formatCounted,
  IMAGE_PATH,
  metaPath,
  type Progress,
  printableLine,
  type Storage,
  silentProgress,
} from '@skyscript/core'
import type { DatasetLock } from '../lock.ts'
import { EMBEDDINGS, EXCLUDED_CSV, LOCK, MANIFEST, SIMILAR_CSV } from '../names.ts'
import type { ClassOf } from './balance.ts'
import { checkBenchmarks } from './benchmarks.ts'
import { blendValues } from './blends.ts'
import { type CsvContent, checkCsv, expectedCsvs } from './csvs.ts'
import { checkCuts } from './cuts.ts'
import { type Fault, FaultList } from './faults.ts'
import { type CaptionForm, captionForm, checkCounts, checkFiles, readLock } from './lock.ts'
import { type Manifest, ManifestError, type ManifestRow, openManifest } from './manifest.ts'
import { RowIndex } from './row-index.ts'
import { checkRow } from './rows.ts'
import { checkSimilar } from './similar.ts'
import { checkSplits } from './splits.ts'

export type { Fault } from './faults.ts'

/** Images read concurrently: hides the latency of a bucket, and needs less than 100 MB. */
const CONCURRENT_ROWS = 16
/** Default number of faults kept per check. */
const FAULTS_KEPT = 20

export interface VerifyOptions {
  /** Called with the number of manifest rows checked. */
  readonly progress?: Progress
  /** The class of an object's tags, as the builder had it: limits of `filter.balance` by class are checked only with it. */
  readonly classOf?: ClassOf
  /** Faults kept per check; all are counted. Default: 20. */
  readonly keep?: number
}

export interface VerifyResult {
  readonly ok: boolean
  readonly checked: {
    readonly rows: number
    readonly images: number
    readonly imageBytes: number
    readonly metas: number
    readonly csvs: number
    readonly csvRows: number
    /** Number of files whose hash was compared with the lock. */
    readonly files: number
    /** Number of images checked for overlap with another split; 0 for splits by image. */
    readonly boxes: number
  }
  /** By check; `faultCounts` has the total of each. */
  readonly faults: readonly Fault[]
  readonly faultCounts: Readonly<Record<string, number>>
}

/**
 * Checks a whole dataset. Memory: about 160 bytes per pair, plus one row group of the manifest; the manifest is copied to
 * the system's temporary folder.
 *
 * Errors of the dataset are returned as faults; it only throws if the storage can't be read.
 */
export async function verifyDataset(storage: Storage, options: VerifyOptions = {}): Promise<VerifyResult> {
  const faults = new FaultList(options.keep ?? FAULTS_KEPT)
  const checked = { rows: 0, images: 0, imageBytes: 0, metas: 0, csvs: 0, csvRows: 0, files: 0, boxes: 0 }
  const digests = new Map<string, string>()
  /** CSVs that are missing because their sets have no pairs. */
  const empty = new Set<string>()

  const lock = await readLock(storage, faults)
  const captions = lock === null ? 'original' : captionForm(lock.config)
  const index = await checkManifest(storage, checked, digests, faults, captions, options.progress ?? silentProgress)
  if (index !== null) {
    await checkStrays(storage, index, lock, faults)
    if (lock !== null) {
      checkScorers(lock.config, index, faults)
      for (const blend of lock.config.filter.blends ?? [])
        if (blend.of.every((scorer) => index.ranksBy(scorer))) index.addBlend(blend.name, blendValues(index, blend))
      const contents = await checkCsvs(storage, lock, index, faults)
      for (const { path, rows, sha256 } of contents) {
        if (sha256 === null) {
          empty.add(path)
          continue
        }
        digests.set(path, sha256)
        checked.csvs++
        checked.csvRows += rows
      }
      const similar = await checkSimilar(storage, lock.config, index, faults)
      checkCuts(contents, index, lock.config.filter, { similar, classOf: options.classOf ?? null }, faults)
      const benchmarks = await checkBenchmarks(storage, lock, index, faults)
      checked.boxes = checkSplits(contents, benchmarks, index, lock.config.filter.split.by, faults)
      await checkCounts(storage, lock, checked.rows, faults)
    }
  }
  if (lock !== null) {
    const csvs = expectedCsvs(lock.config).flatMap(({ path }) => (empty.has(path) ? [] : [path]))
    if (lock.config.filter.exclude !== null) csvs.push(EXCLUDED_CSV)
    if (lock.config.filter.semanticDuplicates !== undefined) csvs.push(SIMILAR_CSV, EMBEDDINGS)
    checked.files = await checkFiles(storage, lock, csvs, digests, faults)
  }
  return { ok: faults.isEmpty, checked, faults: faults.faults, faultCounts: faults.counts }
}

type Checked = { -readonly [K in keyof VerifyResult['checked']]: number }

/** Checks every row with its image and meta; null if the manifest can't be used. */
async function checkManifest(
  storage: Storage,
  checked: Checked,
  digests: Map<string, string>,
  faults: FaultList,
  captions: CaptionForm,
  progress: Progress,
): Promise<RowIndex | null> {
  if (!(await storage.has(MANIFEST))) {
    faults.add('manifest', MANIFEST, 'is not there')
    return null
  }
  const digest = createHash('sha256')
  let manifest: Manifest | undefined
  try {
    manifest = await openManifest(storage, (chunk) => digest.update(chunk))
    digests.set(MANIFEST, digest.digest('hex'))
    const index = new RowIndex(manifest.scorers)
    for await (const group of manifest.read()) {
      for (let at = 0; at < group.length; at += CONCURRENT_ROWS) {
        const batch = group.slice(at, at + CONCURRENT_ROWS)
        progress.update(checked.rows, manifest.rows)
        const rows: ManifestRow[] = []
        for (const row of batch) {
          checked.rows++
          if (!('fault' in row)) rows.push(row)
          else faults.add('manifest-row', MANIFEST, `row ${checked.rows}: ${row.fault}`)
        }
        await checkRows(storage, rows, index, checked, faults, captions)
      }
    }
    progress.update(checked.rows, manifest.rows)
    return index
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error
    faults.add('manifest', MANIFEST, error.message)
    return null
  } finally {
    await manifest?.close()
  }
}

async function checkRows(
  storage: Storage,
  rows: readonly ManifestRow[],
  index: RowIndex,
  checked: Checked,
  faults: FaultList,
  captions: CaptionForm,
): Promise<void> {
  const results = await Promise.all(rows.map((row) => checkRow(storage, row, index.scorers, captions)))
  for (const [i, row] of rows.entries()) {
    const result = results[i]!
    faults.addAll(result.faults)
    checked.images += result.imageBytes > 0 ? 1 : 0
    checked.imageBytes += result.imageBytes
    checked.metas += result.metas
    if (index.has(row.id)) faults.add('object-twice', row.filepath, `${row.id} has more than one image`)
    else if (IMAGE_PATH.test(row.filepath)) index.add(row)
  }
}

async function checkCsvs(
  storage: Storage,
  { config, files }: DatasetLock,
  index: RowIndex,
  faults: FaultList,
): Promise<CsvContent[]> {
  const contents: CsvContent[] = []
  for (const file of expectedCsvs(config)) {
    if (!index.ranksBy(file.scorer)) continue
    const content = await checkCsv(storage, file, index, Object.hasOwn(files, file.path), faults)
    if (content !== null) contents.push(content)
  }
  return contents
}

/** The manifest may have more scores than the settings rank by, but not fewer. */
function checkScorers({ filter }: DatasetLock['config'], index: RowIndex, faults: FaultList): void {
  const missing = filter.scorers.flatMap(({ name }) => (index.scorers.includes(name) ? [] : [name]))
  if (missing.length === 0) return
  const actual = index.scorers.join(', ')
  faults.add(
    'manifest',
    MANIFEST,
    `has scores by ${actual}, but the settings in ${LOCK} also name ${missing.join(', ')}`,
  )
}

/** Images, metas and files that belong to no row: leftovers of an older build would otherwise be used for training. */
async function checkStrays(
  storage: Storage,
  index: RowIndex,
  lock: DatasetLock | null,
  faults: FaultList,
): Promise<void> {
  for await (const { key } of storage.list('images')) {
    if (index.find(key) < 0) faults.add('stray-file', key, 'is not in the manifest')
  }
  for await (const { key } of storage.list('meta')) {
    const image = key.replace(/^meta/, 'images').replace(/\.pickle$/, '.jpg')
    if (metaPath(image) !== key || index.find(image) < 0) faults.add('stray-file', key, 'is not in the manifest')
  }
  if (lock === null) return
  for await (const { key } of storage.list(`${lock.config.name}_`)) {
    if (/\.(csv|jsonl)$/.test(key) && !Object.hasOwn(lock.files, key))
      faults.add('stray-file', key, 'is not in the lock')
  }
}

/** The result as text: what was checked, then every fault kept. */
export function renderVerifyResult({ ok, checked, faults, faultCounts }: VerifyResult): string {
  const lines = [
    `${formatCounted(checked.rows, 'pair')}, ${formatCounted(checked.images, 'image')} (${formatBytes(checked.imageBytes)}), ${formatCounted(checked.metas, 'meta')},`,
    `${formatCounted(checked.csvs, 'CSV')} with ${formatCounted(checked.csvRows, 'row')}, ${formatCounted(checked.files, 'hash', 'hashes')}, ${formatCounted(checked.boxes, 'check')} for ground shared between splits.`,
  ]
  if (ok) return `${[...lines, 'No fault found.'].join('\n')}\n`
  for (const [check, count] of Object.entries(faultCounts)) {
    const shown = faults.filter((fault) => fault.check === check)
    lines.push('', `${check}: ${formatCount(count)}${count > shown.length ? `, the first ${shown.length}:` : ''}`)
    for (const { path, message } of shown) lines.push(`  ${printableLine(path)}: ${printableLine(message)}`)
  }
  return `${lines.join('\n')}\n`
}
