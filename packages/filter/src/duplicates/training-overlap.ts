import { createHash } from 'node:crypto'
import { type Progress, startThread } from '@skyscript/core'
import type { ManifestFile } from '@skyscript/dataset'
import type { HashAnswer } from '../threads/hash-thread.ts'
import { createHashColumn } from './hashes.ts'
import { matchAgainst } from './near-duplicates.ts'

/** Images decoded in one call. */
const AT_ONCE = 64

/** An image that training images have too. */
export interface Overlap {
  /** In the order of the images. */
  readonly index: number
  /** Path of the training image. */
  readonly path: string
  /** Whether the files are equal; otherwise the pictures look the same (`nearDuplicates`). */
  readonly isExact: boolean
}

/**
 * Finds images that are among the training images of a dataset, as files or as pictures. Images that can't be read are skipped.
 * Memory: some 100 bytes for each training image.
 *
 * @param images files, or why one can't be read
 * @param manifest of the dataset; one without perceptual hashes shows only equal files
 */
export async function findTrainingOverlap(
  images: AsyncIterable<Uint8Array | string>,
  manifest: ManifestFile,
  { count, progress }: { readonly count: number; readonly progress: Progress },
): Promise<Overlap[]> {
  const hasLooks = manifest.columns.has('phash')
  const own = await hashImages(images, count, progress)
  const [files, looks] = [createHashColumn(manifest.rows), createHashColumn(manifest.rows)]
  const rows = new Uint32Array(manifest.rows)
  let training = 0
  for (const [group, { from }] of manifest.groups.entries()) {
    const columns = await manifest.readGroup(group, ['split', 'sha256', ...(hasLooks ? ['phash'] : [])])
    for (const [i, split] of columns.split!.entries()) {
      if (split !== 'train') continue
      files.add(columns.sha256![i] as string)
      if (hasLooks) looks.add(columns.phash![i] as string)
      rows[training++] = from + i
    }
  }
  const exact = matchAgainst(own.files, files.end(), 0)
  const near = hasLooks ? matchAgainst(own.looks, looks.end()) : null
  const found = own.indexes.flatMap((index, i) => {
    const at = exact[i]! >= 0 ? exact[i]! : (near?.[i] ?? -1)
    return at < 0 ? [] : [{ index, row: rows[at]!, isExact: exact[i]! >= 0 }]
  })
  const paths = await pathsOf(manifest, new Set(found.map(({ row }) => row)))
  return found.map(({ index, row, isExact }) => ({ index, path: paths.get(row)!, isExact }))
}

async function hashImages(images: AsyncIterable<Uint8Array | string>, count: number, progress: Progress) {
  const [files, looks] = [createHashColumn(count), createHashColumn(count)]
  const indexes: number[] = []
  const thread = startThread(new URL('../threads/hash-thread.ts', import.meta.url))
  let some: { index: number; file: Uint8Array }[] = []
  const hash = async () => {
    const answers = await thread.ask<HashAnswer[]>(
      'files',
      some.map(({ file }) => file),
    )
    for (const [i, answer] of answers.entries()) {
      if (typeof answer !== 'string') continue
      files.add(createHash('sha256').update(some[i]!.file).digest('hex'))
      looks.add(answer)
      indexes.push(some[i]!.index)
    }
    some = []
  }
  let index = 0
  try {
    for await (const file of images) {
      if (typeof file !== 'string') some.push({ index, file })
      index++
      if (some.length === AT_ONCE) await hash()
      progress.update(index, count)
    }
    await hash()
  } finally {
    await thread.close()
  }
  return { files: files.end(), looks: looks.end(), indexes }
}

async function pathsOf(manifest: ManifestFile, wanted: ReadonlySet<number>): Promise<Map<number, string>> {
  const paths = new Map<number, string>()
  for (const [group, { from, to }] of manifest.groups.entries()) {
    const own = [...wanted].filter((row) => row >= from && row < to)
    if (own.length === 0) continue
    const { filepath } = await manifest.readGroup(group, ['filepath'])
    for (const row of own) paths.set(row, filepath![row - from] as string)
  }
  return paths
}
