import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { ImageRow, RowFaults } from '@skyscript/benchmark'
import { DataFault, formatCounted, systemReason, type Terminal } from '@skyscript/core'
import type { DualEncoder } from '@skyscript/filter'
import pMap from 'p-map'

/** Images embedded in one call; the next ones are read meanwhile. */
const BATCH = 256
/** Files checked or read concurrently. */
const FILES_AT_ONCE = 64
/** Folders above the root in which a missing image is looked for, to name the right root. */
const LEVELS = 3

/**
 * The rows whose images are there. The others are faults, all found before the first image is embedded.
 *
 * @throws InputError `missing-image` unless `faults` skips such rows
 */
export async function rowsWithFiles<R extends ImageRow>(
  rows: readonly R[],
  root: string,
  faults: RowFaults,
): Promise<R[]> {
  const paths = [...new Set(rows.map(({ path }) => path))]
  const found = await pMap(paths, (path) => isFile(resolve(root, path)), { concurrency: FILES_AT_ONCE })
  const there = new Set(paths.filter((_, i) => found[i]))
  const missing = rows.filter(({ path }) => !there.has(path))
  if (missing.length === 0) return [...rows]
  const { path } = missing[0]!
  const others = missing.length === 1 ? '' : `, nor ${formatCounted(missing.length - 1, 'image')} of other lines`
  const what = `there is no image ${path} in ${root}${others}; ${await rootHint(root, path)}`
  for (const { line } of missing) faults.add(line, 'missing-image', what)
  return rows.filter((row) => there.has(row.path))
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )

async function rootHint(root: string, path: string): Promise<string> {
  let folder = resolve(root)
  for (let level = 0; level < LEVELS; level++) {
    folder = dirname(folder)
    if (await isFile(join(folder, path))) return `it is there with --root ${folder}`
  }
  return '--root names the folder that paths are relative to'
}

/**
 * Embeds each image once, in the order of its first row, and leaves out images that can't be read with all their rows.
 *
 * @param given rows with files
 * @throws InputError `unreadable-image` or `embedding-not-a-number` unless `faults` skips such rows
 */
export async function* embedRows<R extends ImageRow>(
  given: readonly R[],
  options: {
    readonly encoder: DualEncoder
    readonly root: string
    readonly faults: RowFaults
    readonly terminal: Terminal
  },
): AsyncGenerator<{ readonly rows: readonly R[]; readonly embedding: Float32Array }> {
  const { encoder, root, faults, terminal } = options
  const progress = terminal.stage('images', 'images')
  const images = [...Map.groupBy(given, ({ path }) => path)]
  const read = (at: number) =>
    pMap(images.slice(at, at + BATCH), ([path]) => readFile(resolve(root, path)).catch(systemReason), {
      concurrency: FILES_AT_ONCE,
    })
  let done = 0
  try {
    for (let next = read(0); done < images.length; ) {
      const some = images.slice(done, done + BATCH)
      const files = await next
      next = read(done + BATCH)
      const embedded = await encoder.embedImages(files.map((file) => (typeof file === 'string' ? NOTHING : file)))
      for (const [i, [path, rows]] of some.entries()) {
        const [file, embedding] = [files[i]!, embedded[i]!]
        if (embedding instanceof DataFault) {
          const why = typeof file === 'string' ? file : embedding.message
          for (const { line } of rows) faults.add(line, embedding.code, `${path}: ${why.replace(/\.$/, '')}`)
        } else yield { rows, embedding }
      }
      done += some.length
      progress.update(done, images.length)
    }
  } finally {
    progress.end(formatCounted(done, 'image'))
  }
}

/** Stands for a file that can't be read: to the encoder, an image that can't be read. */
const NOTHING = new Uint8Array()
