import type { BenchmarkSettings } from '@skyscript/benchmark/sets'
import { formatBytes, formatCount, InputError, type Tags } from '@skyscript/core'
import type { SET_LAYOUTS } from '@skyscript/dataset/export'
import { option, repeatable } from '../command.ts'
import type { Exported, ExportJob } from './format.ts'

export const benchmarkOptions = {
  benchmark: repeatable(
    option('--benchmark <name>', 'a benchmark set, such as SkyScript_cls; repeatable (default: all)'),
  ),
}

/** Labels training images by the tags that the dataset's settings name; undefined if it was made without. */
async function labellerOf({ lock }: ExportJob['dataset']) {
  const settings = lock.config.benchmarks as BenchmarkSettings | undefined
  if (settings === undefined) return undefined
  const { labellersOf } = await import('@skyscript/benchmark/sets')
  const labellers = labellersOf(settings)
  return ({ folder }: { readonly folder: string }, tags: Tags) => labellers.get(folder)?.(tags) ?? null
}

/** Writes the benchmark sets of these names, or all of them, in one of their forms. */
export async function exportSets(
  { dataset, target, terminal, signal }: ExportJob,
  names: readonly string[],
  layoutName: keyof typeof SET_LAYOUTS,
  given: { readonly shardBytes?: number | undefined } = {},
): Promise<Exported> {
  const { chooseBenchmarks, openSets, SET_LAYOUTS, SHARD_BYTES, writeSets } = await import('@skyscript/dataset/export')
  const { PROMPTS } = await import('@skyscript/benchmark')
  const layout = SET_LAYOUTS[layoutName]
  const chosen = await chooseBenchmarks(dataset, names)
  const suitable = chosen.filter((set) => {
    const refusal = layout.refusal(set)
    if (refusal === null) return true
    const message = `${set.record.name} ${refusal}, so it can't be exported with --format ${layoutName}`
    if (names.length > 0 || chosen.length === 1)
      throw new InputError('unsuitable-set', `${message}; use another format.`)
    terminal.note(message)
    return false
  })
  const opened = await openSets(
    dataset,
    suitable,
    layoutName === 'clip-benchmark' ? await labellerOf(dataset) : undefined,
  )
  const sets = await writeSets(dataset, target, opened, layout, {
    promptsOf: ({ record: { prompts } }) => (typeof prompts === 'string' ? (PROMPTS[prompts] ?? []) : prompts),
    shardBytes: given.shardBytes ?? SHARD_BYTES,
    signal,
    progress: ({ record }) => terminal.stage(record.name, 'images'),
  })
  for (const { notes } of sets) for (const line of notes) terminal.note(line)
  const lines = sets.map(
    ({ set, images, bytes }) => `${formatCount(images).padStart(12)}  ${set} (${formatBytes(bytes)})`,
  )
  return { json: { sets }, lines }
}
