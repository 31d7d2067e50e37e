import { stat } from 'node:fs/promises'
import { InputError, isUrl, redact, type Storage } from '@skyscript/core'
import { openFolder } from './folder.ts'

/**
 * The storage that a config's `output` or a job names.
 *
 * @param url a folder, or s3://bucket/prefix
 * @throws InputError where it can't be used; ServiceError where it doesn't answer
 */
export async function openStorage(url: string): Promise<Storage> {
  // Loaded here, since most commands work on a folder.
  if (url.startsWith('s3://')) return (await import('./s3.ts')).openS3(url)
  if (isUrl(url)) {
    throw new InputError('bad-storage-url', `${redact(url)} can't hold a dataset; give a folder or s3://bucket/prefix.`)
  }
  return openFolder(url)
}

/**
 * The storage of a dataset that is there: a mistyped folder is not made.
 *
 * @throws InputError `no-dataset` where there is no such folder, and as `openStorage`
 */
export async function openDataset(url: string): Promise<Storage> {
  const isFolder = async () => (await stat(url).catch(() => null))?.isDirectory() ?? false
  if (!isUrl(url) && !(await isFolder())) {
    throw new InputError('no-dataset', `There is no folder ${url}; give the output folder of a build.`)
  }
  return openStorage(url)
}
