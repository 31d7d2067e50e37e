import { InputError } from '@skyscript/core'

/** What is measured. */
export type Mode = 'classify' | 'binary' | 'retrieve' | 'benchmarks' | 'compare' | 'byCut'

const FLAGS: Readonly<Record<Mode, string>> = {
  classify: '--classify',
  binary: '--binary-column',
  retrieve: '--retrieve',
  benchmarks: '--benchmarks',
  compare: '--compare',
  byCut: '--by-cut',
}

const ONE_MODEL = ['classify', 'binary', 'retrieve', 'benchmarks', 'byCut'] as const

/** Where options that not every mode has make a difference. */
const EFFECTS = {
  classes: ['classify', 'binary'],
  labelColumn: ['classify'],
  binaryColumn: ['binary'],
  prompts: ['classify', 'binary'],
  confusion: ['classify'],
  perQuery: ['classify', 'retrieve'],
  probe: ['classify'],
  trainCsv: ['classify'],
  shots: ['classify'],
  captionColumn: ['retrieve', 'byCut'],
  captionPrefix: ['retrieve', 'byCut'],
  scorer: ['byCut'],
  root: ['classify', 'binary', 'retrieve'],
  bootstrap: ['classify', 'retrieve', 'benchmarks', 'compare', 'byCut'],
  set: ['benchmarks', 'compare'],
  allowTraining: ['classify', 'binary', 'retrieve'],
  training: ['classify', 'binary', 'retrieve', 'benchmarks', 'compare'],
  save: ['benchmarks', 'compare'],
  format: ['compare'],
  model: ONE_MODEL,
  server: ONE_MODEL,
} as const satisfies Record<string, readonly Mode[]>

type Limited = keyof typeof EFFECTS

type Given = { readonly [K in Limited | 'classify' | 'retrieve' | 'benchmarks' | 'byCut']: unknown } & {
  readonly compare: readonly string[]
  readonly json: boolean
}

/** @throws InputError for options that don't go together */
export function modeOf(given: Given): Mode {
  const mode = chosenMode(given)
  for (const key of Object.keys(EFFECTS) as Limited[]) {
    const value = given[key]
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    const modes: readonly Mode[] = EFFECTS[key]
    if (!modes.includes(mode))
      throw new InputError('usage', `${flagOf(key)} has no effect with ${FLAGS[mode]}; remove it.`)
  }
  if (given.classify !== undefined && given.classes === undefined)
    throw new InputError('usage', '--classify needs --classes with the file of class names.')
  if (given.probe !== undefined && given.trainCsv === undefined)
    throw new InputError('usage', '--probe needs --train-csv with images to learn from.')
  const ofProbe = (['trainCsv', 'shots'] as const).find((key) => given[key] !== undefined)
  if (given.probe === undefined && ofProbe !== undefined)
    throw new InputError('usage', `${flagOf(ofProbe)} has no effect without --probe; remove it.`)
  const besideProbe = (['prompts', 'perQuery'] as const).find((key) => given[key] !== undefined)
  if (given.probe !== undefined && besideProbe !== undefined)
    throw new InputError('usage', `${flagOf(besideProbe)} has no effect with --probe; remove it.`)
  if (given.json && given.format !== undefined && given.format !== 'json')
    throw new InputError('usage', `--json has no effect with --format ${given.format}; remove it.`)
  if (mode !== 'compare' && given.model === undefined) throw new InputError('usage', 'Name a model with --model.')
  return mode
}

function chosenMode({ classify, retrieve, benchmarks, byCut, compare, binaryColumn }: Given): Mode {
  if ([classify, retrieve, benchmarks, byCut].filter((each) => each !== undefined).length !== 1)
    throw new InputError(
      'usage',
      'Give exactly one of --classify <csv>, --retrieve <csv>, --benchmarks <folder> and --by-cut <output>.',
    )
  if (compare.length > 0 && benchmarks === undefined)
    throw new InputError('usage', '--compare needs --benchmarks with the folder of the sets.')
  if (benchmarks !== undefined) return compare.length > 0 ? 'compare' : 'benchmarks'
  if (byCut !== undefined) return 'byCut'
  if (retrieve !== undefined) return 'retrieve'
  return binaryColumn !== undefined ? 'binary' : 'classify'
}

/** `labelColumn` -> `--label-column`. */
const flagOf = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
