import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { InputError, systemReason } from '@skyscript/core'
import { stringify } from 'csv-stringify/sync'

/** Finds out before the work whether a file can be written. */
export async function checkOutput(option: string, file: string): Promise<void> {
  const [folder, found] = await Promise.all([dirname(file), file].map((path) => stat(path).catch(() => null)))
  if (!folder?.isDirectory())
    throw new InputError('bad-output', `${option} ${file}: there is no such folder; create it or name another file.`)
  if (found?.isDirectory()) throw new InputError('bad-output', `${option} ${file} is a folder; name a file.`)
}

/**
 * Refuses to write over a file that is read, or twice to one file.
 *
 * @param options the outputs by option; undefined if not given
 * @throws InputError `bad-output`
 */
export function checkDistinctOutputs(
  options: Readonly<Record<string, string | undefined>>,
  inputs: readonly (string | undefined)[],
): void {
  const read = inputs.filter((file) => file !== undefined)
  const taken = new Map<string, string>(read.map((file) => [resolve(file), 'is read']))
  for (const [option, file] of Object.entries(options)) {
    if (file === undefined) continue
    const use = taken.get(resolve(file))
    if (use !== undefined) throw new InputError('bad-output', `${option} ${file}: this file ${use}; name another file.`)
    taken.set(resolve(file), `is written by ${option}`)
  }
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
