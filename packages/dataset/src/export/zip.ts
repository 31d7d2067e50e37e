import { createHash } from 'node:crypto'
import { InputError, metaPath, PARTITIONS, type Progress, type Storage } from '@skyscript/core'
import { CROISSANT, LOCK, SUMS } from '../names.ts'
import { croissantOf, type Publication, UNPUBLISHED } from './croissant.ts'
import { changed, type FinishedDataset, type Manifest, openManifest } from './dataset.ts'
import { type ImageRow, readAhead, withImages } from './images.ts'
import { gatherStatistics } from './statistics.ts'
import { type ZipEntry, zipFile } from './zip-file.ts'

export interface ZipOptions {
  readonly signal: AbortSignal
  /** Counts images and metas. */
  readonly progress: Progress
  /** For `croissant.json`. */
  readonly publication?: Publication
}

export interface ExportedFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/**
 * The dataset in the form in which the original is distributed: `images2.zip`, `meta2.zip` and so on, one per folder, with
 * paths such as `images2/a1_CH_19.jpg` inside. Next to them: every file that the lock lists, the lock, a `croissant.json`
 * that refers to the images within the zip files, and `SHA256SUMS` for `sha256sum -c`. Unpacked in place, this is the
 * dataset again. Entries are in the order of the manifest.
 *
 * `SHA256SUMS` is removed first and written last.
 *
 * @throws InputError `image-missing`, `image-changed`, `meta-missing`, `file-changed`
 */
export async function exportZip(
  dataset: FinishedDataset,
  target: Storage,
  { signal, progress, publication = UNPUBLISHED }: ZipOptions,
): Promise<ExportedFile[]> {
  const { storage, lock } = dataset
  const manifest = await openManifest(dataset)
  const written: ExportedFile[] = []
  try {
    await target.delete(SUMS)
    await removeZips(target)
    for (const [path, sha256] of Object.entries(lock.files)) {
      const file = await putFile(target, path, storage.stream(path))
      written.push(file)
      if (file.sha256 !== sha256) throw changed(storage, path)
    }
    const total = 2 * manifest.rows
    let done = 0
    const put = async (path: string, entries: AsyncIterable<ZipEntry>) => {
      const counted = async function* () {
        for await (const entry of entries) {
          signal.throwIfAborted()
          yield entry
          progress.update(++done, total)
        }
      }
      written.push(await putFile(target, path, zipFile(counted())))
    }
    for (const number of PARTITIONS) {
      const folder = `images${number}`
      // Torchgeo's class unpacks all of the original's zip files, then requires their folders.
      if (!(await hasAny(rowsIn(manifest, folder)))) {
        written.push(await putFile(target, `${folder}.zip`, zipFile(emptyFolder(folder))))
        continue
      }
      await put(`${folder}.zip`, imageEntries(storage, rowsIn(manifest, folder)))
      await put(`meta${number}.zip`, metaEntries(storage, rowsIn(manifest, folder)))
    }
    written.push(await putFile(target, LOCK, storage.stream(LOCK)))
    const archives = written.filter(({ path }) => /^images\d\.zip$/.test(path))
    const statistics = await gatherStatistics(manifest)
    const croissant = await croissantOf(dataset, manifest.columns, statistics, publication, archives)
    written.push(await putFile(target, CROISSANT, textOf(`${JSON.stringify(croissant, null, 2)}\n`)))
    await target.put(SUMS, written.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join(''))
    return written
  } catch (error) {
    for (const { path } of written) await target.delete(path).catch(() => {})
    throw error
  } finally {
    await manifest.close()
  }
}

async function removeZips(target: Storage): Promise<void> {
  for (const number of PARTITIONS) for (const name of ['images', 'meta']) await target.delete(`${name}${number}.zip`)
}

async function* rowsIn(manifest: Manifest, folder: string): AsyncGenerator<ImageRow> {
  for await (const row of manifest.read(['filepath', 'sha256'], (filepath) => filepath.startsWith(`${folder}/`)))
    yield { filepath: String(row.filepath), sha256: String(row.sha256) }
}

async function* emptyFolder(name: string): AsyncGenerator<ZipEntry> {
  yield { name: `${name}/`, content: new Uint8Array() }
}

async function* textOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

async function hasAny(rows: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of rows) return true
  return false
}

async function* imageEntries(storage: Storage, rows: AsyncIterable<ImageRow>): AsyncGenerator<ZipEntry> {
  for await (const { row, image } of withImages(storage, rows)) yield { name: row.filepath, content: image }
}

const metaEntries = (storage: Storage, rows: AsyncIterable<ImageRow>): AsyncIterable<ZipEntry> =>
  readAhead(rows, async ({ filepath }) => {
    const name = metaPath(filepath)
    const content = await storage.get(name)
    if (content !== null) return { name, content }
    throw new InputError('meta-missing', `${name} is not in ${storage.url}; skyscript verify finds all such faults.`)
  })

async function putFile(target: Storage, path: string, pieces: AsyncIterable<Uint8Array>): Promise<ExportedFile> {
  const digest = createHash('sha256')
  let bytes = 0
  const watched = async function* () {
    for await (const piece of pieces) {
      digest.update(piece)
      bytes += piece.length
      yield piece
    }
  }
  await target.put(path, watched())
  return { path, bytes, sha256: digest.digest('hex') }
}
