import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { ImageRow } from '@skyscript/benchmark'
import { formatCount, formatCounted, InputError, type Terminal } from '@skyscript/core'
import { MANIFEST, openManifestFile, parseRowsPath } from '@skyscript/dataset'
import { findTrainingOverlap } from '@skyscript/filter'
import { type ImageSource, isFile } from './image-source.ts'

/** Images that are to be measured. */
interface MeasuredImages {
  /** The file or folder, for messages. */
  readonly name: string
  readonly rows: readonly ImageRow[]
  readonly images: ImageSource
}

const TRAINING_PARTS: readonly string[] = ['train', 'top', 'above']

/**
 * Refuses training files of our datasets, and the original's, by their names.
 *
 * @throws InputError `training-split`
 */
export function refuseTrainingFile(csv: string): void {
  // The original also has its training files with other captions.
  const name = basename(csv).replace(/_language_polished\.csv$/, '.csv')
  const dataset = name.slice(0, Math.max(0, name.indexOf('_train_')))
  const part = dataset === '' ? undefined : parseRowsPath(dataset, name)?.set.part
  if (part !== undefined && TRAINING_PARTS.includes(part))
    throw new InputError(
      'training-split',
      `${csv} has training pairs; measure on a test file (--allow-training measures on them all the same).`,
    )
}

/**
 * Says which images a dataset has for training, by the manifest in the root of their paths or beside the CSV; null for none.
 *
 * @returns a clause that names the first line
 */
export async function trainingRows(csv: string, root: string, rows: readonly ImageRow[]): Promise<string | null> {
  for (const folder of new Set([resolve(root), dirname(resolve(csv))])) {
    const path = join(folder, MANIFEST)
    if (!(await isFile(path))) continue
    const lines = new Map(
      rows.map((row) => [relative(folder, resolve(root, row.path)).split(sep).join('/'), row.line] as const),
    )
    const training: { readonly path: string; readonly line: number }[] = []
    const manifest = await openManifestFile(path)
    try {
      // Another tool's file of this name.
      if (!manifest.columns.has('split') || !manifest.columns.has('filepath')) continue
      for (const group of manifest.groups.keys()) {
        const { filepath, split } = await manifest.readGroup(group, ['filepath', 'split'])
        for (const [i, image] of (filepath as string[]).entries()) {
          const line = split![i] === 'train' ? lines.get(image) : undefined
          if (line !== undefined) training.push({ path: image, line })
        }
      }
    } finally {
      await manifest.close()
    }
    if (training.length === 0) continue
    const first = training.reduce((a, b) => (a.line <= b.line ? a : b))
    const count = formatCounted(training.length, 'image')
    return `${csv}, line ${first.line}: ${first.path} is for training in ${folder} (${count} in all)`
  }
  return null
}

/**
 * Refuses sets with images that a dataset has for training, as files or as pictures that look the same.
 *
 * @param dataset folder
 * @throws InputError `overlap`
 */
export async function refuseOverlap(
  sets: readonly MeasuredImages[],
  dataset: string,
  terminal: Terminal,
): Promise<void> {
  const path = join(dataset, MANIFEST)
  if (!(await isFile(path)))
    throw new InputError(
      'no-dataset',
      `--training ${dataset} has no ${MANIFEST}; name the folder of a finished dataset.`,
    )
  const manifest = await openManifestFile(path)
  const progress = terminal.stage('overlap', 'images')
  try {
    if (!manifest.columns.has('phash')) terminal.warn(`${path} has no perceptual hashes: only equal files are found`)
    for (const { name, rows, images } of sets) {
      const paths = [...new Set(rows.map((row) => row.path))]
      const found = await findTrainingOverlap(images.read(paths), manifest, { count: paths.length, progress })
      if (found.length === 0) continue
      const [first] = found
      const how = first!.isExact ? 'is the same file as' : 'looks like'
      const what = `${formatCount(found.length)} of ${formatCounted(paths.length, 'image')} of ${name} are among the training images of ${dataset}`
      const example = `${paths[first!.index]} ${how} ${first!.path}`
      throw new InputError(
        'overlap',
        `${what}: ${example}; a result on them says little, so leave them out of one side.`,
      )
    }
  } finally {
    progress.end(null)
    await manifest.close()
  }
}
