import { resolve } from 'node:path'
import { BENCHMARK_SETS, formatCounted, InputError } from '@skyscript/core'
import {
  argument,
  defineCommand,
  flag,
  jsonOption,
  listOf,
  option,
  positiveInteger,
  repeatable,
  wholeNumberFrom,
} from '../command.ts'

export const benchmark = defineCommand({
  name: 'benchmark',
  description: 'make benchmark sets of pairs that are held out: zero-shot classification and retrieval',
  arguments: { output: argument('<output>', 'folder or s3:// URL of a dataset') },
  options: {
    config: option(
      '--config <file>',
      'take benchmarks, and what cut takes, from a region file (default: those of the last build)',
    ),
    sets: option('--sets <names>', `which sets to make (default: ${BENCHMARK_SETS.join(',')})`, listOf(BENCHMARK_SETS)),
    perClass: option('--per-class <n>', 'images of every class (default: 100)', wholeNumberFrom(1, 100_000)),
    allClasses: flag('--all-classes', 'list all classes of a set, also those without images'),
    retrieval: option('--retrieval <n>', 'largest number of pairs for retrieval (default: 30000)', positiveInteger),
    own: repeatable(option('--own <name=csv>', 'a set of your own: its name and table of classes; repeatable')),
    json: jsonOption,
  },
  async run({ output, config, own, json, ...given }) {
    const { parseBenchmarkSettings } = await import('@skyscript/core/config')
    const { readCutSettings } = await import('../region.ts')
    const { owning } = await import('../runs/interruptible.ts')
    const { openDataset } = await import('../storages/storages.ts')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const { writeAll } = await import('../terminal/json-lines.ts')
    const { optionsClaim } = await import('@skyscript/pipeline/ownership')
    const terminal = openTerminal()
    const storage = await openDataset(output)
    const settings = config === undefined ? null : { file: config, from: await readCutSettings(config) }
    const changed = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    const tables = own.map(ownSetOf)
    const claim = optionsClaim('benchmark', { settings, changed, tables })
    const { lock } = await owning(storage, claim, terminal, async (signal) => {
      const { readBenchmarks } = await import('@skyscript/pipeline')
      const { cutAgain } = await import('../runs/cut-again.ts')
      const defaults = await readBenchmarks(parseBenchmarkSettings({ own: tables }))
      return cutAgain({ storage, terminal, signal }, settings, (state) => {
        const former = state.config.benchmarks ?? defaults!
        const isGiven = ({ name }: { readonly name: string }) =>
          tables.some((table) => table.name.toLowerCase() === name.toLowerCase())
        const kept = former.own.filter((set) => !isGiven(set))
        const benchmarks = { ...former, ...changed, own: [...kept, ...defaults!.own] }
        return { ...state, config: { ...state.config, benchmarks } }
      })
    })
    const sets = Object.entries(lock.benchmarks ?? {})
    const lines = sets.map(([folder, { images, classes }]) => {
      const what = classes === 0 ? 'retrieval' : formatCounted(classes, 'class', 'classes')
      return `${formatCounted(images, 'image').padStart(18)}  ${what.padEnd(12)}  ${folder}\n`
    })
    const notes = lock.notes.filter((note) => note.startsWith('Benchmark set'))
    await writeAll(process.stdout, json ? `${JSON.stringify({ sets: lock.benchmarks, notes })}\n` : lines.join(''))
    for (const note of notes) terminal.note(note)
    if (settings === null && sets.length > 0)
      terminal.note(
        'To keep these sets in the next build, add the same settings to its region file, under benchmarks:.',
      )
    return sets.length > 0 ? 0 : 1
  },
})

function ownSetOf(text: string): { readonly name: string; readonly classes: string } {
  const [name = '', ...file] = text.split('=')
  if (name === '' || file.join('=') === '')
    throw new InputError('usage', `--own ${text}: give a name and a CSV file, such as crops=crops.csv.`)
  return { name, classes: resolve(file.join('=')) }
}
