import { messageOf, printable, SkyscriptError, TOOL_VERSION } from '@skyscript/core'
import { CommanderError, Option as CommanderOption, Command as Program } from 'commander'
import type { Command, Option } from './command.ts'
import { COMMANDS } from './commands/index.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'

/**
 * The `skyscript` command. Data goes to stdout, messages to stderr.
 *
 * @returns the exit code
 */
export async function runCli(args: readonly string[]): Promise<number> {
  let code: number = EXIT.whole
  const program = createProgram((result) => {
    code = result
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    if (isClosedPipe(error)) return EXIT.whole
    // An error of ours has one sentence for the user; anything else is a bug, whose stack helps.
    const text = error instanceof SkyscriptError ? error.message : ((error as Error)?.stack ?? String(error))
    process.stderr.write(`skyscript: ${printable(messageOf(text))}\n`)
    return exitCodeOf(error)
  }
}

/** `skyscript extract … | head` closes our stdout: nothing is wrong. */
const isClosedPipe = (error: unknown): boolean => (error as NodeJS.ErrnoException)?.code === 'EPIPE'

function createProgram(done: (code: number) => void): Program {
  const program = new Program('skyscript')
    .description('Regenerates the SkyScript image-text dataset for any region.')
    .version(TOOL_VERSION)
    .exitOverride()
    // An option belongs to the command before it: `tags` and `tags train` both have --model.
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for usage)')
  for (const command of COMMANDS) add(program, command, done)
  return program
}

function add(program: Program, command: Command, done: (code: number) => void): void {
  const names = command.name.split(' ')
  const parent = names.slice(0, -1).reduce((at, name) => at.commands.find((each) => each.name() === name)!, program)
  const made = parent.command(names.at(-1)!).description(command.description).exitOverride().enablePositionalOptions()
  for (const { usage, description } of Object.values(command.arguments)) made.argument(usage, description)
  for (const option of Object.values(command.options)) for (const each of commanderOptions(option)) made.addOption(each)
  made.action(async (...given: unknown[]) => {
    const values = given.slice(0, Object.keys(command.arguments).length)
    const named = Object.fromEntries(Object.keys(command.arguments).map((key, i) => [key, values[i]]))
    const options = { ...emptyLists(command.options), ...named, ...made.opts<Record<string, unknown>>() }
    done((await command.run(options as never)) ?? EXIT.whole)
  })
}

function commanderOptions(option: Option<unknown>): CommanderOption[] {
  const { flags, description, kind, opposite, env } = option
  const made = new CommanderOption(flags, description)
  if (kind !== null) {
    const isList = option.repeatable === true || made.variadic
    let given = false
    made.argParser((text: string, before: unknown) => {
      const value = kind.parse(text)
      if (!isList) return value
      // The first value takes the place of the default.
      const list = given ? (before as unknown[]) : []
      given = true
      return [...list, value]
    })
    // Only shown: the parser above checks.
    if (kind.choices !== undefined) made.argChoices = [...kind.choices]
  }
  if (option.default !== undefined && !isEmptyList(option.default))
    made.default(option.default, Array.isArray(option.default) ? option.default.join(',') : undefined)
  if (option.required) made.makeOptionMandatory()
  if (env !== undefined) made.env(env)
  return opposite === undefined ? [made] : [made, new CommanderOption(opposite.flags, opposite.description)]
}

const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0

/** Lists that are empty by default, which the help need not show. */
const emptyLists = (options: Command['options']) =>
  Object.fromEntries(Object.entries(options).flatMap(([key, of]) => (isEmptyList(of.default) ? [[key, []]] : [])))
