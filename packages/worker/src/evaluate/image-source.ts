import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { systemReason } from '@skyscript/core'
import pMap from 'p-map'

/** Where the images of a set are. */
export interface ImageSource {
  /** For messages: a folder. */
  readonly place: string
  /** Which of the paths have no image. */
  missing(paths: readonly string[]): Promise<ReadonlySet<string>>
  /** What to do about a missing image. */
  hint(path: string): Promise<string>
  /** The files in the order of the paths, or why one can't be read. */
  read(paths: readonly string[]): AsyncIterable<Uint8Array | string>
}

/** Files checked or read concurrently. */
const FILES_AT_ONCE = 64
/** Folders above the root in which a missing image is looked for, to name the right root. */
const LEVELS = 3

/** Images whose paths are relative to a folder. */
export function imagesBelow(root: string): ImageSource {
  return {
    place: root,
    async missing(paths) {
      const found = await pMap(paths, (path) => isFile(resolve(root, path)), { concurrency: FILES_AT_ONCE })
      return new Set(paths.filter((_, i) => !found[i]))
    },
    async hint(path) {
      let folder = resolve(root)
      for (let level = 0; level < LEVELS; level++) {
        folder = dirname(folder)
        if (await isFile(join(folder, path))) return `it is there with --root ${folder}`
      }
      return 'paths are relative to that folder; add the image, or leave such rows out with --skip-missing'
    },
    async *read(paths) {
      for (let at = 0; at < paths.length; at += FILES_AT_ONCE) {
        const some = paths.slice(at, at + FILES_AT_ONCE)
        yield* await Promise.all(some.map((path) => readFile(resolve(root, path)).catch(systemReason)))
      }
    },
  }
}

export const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
