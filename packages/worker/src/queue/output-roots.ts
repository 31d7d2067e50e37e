import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, parse, resolve, sep } from 'node:path'
import { InputError, isUrl, redact } from '@skyscript/core'

/**
 * Decides which datasets a worker may touch: anyone who can write to the queue can name a folder or a bucket.
 *
 * A root is a folder or `s3://bucket/prefix`; it allows itself and everything below it: `s3://data/maps` allows
 * `s3://data/maps/malta`, not `s3://data/maps-private`. Symbolic links of folders are resolved before comparing.
 *
 * @param roots empty: everything is allowed
 * @returns a function that throws InputError `output-not-allowed` for a dataset that is below no root
 * @throws InputError `bad-output-root`
 */
export function createOutputGuard(roots: readonly string[]): (dataset: string) => Promise<void> {
  const buckets = roots.filter(isUrl).map(bucketRoot)
  const folders = roots.filter((root) => !isUrl(root)).map((root) => resolve(root))
  return async (dataset) => {
    if (roots.length === 0) return
    if (isUrl(dataset) ? isInBucket(dataset, buckets) : await isInFolder(dataset, folders)) return
    throw new InputError(
      'output-not-allowed',
      `This worker may not touch ${redact(dataset)}: it was started with --output-root ${roots.map(redact).join(' --output-root ')}.`,
    )
  }
}

/** Bucket and prefix as parts, so that a prefix ends at a slash. */
function partsOf(url: string): readonly string[] | null {
  const match = /^s3:\/\/([^/]+)(?:\/(.*?))?\/*$/.exec(url)
  if (!match) return null
  const parts = [match[1]!, ...(match[2] ? match[2].split('/') : [])]
  return parts.every((part) => part !== '' && part !== '.' && part !== '..') ? parts : null
}

function bucketRoot(root: string): readonly string[] {
  const parts = partsOf(root)
  if (parts !== null) return parts
  throw new InputError('bad-output-root', `--output-root ${redact(root)} must be a folder or s3://bucket/prefix.`)
}

function isInBucket(dataset: string, roots: readonly (readonly string[])[]): boolean {
  const parts = partsOf(dataset)
  return parts !== null && roots.some((root) => root.every((part, i) => parts[i] === part))
}

async function isInFolder(dataset: string, roots: readonly string[]): Promise<boolean> {
  const place = await followLinks(resolve(dataset))
  if (place === null) return false
  for (const root of roots) {
    const real = await followLinks(root)
    if (real !== null && (place === real || place.startsWith(real.endsWith(sep) ? real : `${real}${sep}`))) return true
  }
  return false
}

/**
 * The real path of a folder that need not exist yet: links are followed as far as they exist. null if a link can't be
 * followed: it loops, is broken, or can't be read.
 */
async function followLinks(path: string): Promise<string | null> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === parse(path).root) return null
    const isLink = await lstat(path).then(
      () => true,
      () => false,
    )
    const parent = isLink ? null : await followLinks(dirname(path))
    return parent === null ? null : join(parent, basename(path))
  }
}
