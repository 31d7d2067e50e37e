import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fingerprint, InputError, type Progress } from '@skyscript/core'
import { startThread } from '../threads/thread.ts'
import { createHashColumn, type Hashes } from './near-duplicates.ts'

/** What benchmarks are given out as. */
const IMAGE = /\.(jpe?g|png|tiff?|bmp)$/i
/** Images read at a time. */
const AT_ONCE = 16

/** The images of benchmarks such as AID, RESISC45 and RSICD, as far as they are needed to find them again. */
export interface BenchmarkImages {
  /** Paths below the folder, with forward slashes, in the order of their characters. */
  readonly files: readonly string[]
  /** What each looks like, in the same order. */
  readonly hashes: Hashes
  readonly unreadable: readonly { readonly file: string; readonly why: string }[]
  /** Of the names and hashes. */
  readonly fingerprint: string
}

/**
 * Reads a folder of images and the folders in it.
 *
 * @throws InputError `bad-exclude` where it is no folder, or has no image that can be read
 */
export async function readBenchmarkImages(folder: string, progress: Progress): Promise<BenchmarkImages> {
  const found = await stat(folder).catch(() => null)
  if (!found?.isDirectory()) throw new InputError('bad-exclude', `filter.exclude: ${folder} is no folder of images.`)
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && IMAGE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length).replaceAll('\\', '/'))
    .sort()
  const thread = startThread(new URL('../threads/hash-thread.ts', import.meta.url))
  const files: string[] = []
  const hashes: string[] = []
  const unreadable: { file: string; why: string }[] = []
  try {
    for (let at = 0; at < names.length; at += AT_ONCE) {
      progress.update(at, names.length)
      const some = names.slice(at, at + AT_ONCE)
      const results = await Promise.all(
        some.map(async (name) => {
          const bytes = await readFile(join(folder, name)).catch(() => new Uint8Array())
          return thread.ask<string | { readonly why: string }>('hash', bytes)
        }),
      )
      for (const [i, result] of results.entries()) {
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
  if (files.length === 0) {
    throw new InputError(
      'bad-exclude',
      `filter.exclude: ${folder} has no image that can be read as JPEG, PNG or TIFF; name the folder of the benchmark's images.`,
    )
  }
  const column = createHashColumn(hashes.length)
  for (const hash of hashes) column.add(hash)
  return { files, hashes: column.end(), unreadable, fingerprint: fingerprint('benchmark', files, hashes) }
}
