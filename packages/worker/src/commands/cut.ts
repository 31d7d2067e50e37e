import { formatCount } from '@skyscript/core'
import { argument, defineCommand, jsonOption, option } from '../command.ts'

export const cut = defineCommand({
  name: 'cut',
  description: 'rank, cut and split again from stored scores, without a model',
  arguments: { output: argument('<output>', 'folder or s3:// URL of a dataset') },
  options: {
    config: option(
      '--config <file>',
      'take name, filter, benchmarks and seed from a region file, or a file with only these (default: those of the last build)',
    ),
    json: jsonOption,
  },
  async run({ output, config, json }) {
    const { readCutSettings } = await import('../region.ts')
    const { owning } = await import('../runs/interruptible.ts')
    const { openDataset } = await import('../storages/storages.ts')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const { optionsClaim } = await import('@skyscript/pipeline/ownership')
    const terminal = openTerminal()
    const storage = await openDataset(output)
    const settings = config === undefined ? null : { file: config, from: await readCutSettings(config) }
    const { name, filter, benchmarks, seed } = settings?.from ?? {}
    const claim = optionsClaim('cut', settings && [name, filter, seed, ...(benchmarks ? [benchmarks] : [])])
    const { lock, changes } = await owning(storage, claim, terminal, async (signal) => {
      const { cutAgain } = await import('../runs/cut-again.ts')
      return cutAgain({ storage, terminal, signal }, settings)
    })
    if (json) process.stdout.write(`${JSON.stringify(lock)}\n`)
    else
      for (const [path, rows] of Object.entries(lock.rows))
        process.stdout.write(`${formatCount(rows).padStart(12)}  ${path}\n`)
    for (const note of lock.notes) terminal.note(note)
    if (changes !== null && !changes.first) {
      const { pairsLine } = await import('@skyscript/dataset/diff')
      terminal.note(`Changed: ${pairsLine(changes)}; details: changes.json`)
    }
  },
})
