import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InputError, systemReason } from '@skyscript/core'
import { stringify } from 'csv-stringify/sync'

/** Finds out before the work whether a file can be written. */
export async function checkOutput(option: string, file: string): Promise<void> {
  const [folder, found] = await Promise.all([dirname(file), file].map((path) => stat(path).catch(() => null)))
  if (!folder?.isDirectory())
    throw new InputError('bad-output', `${option} ${file}: there is no such folder; create it or name another file.`)
  if (found?.isDirectory()) throw new InputError('bad-output', `${option} ${file} is a folder; name a file.`)
}

/** Writes a CSV that appears whole. */
export async function writeCsv(option: string, file: string, rows: readonly (readonly unknown[])[]): Promise<void> {
  const partial = `${file}.partial`
  try {
    await writeFile(partial, stringify(rows as unknown[][], { record_delimiter: '\n' }))
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {})
    const message = `${option} ${file} can't be written (${systemReason(error)}); name another file.`
    throw new InputError('bad-output', message)
  }
}

/** A row for each class with the images that were taken for each class. */
export const confusionRows = (classes: readonly string[], confusion: readonly (readonly number[])[]): unknown[][] => [
  ['class', ...classes],
  ...confusion.map((row, i) => [classes[i]!, ...row]),
]
