import { DEVICES } from '@skyscript/core'
import {
  defineCommand,
  flag,
  jsonOption,
  leastValue,
  oneOf,
  option,
  positiveInteger,
  repeatable,
  severalTexts,
  webAddress,
  wholeNumberFrom,
  withDefault,
} from '../command.ts'
import { MODEL } from '../tag-options.ts'

const FORMATS = ['markdown', 'csv', 'json'] as const

const DEFAULTS = {
  labelColumn: 'label',
  prompts: 'SkyScript_cls',
  captionColumn: 'title_multi_objects',
  captionPrefix: '',
  shots: 16,
}

export const evaluate = defineCommand({
  name: 'evaluate',
  description: 'measure a CLIP on benchmarks: zero-shot classification, or retrieval of images and texts',
  arguments: {},
  options: {
    model: option('--model <folder>', MODEL),
    benchmarks: option(
      '--benchmarks <folder>',
      'measure every set below a folder: those of a dataset, of the original, of CLIP_benchmark',
    ),
    set: severalTexts('--set <name...>', 'with --benchmarks: only these sets'),
    save: option('--save <output>', 'with --benchmarks: dataset to save results beside, in evaluations.json'),
    byCut: option('--by-cut <output>', 'retrieval among the best 20, 30 and 50 % of the test pairs of a dataset'),
    scorer: option('--scorer <name>', 'with --by-cut: scorer that ranks the pairs (default: the first)'),
    compare: severalTexts(
      '--compare <model...>',
      'with --benchmarks: models side by side; <model>@<url> for one on a server',
    ),
    format: option('--format <format>', 'with --compare: markdown (default), csv, json', oneOf(FORMATS)),
    classify: option('--classify <csv>', 'CSV with filepath and a label: zero-shot classification'),
    classes: option('--classes <file>', 'with --classify: class names, one a line'),
    labelColumn: option('--label-column <name>', `column with the class name (default: ${DEFAULTS.labelColumn})`),
    binaryColumn: option('--binary-column <name>', 'column with 0 or 1: whether an image shows the only class'),
    prompts: option(
      '--prompts <name>',
      `a data set of the original, for its prompts, or a file of prompts with {c} (default: ${DEFAULTS.prompts})`,
    ),
    probe: flag(
      '--probe',
      'with --classify: logistic regression on the embeddings of --train-csv, in place of prompts',
    ),
    trainCsv: option('--train-csv <csv>', 'with --probe: CSV like that of --classify, with images to learn from'),
    shots: option(
      '--shots <n>',
      `with --probe: most images of each class (default: ${DEFAULTS.shots})`,
      wholeNumberFrom(2, 999_999),
    ),
    retrieve: option('--retrieve <csv>', 'CSV with filepath and captions: retrieval in both directions'),
    captionColumn: option('--caption-column <name>', `column with a caption (default: ${DEFAULTS.captionColumn})`),
    captionPrefix: option('--caption-prefix <text>', 'text put before each caption (default: none)'),
    root: option('--root <folder>', "folder that paths are relative to (default: the CSV's folder)"),
    skipMissing: flag('--skip-missing', 'leave out rows that cannot be used, such as those of missing images'),
    training: option(
      '--training <output>',
      'dataset that the model was trained on: stop if its training images are in a set',
    ),
    allowTraining: flag(
      '--allow-training',
      'measure also on files of training pairs, and do not warn of training images',
    ),
    bootstrap: option('--bootstrap <n>', 'add 95 % intervals from n resamplings, such as 1000', positiveInteger),
    confusion: option('--confusion <csv>', 'with --classify: file to write with the confusion matrix'),
    perQuery: option(
      '--per-query <csv>',
      'file to write with the rank of the first right answer to each query, and the best answers',
    ),
    atLeast: repeatable(
      option('--at-least <name=value>', 'exit with 1 if a figure of the result is lower; repeatable', leastValue),
    ),
    device: withDefault(option('--device <name>', 'where the model runs', oneOf(DEVICES)), 'cpu'),
    batch: option('--batch <n>', 'images per model run (default: measured)', positiveInteger),
    server: option('--server <url>', 'server that runs the model (Open Inference Protocol v2)', webAddress),
    vision: withDefault(option('--vision <name>', "the server's image model"), 'vision_model'),
    text: withDefault(option('--text <name>', "the server's caption model"), 'text_model'),
    cache: flag('--no-cache', 'neither use nor keep embeddings of images in the cache'),
    json: jsonOption,
  },
  async run({ device, batch, vision, text, cache = true, json = false, skipMissing = false, ...given }) {
    const { modeOf } = await import('../evaluate/modes.ts')
    const mode = modeOf({ ...given, json })
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const { comparedModels, modelsWith } = await import('../evaluate/open-model.ts')
    const terminal = openTerminal()
    const how = { device, batch, vision, text, cache, terminal }
    if (mode === 'compare') {
      const { runCompare } = await import('../evaluate/run-benchmarks.ts')
      const models = comparedModels(given.compare, how)
      const format = given.format ?? (json ? 'json' : 'markdown')
      return runCompare({ ...given, benchmarks: given.benchmarks!, models, format, skipMissing, terminal })
    }
    const withModel = modelsWith({ ...how, model: given.model!, server: given.server })
    const options = { ...given, skipMissing, json, terminal, withModel }
    if (mode === 'benchmarks') {
      const { runBenchmarks } = await import('../evaluate/run-benchmarks.ts')
      return runBenchmarks({ ...options, benchmarks: given.benchmarks! })
    }
    if (mode === 'byCut') {
      const { runByCut } = await import('../evaluate/run-by-cut.ts')
      return runByCut({
        ...options,
        byCut: given.byCut!,
        captionColumn: given.captionColumn ?? DEFAULTS.captionColumn,
        captionPrefix: given.captionPrefix ?? DEFAULTS.captionPrefix,
      })
    }
    const { runSingle } = await import('../evaluate/run-single.ts')
    return runSingle({
      ...options,
      allowTraining: given.allowTraining ?? false,
      probe: given.probe ?? false,
      shots: given.shots ?? DEFAULTS.shots,
      labelColumn: given.labelColumn ?? DEFAULTS.labelColumn,
      prompts: given.prompts ?? DEFAULTS.prompts,
      captionColumn: given.captionColumn ?? DEFAULTS.captionColumn,
      captionPrefix: given.captionPrefix ?? DEFAULTS.captionPrefix,
    })
  },
})
