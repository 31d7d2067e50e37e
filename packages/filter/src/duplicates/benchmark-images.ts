import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fingerprint, InputError, messageOf, type Progress, startThread } from '@skyscript/core'
import type { HashAnswer } from '../threads/hash-thread.ts'
import { createHashColumn, type Hashes } from './hashes.ts'

/** File formats of published benchmarks. */
const IMAGE = /\.(jpe?g|png|tiff?|bmp)$/i
const NAME_IT = "name the folder of the benchmark's images"
/** Images in memory at a time. Four are decoded at once, the size of Node's thread pool. */
const AT_ONCE = 8

/** A file or folder that could not be read. */
interface Unreadable {
  readonly file: string
  readonly why: string
}

/** The images of a benchmark such as AID, RESISC45 or RSICD, as needed to find them in a dataset. */
export interface BenchmarkImages {
  /** Paths relative to the folder, with forward slashes, in code point order. */
  readonly files: readonly string[]
  /** Perceptual hashes, in the same order. */
  readonly hashes: Hashes
  /** What could not be read, in code point order; these images are not found in a dataset. */
  readonly unreadable: readonly Unreadable[]
  /** Fingerprint of the names and hashes. */
  readonly fingerprint: string
}

/**
 * Reads a folder of images, including subfolders and the targets of links. The format is detected from a file's content,
 * not its name; only the first page of a TIFF counts.
 *
 * @throws InputError `bad-exclude` if it is not a folder, or has no readable image
 */
export async function readBenchmarkImages(folder: string, progress: Progress): Promise<BenchmarkImages> {
  const found = await stat(folder).catch(() => null)
  if (!found?.isDirectory())
    throw new InputError('bad-exclude', `filter.exclude: ${folder} is not a folder; ${NAME_IT}.`)
  const { names, unreadable } = await imagesIn(folder)
  const thread = startThread(new URL('../threads/hash-thread.ts', import.meta.url))
  const files: string[] = []
  const hashes: string[] = []
  try {
    for (let at = 0; at < names.length; at += AT_ONCE) {
      progress.update(at, names.length)
      const some = names.slice(at, at + AT_ONCE)
      const paths = some.map((name) => join(folder, name))
      for (const [i, result] of (await thread.ask<HashAnswer[]>('hash', paths)).entries()) {
        if (typeof result !== 'string') unreadable.push({ file: some[i]!, why: result.why })
        else {
          files.push(some[i]!)
          hashes.push(result)
        }
      }
    }
  } finally {
    await thread.close()
  }
  progress.update(names.length, names.length)
  unreadable.sort((a, b) => byCharacters(a.file, b.file))
  if (files.length === 0) {
    const [first] = unreadable
    const why = first === undefined ? '' : ` (${first.file}: ${first.why})`
    throw new InputError(
      'bad-exclude',
      `filter.exclude: ${folder} has no image that can be read as JPEG, PNG or TIFF${why}; ${NAME_IT}.`,
    )
  }
  const column = createHashColumn(hashes.length)
  for (const hash of hashes) column.add(hash)
  return { files, hashes: column.end(), unreadable, fingerprint: fingerprint('benchmark', files, hashes) }
}

const byCharacters = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Paths of the images below a folder, in code point order; and folders that can't be read, and broken links. */
async function imagesIn(root: string): Promise<{ names: string[]; unreadable: Unreadable[] }> {
  const names: string[] = []
  const unreadable: Unreadable[] = []

  /** @param above real paths of the folder and its ancestors: a link may lead back to one of them */
  const walk = async (within: string, above: readonly string[]): Promise<void> => {
    for (const entry of await readdir(join(root, within), { withFileTypes: true })) {
      const file = within === '' ? entry.name : `${within}/${entry.name}`
      try {
        const target = entry.isSymbolicLink() ? await stat(join(root, file)) : entry
        if (target.isDirectory()) {
          const real = await realpath(join(root, file))
          if (!above.includes(real)) await walk(file, [...above, real])
        } else if (target.isFile() && IMAGE.test(entry.name)) names.push(file)
      } catch (error) {
        unreadable.push({ file, why: messageOf(error) })
      }
    }
  }

  await walk('', [await realpath(root)]).catch((error: unknown) => {
    throw new InputError(
      'bad-exclude',
      `filter.exclude: ${root} can't be read (${messageOf(error)}); allow reading it.`,
    )
  })
  return { names: names.sort(byCharacters), unreadable }
}
