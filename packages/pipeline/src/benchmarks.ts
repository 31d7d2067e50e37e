import { basename } from 'node:path'
import {
  BENCHMARK_RULES,
  type BenchmarkSettings,
  type MadeSets,
  makeBenchmarks,
  parseClassTable,
} from '@skyscript/benchmark/sets'
import type { Config, Storage } from '@skyscript/core'
import { SET_FOLDERS, setFolderOf } from '@skyscript/dataset/benchmarks'
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

/** Files of sets that the settings no longer name. */
export async function removeOldSets(storage: Storage, files: ReadonlyMap<string, string>): Promise<void> {
  for (const folder of SET_FOLDERS) {
    for await (const { key } of storage.list(`${folder}/`))
      if (setFolderOf(key) !== null && !files.has(key)) await storage.delete(key)
  }
}
