import { basename } from 'node:path'
import {
  BENCHMARK_RULES,
  type BenchmarkSettings,
  definitionsOf,
  type MadeSets,
  makeBenchmarks,
  parseClassTable,
} from '@skyscript/benchmark/sets'
import { type Config, InputError, type Storage } from '@skyscript/core'
import { BENCHMARK_RECORD, SET_FOLDERS, setFolderOf } from '@skyscript/dataset/benchmarks'
import { createHashColumn, matchAgainst, nearDuplicates } from '@skyscript/filter'
import { readTextFile } from './text-file.ts'

/** All that decides which benchmark sets a dataset has: its settings with the tables that they name, and our rules. */
export interface BenchmarkFacts extends BenchmarkSettings {
  readonly rules: number
}

/**
 * Settings with the tables of classes that they name.
 *
 * @throws InputError `missing-file` or `bad-classes`
 */
export async function readBenchmarks(settings: Config['benchmarks']): Promise<BenchmarkFacts | null> {
  if (settings === undefined) return null
  const own = []
  for (const { name, classes, prompts } of settings.own) {
    const text = await readTextFile(classes, `benchmarks.own: ${name}`)
    own.push({ name, classes: parseClassTable(text, basename(classes)), prompts })
  }
  return { ...settings, own, rules: BENCHMARK_RULES }
}

/** The sets of a dataset that has been cut. */
export function makeSets(
  benchmarks: BenchmarkFacts,
  { filter, scorers, seed }: { filter: Pick<Config['filter'], 'split'>; scorers: readonly string[]; seed: number },
  { storage, signal }: { readonly storage: Storage; readonly signal: AbortSignal },
): Promise<MadeSets> {
  return makeBenchmarks({
    settings: benchmarks,
    from: filter.split.benchmark === undefined ? 'test' : 'benchmark',
    checksGround: filter.split.by === 'image',
    scorers,
    looks: { column: createHashColumn, match: matchAgainst, firstOf: (images) => nearDuplicates(images).firstOf },
    seed,
    storage,
    signal,
  })
}

/**
 * Checks that sets of these settings would overwrite only sets of ours. The original's, unpacked in the same folder, have no record.
 *
 * @throws InputError `foreign-set`
 */
export async function checkSetFolders(storage: Storage, settings: BenchmarkSettings): Promise<void> {
  const wanted = new Set(definitionsOf(settings).map(({ folder }) => folder))
  for (const [folder, files] of await filesOfSets(storage)) {
    if (!wanted.has(folder) || files.includes(recordOf(folder))) continue
    const message = `${storage.url} has ${files[0]}, which skyscript did not write and the benchmark set ${folder} would replace; move it elsewhere, or leave the set out.`
    throw new InputError('foreign-set', message)
  }
}

/** Removes the sets of the last build or cut. The record goes last, so that what is left after a stop is still known as ours. */
export async function removeSets(storage: Storage): Promise<void> {
  for (const [folder, files] of await filesOfSets(storage)) {
    const record = recordOf(folder)
    if (!files.includes(record)) continue
    for (const path of [...files.filter((each) => each !== record), record]) await storage.delete(path)
  }
}

const recordOf = (folder: string) => `${folder}/${BENCHMARK_RECORD}`

/** By folder. */
async function filesOfSets(storage: Storage): Promise<Map<string, string[]>> {
  const files = new Map<string, string[]>()
  for (const top of SET_FOLDERS) {
    for await (const { key } of storage.list(`${top}/`)) {
      const folder = setFolderOf(key)
      if (folder !== null) files.set(folder, [...(files.get(folder) ?? []), key])
    }
  }
  return files
}
