import { InputError } from '@skyscript/core'

/** What is measured. */
export type Mode = 'classify' | 'binary' | 'retrieve' | 'benchmarks'

const FLAGS: Readonly<Record<Mode, string>> = {
  classify: '--classify',
  binary: '--binary-column',
  retrieve: '--retrieve',
  benchmarks: '--benchmarks',
}

/** Where options that not every mode has make a difference. */
const EFFECTS = {
  classes: ['classify', 'binary'],
  labelColumn: ['classify'],
  binaryColumn: ['binary'],
  prompts: ['classify', 'binary'],
  confusion: ['classify'],
  captionColumn: ['retrieve'],
  captionPrefix: ['retrieve'],
  root: ['classify', 'binary', 'retrieve'],
  bootstrap: ['classify', 'retrieve', 'benchmarks'],
  set: ['benchmarks'],
} as const satisfies Record<string, readonly Mode[]>

type Limited = keyof typeof EFFECTS

type Given = { readonly [K in Limited | 'classify' | 'retrieve' | 'benchmarks']: unknown }

/** @throws InputError for options that don't go together */
export function modeOf(given: Given): Mode {
  const { classify, retrieve, benchmarks } = given
  if ([classify, retrieve, benchmarks].filter((each) => each !== undefined).length !== 1)
    throw new InputError('usage', 'Give one of --classify and --retrieve with a CSV, and --benchmarks with a folder.')
  const mode =
    benchmarks !== undefined
      ? 'benchmarks'
      : retrieve !== undefined
        ? 'retrieve'
        : given.binaryColumn !== undefined
          ? 'binary'
          : 'classify'
  for (const key of Object.keys(EFFECTS) as Limited[]) {
    const value = given[key]
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    const modes: readonly Mode[] = EFFECTS[key]
    if (!modes.includes(mode))
      throw new InputError('usage', `${flagOf(key)} has no effect with ${FLAGS[mode]}; remove it.`)
  }
  if (classify !== undefined && given.classes === undefined)
    throw new InputError('usage', '--classify needs --classes with the file of class names.')
  return mode
}

/** `labelColumn` -> `--label-column`. */
const flagOf = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
