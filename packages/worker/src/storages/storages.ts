import { InputError, redact, type Storage } from '@skyscript/core'
import { openFolder } from './folder.ts'
import { openS3 } from './s3.ts'

/**
 * The storage that a config's `output` or a job names.
 *
 * @param url a folder, or s3://bucket/prefix
 * @throws InputError where it can't be used; ServiceError where it doesn't answer
 */
export async function openStorage(url: string): Promise<Storage> {
  if (url.startsWith('s3://')) return openS3(url)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) {
    throw new InputError('bad-storage-url', `${redact(url)} can't hold a dataset; give a folder or s3://bucket/prefix.`)
  }
  return openFolder(url)
}
