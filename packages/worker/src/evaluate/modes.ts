import { InputError } from '@skyscript/core'

/** What is measured. */
export type Mode = 'classify' | 'binary' | 'retrieve' | 'benchmarks' | 'byCut'

const FLAGS: Readonly<Record<Mode, string>> = {
  classify: '--classify',
  binary: '--binary-column',
  retrieve: '--retrieve',
  benchmarks: '--benchmarks',
  byCut: '--by-cut',
}

/** Where options that not every mode has make a difference. */
const EFFECTS = {
  classes: ['classify', 'binary'],
  labelColumn: ['classify'],
  binaryColumn: ['binary'],
  prompts: ['classify', 'binary'],
  confusion: ['classify'],
  captionColumn: ['retrieve', 'byCut'],
  captionPrefix: ['retrieve', 'byCut'],
  scorer: ['byCut'],
  root: ['classify', 'binary', 'retrieve'],
  bootstrap: ['classify', 'retrieve', 'benchmarks', 'byCut'],
  set: ['benchmarks'],
} as const satisfies Record<string, readonly Mode[]>

type Limited = keyof typeof EFFECTS

type Given = { readonly [K in Limited | 'classify' | 'retrieve' | 'benchmarks' | 'byCut']: unknown }

/** @throws InputError for options that don't go together */
export function modeOf(given: Given): Mode {
  const { classify, retrieve, benchmarks, byCut } = given
  if ([classify, retrieve, benchmarks, byCut].filter((each) => each !== undefined).length !== 1)
    throw new InputError(
      'usage',
      'Give one of --classify and --retrieve with a CSV, --benchmarks with a folder, and --by-cut with a dataset.',
    )
  const mode =
    benchmarks !== undefined
      ? 'benchmarks'
      : byCut !== undefined
        ? 'byCut'
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
