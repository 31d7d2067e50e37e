import { InputError, type Storage } from '@skyscript/core'
import { stringify } from 'csv-stringify/sync'
import { type FinishedDataset, type PairSet, readPairs } from './dataset.ts'
import type { CAPTIONS } from './webdataset.ts'

export interface OpenclipOptions {
  readonly sets: readonly PairSet[]
  readonly caption: (typeof CAPTIONS)[number]
  readonly absolute: boolean
  readonly signal: AbortSignal
}

/** Rows per write. */
const BATCH = 1000

/**
 * One table per set, in the form that OpenCLIP reads by default (`--dataset-type csv`): tab-separated, with the columns
 * `filepath` and `title`. OpenCLIP opens the paths as written, so relative ones work only from the dataset's folder, and
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
  dataset: FinishedDataset,
  set: PairSet,
  caption: OpenclipOptions['caption'],
): AsyncGenerator<[filepath: string, title: string][]> {
  let batch: [string, string][] = []
  for await (const [filepath, title] of readPairs(dataset, set, ['filepath', caption])) {
    batch.push([filepath!, title!])
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
