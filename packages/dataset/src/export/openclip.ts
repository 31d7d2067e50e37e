import { createHash } from 'node:crypto'
import { InputError, type Storage } from '@skyscript/core'
import { stringify } from 'csv-stringify/sync'
import { CsvFormatError, readCsv } from '../verify/csv-reader.ts'
import { changed, type FinishedDataset, type PairSet } from './dataset.ts'
import type { CAPTIONS } from './webdataset.ts'

export interface OpenclipOptions {
  readonly sets: readonly PairSet[]
  readonly caption: (typeof CAPTIONS)[number]
  readonly absolute: boolean
  readonly signal: AbortSignal
}

/** Rows that are written at once. */
const BATCH = 1000

/**
 * One table for each set that OpenCLIP reads with its defaults (`--dataset-type csv`): tab-separated, with the columns
 * `filepath` and `title`. OpenCLIP opens each path as it is, so relative ones work only from the dataset's folder, and
 * absolute ones from anywhere.
 *
 * @throws InputError `not-a-folder` for absolute paths of a dataset in a bucket; `file-changed`
 */
export async function exportOpenclip(
  dataset: FinishedDataset,
  target: Storage,
  { sets, caption, absolute, signal }: OpenclipOptions,
): Promise<{ path: string; rows: number }[]> {
  const { localPath } = dataset.storage
  if (absolute && localPath === undefined)
    throw new InputError(
      'not-a-folder',
      `OpenCLIP reads images from disk, and ${dataset.storage.url} is a bucket: copy it into a folder and export that, or use --format webdataset.`,
    )
  const pathOf = absolute ? localPath! : (key: string) => key
  const written: { path: string; rows: number }[] = []
  for (const set of sets) {
    const path = `${set.name}.tsv`
    let rows = 0
    const lines = async function* () {
      yield table([['filepath', 'title']])
      for await (const batch of batchesOf(dataset, set, caption)) {
        signal.throwIfAborted()
        rows += batch.length
        yield table(batch.map(([filepath, title]) => [pathOf(filepath), title]))
      }
    }
    await target.put(path, lines())
    written.push({ path, rows })
  }
  return written
}

const table = (rows: readonly (readonly string[])[]): Uint8Array =>
  Buffer.from(stringify(rows as string[][], { delimiter: '\t' }))

async function* batchesOf(
  { storage, lock }: FinishedDataset,
  { csv }: PairSet,
  caption: OpenclipOptions['caption'],
): AsyncGenerator<[filepath: string, title: string][]> {
  const digest = createHash('sha256')
  let batch: [string, string][] = []
  let place: number | null = null
  try {
    for await (const { fields } of readCsv(storage, csv, (chunk) => digest.update(chunk))) {
      if (place === null) {
        place = fields.indexOf(caption)
        continue
      }
      batch.push([fields[0] ?? '', fields[place] ?? ''])
      if (batch.length < BATCH) continue
      yield batch
      batch = []
    }
  } catch (error) {
    if (error instanceof CsvFormatError) throw changed(storage, csv)
    throw error
  }
  if (digest.digest('hex') !== lock.files[csv]) throw changed(storage, csv)
  if (batch.length > 0) yield batch
}
