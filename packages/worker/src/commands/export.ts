import { InputError } from '@skyscript/core'
import { argument, defineCommand, jsonOption, type Option, oneOf, option, required } from '../command.ts'
import { FORMATS } from '../exports/index.ts'

export const exportDataset = defineCommand({
  name: 'export',
  description: `write a finished dataset in another form: ${FORMATS.map(({ name, description }) => `${description} (${name})`).join('; ')}`,
  arguments: { output: argument('<output>', 'folder or s3:// URL of a dataset') },
  options: {
    format: required(option('--format <format>', 'what to write', oneOf(FORMATS.map(({ name }) => name)))),
    to: option('--to <folder>', 'target folder or s3:// URL (default: export/<format> in the dataset)'),
    ...optionsOfFormats(),
    json: jsonOption,
  },
  async run({ output, json, ...given }) {
    const format = FORMATS.find(({ name }) => name === given.format)!
    refuseOthers(format.name, given)
    const { optionsClaim } = await import('@skyscript/pipeline/ownership')
    const { openFinished } = await import('@skyscript/dataset/export')
    const { openTarget } = await import('../exports/target.ts')
    const { owning } = await import('../runs/interruptible.ts')
    const { openDataset } = await import('../storages/storages.ts')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const terminal = openTerminal()
    const storage = await openDataset(output)
    const target = await openTarget(storage, format.name, given.to)
    const isWithin = target.url === storage.url || target.url.startsWith(`${storage.url.replace(/\/$/, '')}/`)
    const claim = isWithin ? optionsClaim('export', given) : null
    const exported = await owning(storage, claim, terminal, async (signal) =>
      format.run({ dataset: await openFinished(storage), target, terminal, signal }, given as never),
    )
    if (json) process.stdout.write(`${JSON.stringify({ format: format.name, target: target.url, ...exported.json })}\n`)
    else process.stdout.write(`${[target.url, ...exported.lines].join('\n')}\n`)
  },
})

/** Each option once; its description begins with the formats that have it. */
function optionsOfFormats(): Record<string, Option<unknown>> {
  const keys = [...new Set(FORMATS.flatMap(({ options }) => Object.keys(options)))]
  return Object.fromEntries(
    keys.map((key) => {
      const having = FORMATS.filter(({ options }) => key in options)
      const declared = having[0]!.options[key]!
      return [
        key,
        { ...declared, description: `${having.map(({ name }) => name).join(', ')}: ${declared.description}` },
      ]
    }),
  )
}

/** An option without effect is refused rather than ignored. */
function refuseOthers(format: string, given: Readonly<Record<string, unknown>>): void {
  const own = FORMATS.find(({ name }) => name === format)!.options
  const others = Object.entries(optionsOfFormats()).filter(([key]) => !(key in own))
  for (const [key, { flags }] of others) {
    const value = given[key]
    if (value !== undefined && !(Array.isArray(value) && value.length === 0))
      throw new InputError('bad-option', `${flags.split(' ')[0]} has no effect with --format ${format}; remove it.`)
  }
}
