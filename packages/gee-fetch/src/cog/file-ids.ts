import { InputError } from '@skyscript/core'
import type { CogSource } from './cog-source.ts'

/**
 * Addresses of a list of files by image id: the file's name, or if two files share it, the path from where their paths
 * differ. Ids reveal neither a local folder nor a URL's signature.
 *
 * @throws InputError `ambiguous-files` if two addresses differ only in their queries
 */
export function fileIds({ collection, files }: Pick<CogSource, 'collection' | 'files'>): Map<string, string> {
  const addresses = [...new Set(files)]
  const paths = addresses.map((file) => file.split('?')[0]!.split('/'))
  const names = new Set(paths.map((path) => path.at(-1)))
  let shared = 0
  if (names.size < paths.length) {
    const whole = new Set(paths.map((path) => path.join('/')))
    if (whole.size < paths.length)
      throw new InputError(
        'ambiguous-files',
        `The files of ${collection} have the same address except for the query; give each its own name.`,
      )
    while (paths.every((path) => path[shared] === paths[0]![shared])) shared++
  }
  return new Map(
    paths.map((path, i) => [
      `${collection}/${names.size < paths.length ? path.slice(shared).join('/') : path.at(-1)}`,
      addresses[i]!,
    ]),
  )
}
