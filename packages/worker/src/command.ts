/**
 * What a command of `skyscript` is: one file that declares its arguments and options and does the work. The command line,
 * its help and docs/reference/commands.md are made from these declarations.
 */
import { type Box, type Position, parseInstant } from '@skyscript/core'
import { InvalidArgumentError } from 'commander'

/** What one command takes from the command line, and what it does. */
export interface Command {
  /** `score`; a blank makes a subcommand: `tags train`. */
  readonly name: string
  /** One line for the list of commands. */
  readonly description: string
  readonly arguments: Readonly<Record<string, Argument<unknown>>>
  readonly options: Readonly<Record<string, Option<unknown>>>
  /**
   * Gets every argument and option by its key. Loads what it needs when it is called: a declaration that imports a large
   * module would slow all other commands down.
   *
   * @returns a code of EXIT; none is EXIT.whole
   */
  readonly run: (given: never) => Promise<number | undefined>
}

/** A positional argument. */
export interface Argument<T> {
  /** As in a usage line: `<output>`, `[region.yaml]`, `<file...>`. */
  readonly usage: string
  readonly description: string
  /** Only its type counts. */
  readonly value?: T
}

/** An option; its key is its flag in camel case. */
export interface Option<T> {
  /** As in the help: `--clip <w,s,e,n>`, or `--json` without a value. */
  readonly flags: string
  readonly description: string
  readonly kind: ValueKind<unknown> | null
  readonly default?: T
  readonly required?: true
  /** May be given several times; the value is a list. */
  readonly repeatable?: true
  /** An environment variable that sets it. */
  readonly env?: string
  /** The flag that says the opposite: `--no-probe`. */
  readonly opposite?: { readonly flags: string; readonly description: string }
  readonly value?: T
}

/** How the text of an option becomes its value. */
export interface ValueKind<T> {
  /** @throws InvalidArgumentError */
  parse(text: string): T
  readonly choices?: readonly string[]
}

type ValuesOf<P> = { readonly [K in keyof P]: P[K] extends Argument<infer T> | Option<infer T> ? T : never }

/** What `run` gets. */
export type Given<A, O> = ValuesOf<A> & ValuesOf<O>

/** Types what `run` gets by the declaration. */
export function defineCommand<
  A extends Readonly<Record<string, Argument<unknown>>>,
  O extends Readonly<Record<string, Option<unknown>>>,
>(command: {
  readonly name: string
  readonly description: string
  readonly arguments: A
  readonly options: O
  readonly run: (given: Given<A, O>) => Promise<number | undefined>
}): Command {
  return command
}

export const argument = (usage: `<${string}>`, description: string): Argument<string> => ({ usage, description })

export const optionalArgument = (usage: `[${string}]`, description: string): Argument<string | undefined> => ({
  usage,
  description,
})

/** One or more. */
export const argumentList = (usage: `<${string}...>`, description: string): Argument<readonly string[]> => ({
  usage,
  description,
})

export const flag = (flags: string, description: string): Option<boolean | undefined> => ({
  flags,
  description,
  kind: null,
})

const anyText: ValueKind<string> = { parse: (value) => value }

/** Undefined where it is not given. */
export function option(flags: string, description: string): Option<string | undefined>
export function option<T>(flags: string, description: string, kind: ValueKind<T>): Option<T | undefined>
export function option(flags: string, description: string, kind: ValueKind<unknown> = anyText): Option<unknown> {
  return { flags, description, kind }
}

type Present<T> = Exclude<T, undefined>

export const required = <T>(of: Option<T>): Option<Present<T>> =>
  ({ ...of, required: true }) as unknown as Option<Present<T>>

export const withDefault = <T>(of: Option<T>, value: Present<T>): Option<Present<T>> =>
  ({ ...of, default: value }) as unknown as Option<Present<T>>

/** Empty where it is not given. */
export const repeatable = <T>(of: Option<T>): Option<readonly Present<T>[]> =>
  ({ ...of, default: [], repeatable: true }) as unknown as Option<readonly Present<T>[]>

/** One flag, several values after it: `--features a b c`. Empty where it is not given. */
export const severalTexts = (flags: `--${string} <${string}...>`, description: string): Option<readonly string[]> => ({
  flags,
  description,
  kind: anyText,
  default: [],
})

