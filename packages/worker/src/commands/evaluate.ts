import { DEVICES, InputError } from '@skyscript/core'
import {
  defineCommand,
  flag,
  jsonOption,
  leastValue,
  oneOf,
  option,
  positiveInteger,
  repeatable,
  required,
  webAddress,
  withDefault,
} from '../command.ts'
import { MODEL } from '../tag-options.ts'

const CLASSIFY = ['top1', 'top5']
const BINARY = ['f1', 'precision', 'recall', 'average_precision']
const DIRECTIONS = ['image_to_text', 'text_to_image']

const DEFAULTS = { labelColumn: 'label', prompts: 'SkyScript_cls', captionColumn: 'title_multi_objects' }

export const evaluate = defineCommand({
  name: 'evaluate',
  description: 'measure a CLIP on a benchmark: zero-shot classification, or retrieval of images and texts',
  arguments: {},
  options: {
    model: required(option('--model <folder>', MODEL)),
    classify: option('--classify <csv>', 'CSV with filepath and a label: zero-shot classification'),
    classes: option('--classes <file>', 'with --classify: class names, one a line'),
    labelColumn: option('--label-column <name>', `column with the class name (default: ${DEFAULTS.labelColumn})`),
    binaryColumn: option('--binary-column <name>', 'column with 0 or 1: whether an image shows the only class'),
    prompts: option(
      '--prompts <name>',
      `a data set of the original, for its prompts, or a file of prompts with {c} (default: ${DEFAULTS.prompts})`,
    ),
    retrieve: option('--retrieve <csv>', 'CSV with filepath and captions: retrieval in both directions'),
    captionColumn: option('--caption-column <name>', `column with a caption (default: ${DEFAULTS.captionColumn})`),
    captionPrefix: option('--caption-prefix <text>', 'text put before each caption (default: none)'),
    root: option('--root <folder>', "folder that paths are relative to (default: the CSV's folder)"),
    skipMissing: flag('--skip-missing', 'leave out rows that cannot be used, such as those of missing images'),
    bootstrap: option('--bootstrap <n>', 'add 95 % intervals from n resamplings, such as 1000', positiveInteger),
    confusion: option('--confusion <csv>', 'with --classify: file to write with the confusion matrix'),
    atLeast: repeatable(
      option('--at-least <name=value>', 'exit with 1 if a figure of the result is lower; repeatable', leastValue),
    ),
    device: withDefault(option('--device <name>', 'where the model runs', oneOf(DEVICES)), 'cpu'),
    batch: option('--batch <n>', 'images per model run (default: measured)', positiveInteger),
    server: option('--server <url>', 'server that runs the model (Open Inference Protocol v2)', webAddress),
    vision: withDefault(option('--vision <name>', "the server's image model"), 'vision_model'),
    text: withDefault(option('--text <name>', "the server's caption model"), 'text_model'),
    json: jsonOption,
  },
  async run({ model, device, batch, server, vision, text, atLeast, json, ...given }) {
    const { classify, retrieve, classes, binaryColumn, root, skipMissing = false, bootstrap, confusion } = given
    checkTogether(given)
    const { accuracyText, detectionText, RANKS, retrievalText } = await import('@skyscript/benchmark')
    const recalls = () => DIRECTIONS.flatMap((direction) => RANKS.map((k) => `${direction}.R@${k}`))
    const figures = retrieve !== undefined ? recalls() : binaryColumn !== undefined ? BINARY : CLASSIFY
    for (const { name } of atLeast)
      if (!figures.includes(name))
        throw new InputError('usage', `--at-least ${name}: it must be one of ${figures.join(', ')}.`)

    const { openDualEncoder } = await import('@skyscript/filter')
    const { modelOptions } = await import('@skyscript/pipeline/files')
    const { evaluateClasses, evaluateDetection, evaluateRetrieval } = await import('../evaluate/evaluate.ts')
    const { downloadProgress, openTerminal } = await import('../terminal/open-terminal.ts')
    const { writeAll } = await import('../terminal/json-lines.ts')
    const terminal = openTerminal()
    const openEncoder = () =>
      openDualEncoder({
        ...modelOptions(model, { progress: downloadProgress(terminal) }),
        name: 'evaluate',
        device,
        batch: batch ?? null,
        server: server === undefined ? null : { url: server, vision, text },
      })
    const evaluated = { csv: (classify ?? retrieve)!, root, skipMissing, openEncoder, terminal }
    const { labelColumn, prompts, captionColumn } = { ...DEFAULTS, ...definedIn(given) }
    const outcome = async () => {
      if (retrieve !== undefined) {
        const { captionPrefix = '' } = given
        const done = await evaluateRetrieval(evaluated, { captionColumn, captionPrefix, bootstrap })
        return { ...done, shown: retrievalText(done.result) }
      }
      if (binaryColumn !== undefined) {
        const done = await evaluateDetection(evaluated, { classList: classes!, binaryColumn, prompts })
        return { ...done, shown: detectionText(done.result) }
      }
      const options = { classList: classes!, labelColumn, prompts, bootstrap, confusion }
      const done = await evaluateClasses(evaluated, options)
      return { ...done, shown: accuracyText(done.result) }
    }
    const { result, skipped, shown } = await outcome()
    const printed = json ? `${JSON.stringify(skipMissing ? { ...result, skipped } : result)}\n` : shown
    await writeAll(process.stdout, printed)
    const low = atLeast.filter(({ name, least }) => !(figureOf(result, name) >= least))
    for (const { name, least } of low) terminal.warn(`${name} is ${figureOf(result, name)}, below ${least}`)
    return low.length === 0 ? 0 : 1
  },
})

