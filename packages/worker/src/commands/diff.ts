import { readFile, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { InputError, isUrl, systemReason } from '@skyscript/core'
import type { Changes, Side } from '@skyscript/dataset/diff'
import { argument, defineCommand, flag, jsonOption, nonNegativeInteger, option, withDefault } from '../command.ts'
import { EXIT } from '../exit-codes.ts'

export const diff = defineCommand({
  name: 'diff',
  description: 'compare two datasets, such as those of two maps or settings: pairs added, removed and changed, and why',
  arguments: {
    before: argument('<before>', 'folder or s3:// URL of a dataset, or a dataset.lock.json'),
    after: argument('<after>', 'the dataset to compare it with, given in the same way'),
  },
  options: {
    limit: withDefault(option('--limit <number>', 'maximum number of pairs to show', nonNegativeInteger), 20),
    exitCode: flag('--exit-code', 'exit with 1 if anything differs'),
    json: jsonOption,
  },
  async run({ before, after, limit, exitCode, json }) {
    const { changesJson, changesText, compareDatasets, differs, firstPairs, readExamples } = await import(
      '@skyscript/dataset/diff'
    )
    const { writeAll } = await import('../terminal/json-lines.ts')
    await using opened = new AsyncDisposableStack()
    const open = async (given: string): Promise<Side> => {
      const side = await openSide(given)
      opened.defer(() => side.close())
      return side
    }
    const [old, now] = [await open(before), await open(after)]
    const changes: Changes = await compareDatasets(old, now)
    if (json) for await (const piece of changesJson(changes)) await writeAll(process.stdout, piece)
    else {
      const chosen = changes.pairs === null ? [] : firstPairs(changes.pairs, limit)
      process.stdout.write(changesText(changes, await readExamples(chosen, old, now)))
    }
    return exitCode && differs(changes) ? EXIT.failed : EXIT.whole
  },
})

/** Bytes; a lock has some 10 kB. */
const LARGEST_LOCK = 100_000_000

/** A dataset, or a lock: that of a dataset if the dataset is there too. */
async function openSide(given: string): Promise<Side> {
  const { LOCK, MANIFEST } = await import('@skyscript/dataset')
  const { sideOfDataset, sideOfLock } = await import('@skyscript/dataset/diff')
  const { openDataset } = await import('../storages/storages.ts')
  const isLock = basename(given) === LOCK
  if (isUrl(given)) return sideOfDataset(await openDataset(isLock ? dirname(given) : given))
  const found = await stat(given).catch(() => null)
  if (!found?.isFile()) return sideOfDataset(await openDataset(given))
  if (found.size > LARGEST_LOCK)
    throw new InputError('bad-lock', `${given} is not the lock of a dataset; give a dataset's folder, or its ${LOCK}.`)
  const text = await readFile(given, 'utf8').catch((error: unknown) => {
    throw new InputError('missing-file', `${given}: ${systemReason(error)}; give a dataset's folder, or its ${LOCK}.`)
  })
  const side = sideOfLock(text, given)
  if (!isLock) return side
  const folder = await openDataset(dirname(given))
  return (await folder.has(MANIFEST)) ? sideOfDataset(folder) : side
}