/** Options that several commands have. */
export const jsonOption = flag('--json', 'print the result as JSON on stdout')

function kind<T>(read: (text: string) => T | undefined, must: string): ValueKind<T> {
  return {
    parse(text) {
      const value = read(text)
      if (value === undefined) throw new InvalidArgumentError(`It must be ${must}.`)
      return value
    },
  }
}

const wholeNumber = (least: number, most: number) => (text: string) => {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

export const positiveInteger = kind(wholeNumber(1, 999_999), 'a whole number, 1 or more')
export const nonNegativeInteger = kind(wholeNumber(0, 999_999_999), 'a whole number, 0 or more')
export const byteCount = kind(wholeNumber(1, 999_999_999_999_999), 'a whole number of bytes')
export const port = kind(wholeNumber(0, 65_535), 'a port number, 0 to 65535')
export const wholeNumberFrom = (least: number, most: number): ValueKind<number> =>
  kind(wholeNumber(least, most), `a whole number, ${least} to ${most}`)

export const positiveNumber = kind((text) => {
  const value = Number(text)
  return value > 0 && Number.isFinite(value) ? value : undefined
}, 'a number above 0')

const MILLISECONDS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds. */
export const duration = kind((text) => {
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  return Number(number) > 0 ? Number(number) * MILLISECONDS[unit!]! : undefined
}, 'a time such as 30m, 6h or 1d')

export const webAddress = kind(
  (text) => (/^https?:\/\/\S+$/.test(text) && URL.canParse(text) ? text : undefined),
  'an http(s) URL',
)

export const isoDate = kind((text) => {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text) ? text : undefined
}, 'a date, YYYY-MM-DD')

export const instant = kind(
  (text) => parseInstant(text) ?? undefined,
  'a date such as 2023-05-01, or a time with its zone such as 2023-05-01T12:00:00Z',
)

function boxOf(text: string): Box | undefined {
  const [west, south, east, north, ...rest] = text.split(',').map(Number)
  const within = (value: number | undefined, limit: number) => value !== undefined && Math.abs(value) <= limit
  const ok = within(west, 180) && within(south, 90) && within(east, 180) && within(north, 90)
  if (!ok || rest.length > 0 || west === east || south! >= north!) return undefined
  return [west!, south!, east!, north!]
}

const A_BOX = 'west,south,east,north in degrees; west > east crosses 180 degrees'

/** West, south, east, north in degrees. */
export const clipBox = kind(boxOf, A_BOX)

/** A box, or a word or path; only a text of numbers can be wrong. */
export const boxOrText = kind<Box | string>((text) => (/^[-\d.,\s]*$/.test(text) ? boxOf(text) : text), A_BOX)

/** Longitude and latitude in degrees. */
export const position = kind((text): Position | undefined => {
  const [longitude, latitude, ...rest] = text.split(',').map(Number)
  const ok = Math.abs(longitude!) <= 180 && Math.abs(latitude ?? Number.NaN) <= 90 && rest.length === 0
  return ok ? [longitude!, latitude!] : undefined
}, 'longitude,latitude in degrees, such as 2.35,48.86')

export const oneOf = <T extends string>(choices: readonly T[]): ValueKind<T> => ({
  choices,
  parse(text) {
    const found = choices.find((choice) => choice === text)
    if (found === undefined) throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`)
    return found
  },
})

/** A list with commas between, `plan,fetch`. */
export const listOf = <T extends string>(choices: readonly T[]): ValueKind<readonly T[]> => ({
  choices,
  parse: (text) => text.split(',').map((name) => oneOf(choices).parse(name.trim())),
})

/** The lowest value that a figure of a result may have. */
export interface LeastValue {
  readonly name: string
  readonly least: number
}

export const leastValue = kind((text): LeastValue | undefined => {
  const [, name, value] = /^(\S+)=([\d.]+)$/.exec(text) ?? []
  const least = Number(value)
  return name !== undefined && least >= 0 && least <= 1 ? { name, least } : undefined
}, 'a figure and a share from 0 to 1, such as top1=0.5')

/** Texts with commas between. */
export const textList = kind((text) => {
  const texts = text.split(',').map((part) => part.trim())
  return texts.includes('') ? undefined : texts
}, 'a list with commas between')