interface Together {
  readonly classify: string | undefined
  readonly retrieve: string | undefined
  readonly classes: string | undefined
  readonly labelColumn: string | undefined
  readonly binaryColumn: string | undefined
  readonly prompts: string | undefined
  readonly captionColumn: string | undefined
  readonly captionPrefix: string | undefined
  readonly bootstrap: number | undefined
  readonly confusion: string | undefined
}

/** @throws InputError for options that don't go together */
function checkTogether(given: Together): void {
  const { classify, retrieve } = given
  if ((classify === undefined) === (retrieve === undefined))
    throw new InputError('usage', 'Give either --classify or --retrieve with a CSV.')
  if (classify !== undefined && given.classes === undefined)
    throw new InputError('usage', '--classify needs --classes with the file of class names.')
  const others = {
    ...(classify === undefined && {
      '--classes': given.classes,
      '--label-column': given.labelColumn,
      '--binary-column': given.binaryColumn,
      '--prompts': given.prompts,
      '--confusion': given.confusion,
    }),
    ...(retrieve === undefined && {
      '--caption-column': given.captionColumn,
      '--caption-prefix': given.captionPrefix,
    }),
  }
  const besideBinary = {
    '--label-column': given.labelColumn,
    '--bootstrap': given.bootstrap,
    '--confusion': given.confusion,
  }
  const givenOf = (options: object) => Object.entries(options).find(([, value]) => value !== undefined)?.[0]
  const other = givenOf(others)
  const needless = other ?? (given.binaryColumn === undefined ? undefined : givenOf(besideBinary))
  if (needless === undefined) return
  const mode = retrieve !== undefined ? '--retrieve' : other === undefined ? '--binary-column' : '--classify'
  throw new InputError('usage', `${needless} has no effect with ${mode}; remove it.`)
}

/** Without the keys whose value is undefined. */
const definedIn = <T extends object>(given: T) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }

/** The number at `image_to_text.R@1`. */
function figureOf(result: object, name: string): number {
  let value: unknown = result
  for (const key of name.split('.')) value = (value as Record<string, unknown>)[key]
  return value as number
}
