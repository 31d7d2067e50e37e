import {
  type Box,
  DEVICES,
  LABELS,
  messageOf,
  printable,
  ServiceError,
  SkyscriptError,
  TOOL_VERSION,
} from '@skyscript/core'
import { STAGES, type StageName } from '@skyscript/pipeline/runner'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { CaptionOptions } from './commands/caption.ts'
import type { ExportOptions } from './commands/export.ts'
import type { LocalEarthEngineCommandOptions } from './commands/local-earth-engine.ts'
import type { PlanOptions } from './commands/plan.ts'
import type { ScoreOptions } from './commands/score.ts'
import type { TagsOptions } from './commands/tags.ts'
import type { TagsCoverageOptions } from './commands/tags-coverage.ts'
import type { TagsTrainOptions } from './commands/tags-train.ts'
import type { WorkerOptions } from './commands/worker.ts'

/** Exit codes: the dataset is whole, the command failed, the dataset lacks what failed jobs would have given. */
export const EXIT = { whole: 0, failed: 1, partial: 2 } as const

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
    // What we know has one sentence for the user; anything else is a fault of ours, so its stack helps.
    const text = error instanceof SkyscriptError ? error.message : ((error as Error)?.stack ?? String(error))
    process.stderr.write(`skyscript: ${printable(messageOf(new Error(text)))}\n`)
    return isOutage(error) ? EXIT.partial : EXIT.failed
  }
}

/** A service, or the files of a source of imagery, that can't be reached for now: the same command resumes. */
const isOutage = (error: unknown): boolean =>
  error instanceof ServiceError && (error.code === 'service-unavailable' || error.code.startsWith('imagery-'))

/** `skyscript extract … | head` closes our stdout: nothing is wrong. */
function isClosedPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException)?.code === 'EPIPE'
}

/** Commands are loaded when they are called: what one needs (onnxruntime, the S3 client) would slow all others down. */
function createProgram(done: (code: number) => void): Command {
  const program = new Command('skyscript')
    .description('Regenerates the SkyScript image-text dataset for any region.')
    .version(TOOL_VERSION)
    .exitOverride()
    // An option belongs to the command before it: `tags` and `tags train` both have --model.
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for what there is)')
  const json = () => new Option('--json', 'print the result as JSON on stdout')
  const labels = () =>
    new Option('--labels <set>', 'tags that can be seen, or also those that the original of 2023 let through').choices(
      LABELS,
    )

  program
    .command('build')
    .description('the whole pipeline: extract, select, plan, fetch, caption, score, assemble; goes on where it stopped')
    .argument('<region.yaml>', 'the region file')
    .addOption(json())
    .action(async (file: string, options: { json?: boolean }) =>
      done(await (await import('./commands/build.ts')).buildCommand(file, options)),
    )

  program
    .command('plan')
    .description('what a build would fetch, what it would take and cost')
    .argument('<region.yaml>', 'the region file')
    .option('--probe', 'ask for some 50 images to learn what they cost; done unasked where there are credentials')
    .option('--no-probe', 'ask for none')
    .addOption(json())
    .action(async (file: string, options: PlanOptions) =>
      done(await (await import('./commands/plan.ts')).planCommand(file, options)),
    )

  program
    .command('worker')
    .description('serve a queue')
    .requiredOption('--queue <url>', 'redis:// or rediss:// URL; or set SKYSCRIPT_QUEUE', process.env.SKYSCRIPT_QUEUE)
    .option('--stages <list>', `of ${STAGES.join(',')}`, stageList, [...STAGES])
    .option(
      '--concurrency <n>',
      'jobs of one stage at a time; 12 of fetch and 2 of others unless told',
      positiveInteger,
    )
    .option(
      '--output-root <prefix>',
      'serve only datasets in this folder or below this s3:// prefix (repeatable; default: any that a job names)',
      (root: string, before: readonly string[] = []) => [...before, root],
    )
    .action(async (options: WorkerOptions) => done(await (await import('./commands/worker.ts')).workerCommand(options)))

  program
    .command('extract')
    .description('objects of PBF files as GeoJSON text sequence lines; several files are read as one map')
    .argument('<file.osm.pbf...>')
    .option('--all-tagged', 'every tagged object, not only those that can be seen from above')
    .option('--clip <w,s,e,n>', 'only objects that meet this box, in degrees', clipBox)
    .option('--threads <n>', 'threads that read; as many as there are cores unless told', positiveInteger)
    .action(async (files: string[], options: { allTagged?: boolean; clip?: Box; threads?: number }) =>
      done(await (await import('./commands/extract.ts')).extractCommand(files, options)),
    )

  const tags = program
    .command('tags')
    .enablePositionalOptions()
    .description('{"key","value"} lines on stdin -> whether each tag can be seen, and to what GSD')
    .addOption(labels())
    .option('--tags <file>', 'a CSV file key,value,max_gsd that decides before the shipped tables')
    .option('--classifier <file>', 'weights of `tags train`, asked about tags that no table knows')
    .option('--model <folder>', "the CLIP of the classifier: a folder in the hub's layout, or a hub id")
    .action(async (options: TagsOptions) => done(await (await import('./commands/tags.ts')).tagsCommand(options)))

  tags
    .command('train')
    .description('a table of judged tags -> the weights of a classifier, and how well it does')
    .argument('<labels.csv>', 'key,value,max_gsd with an empty max_gsd for tags that are never seen')
    .requiredOption('--model <folder>', "a CLIP folder in the hub's layout, or a hub id")
    .option('--output <file>', 'where the weights go', 'tag-classifier.json')
    .option('--folds <n>', 'parts that the labels are split in to test each on the others', foldCount, 5)
    .option('--seed <n>', 'draws the parts', nonNegativeInteger, 51)
    .addOption(json())
    .action(async (file: string, options: TagsTrainOptions) =>
      done(await (await import('./commands/tags-train.ts')).tagsTrainCommand(file, options)),
    )

  tags
    .command('coverage')
    .description('what decides of the tags of OSM files, by key and by frequency, and which tags nothing knows')
    .argument('<file.osm.pbf...>')
    .addOption(labels())
    .option('--tags <file>', 'a CSV file key,value,max_gsd that decides before the shipped tables')
    .option('--top <n>', 'how many tags are the most frequent', positiveInteger, 1000)
    .addOption(json())
    .action(async (files: string[], options: TagsCoverageOptions) =>
      done(await (await import('./commands/tags-coverage.ts')).tagsCoverageCommand(files, options)),
    )

  program
    .command('caption')
    .description('{"center_tags":{},"surrounding_tags":[{}]} lines on stdin -> {"title","title_multi_objects"}')
    .option('--gsd <metres>', 'only tags that can be seen at this ground sampling distance', positiveNumber)
    .option('--all-tags', 'take every tag, seen from above or not')
    .addOption(labels())
    .option('--tags <file>', 'a CSV file key,value,max_gsd that decides before the shipped tables')
    .option('--rules <file>', 'a file that replaces the shipped caption tables')
    .option('--template <style>', 'skyscript, it-shows, or a file of a style of your own, with ./ in front')
    .option('--counts', 'say how many there are of like objects around')
    .option('--max-tokens <n>', 'keep captions within so many tokens, such as 77', positiveInteger)
    .option('--model <folder>', 'the CLIP whose tokenizer counts them')
    .action(async (options: CaptionOptions) =>
      done(await (await import('./commands/caption.ts')).captionCommand(options)),
    )

  program
    .command('score')
    .description('the rows of a CSV with filepath and title -> the same rows with a similarity column')
    .requiredOption('--model <folder>', "a CLIP folder in the hub's layout, or a hub id")
    .requiredOption(
      '--images <csv or folder>',
      'a CSV with paths relative to its own folder, or the folder of the images',
    )
    .option('--captions <csv>', 'the CSV, where --images is a folder')
    .addOption(new Option('--device <name>', 'where the model runs').choices(DEVICES).default('cpu'))
    .option('--batch <n>', 'images that go into the model at once; found by trying unless told', positiveInteger)
    .option('--server <url>', 'a server that runs the model (Open Inference Protocol v2)')
    .option('--vision <name>', "the server's model of images", 'vision_model')
    .option('--text <name>', "the server's model of captions", 'text_model')
    .action(async (options: ScoreOptions) => done(await (await import('./commands/score.ts')).scoreCommand(options)))

  program
    .command('cut')
    .description('redo ranking, cuts and splits from stored scores, without a model')
    .argument('<output>', 'folder or s3:// URL of a dataset')
    .option(
      '--config <region.yaml>',
      'take name, filter settings and seed from this file (default: those of the last build)',
    )
    .addOption(json())
    .action(async (output: string, options: { config?: string; json?: boolean }) =>
      done(await (await import('./commands/cut.ts')).cutCommand(output, options)),
    )

  program
    .command('verify')
    .description('read a dataset back and check every image, meta, caption, score, hash, count and split')
    .argument('<output>', 'folder or s3:// URL of a dataset')
    .addOption(json())
    .action(async (output: string, options: { json?: boolean }) =>
      done(await (await import('./commands/verify.ts')).verifyCommand(output, options)),
    )

  program
    .command('export')
    .description('a finished dataset as tar shards, tables for OpenCLIP, zip files, a Croissant description or a card')
    .argument('<output>', 'folder or s3:// URL of a dataset')
    .addOption(
      new Option('--format <format>', 'what to make')
        .choices(['webdataset', 'openclip', 'zip', 'croissant', 'card'])
        .makeOptionMandatory(),
    )
    .option('--to <folder>', 'folder or s3:// URL; export/<format> in the dataset unless told')
    .option(
      '--set <name>',
      'webdataset, openclip: export this set, such as top30pct or val (repeatable; default: train_unfiltered, val and test)',
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .option('--shard-bytes <n>', 'webdataset: most bytes of a shard; 100000000 unless told', byteCount)
    .addOption(
      new Option('--caption <column>', 'webdataset, openclip: which caption; default: title').choices([
        'title',
        'title_multi_objects',
      ]),
    )
    .option('--absolute', 'openclip: absolute image paths, which work from any folder')
    .option('--url <url>', 'croissant, zip: page of the dataset', webAddress)
    .option('--published <date>', 'croissant, zip: YYYY-MM-DD', isoDate)
    .option('--creator <name>', 'croissant, zip: who publishes it')
    .addOption(json())
    .action(async (output: string, options: ExportOptions) =>
      done(await (await import('./commands/export.ts')).exportCommand(output, options)),
    )

  program
    .command('doctor')
    .description('what is missing on this machine and how to get it')
    .argument('[region.yaml]', 'check what this region needs')
    .addOption(json())
    .action(async (file: string | undefined, options: { json?: boolean }) =>
      done(await (await import('./commands/doctor.ts')).doctorCommand(file, options)),
    )

  program
    .command('local-earth-engine')
    .description('serve imagery drawn from OSM objects over the Earth Engine calls that the pipeline makes')
    .requiredOption('--port <n>', 'on 127.0.0.1; 0 takes a free one', port)
    .option('--features <file...>', 'GeoJSON text sequences, as `skyscript extract` writes them', [])
    .option('--faults <list>', 'shares of requests to spoil, such as 429:0.1,500:0.05,memory:0.1,restricted:1')
    .option('--latency <ms>', 'mean time before each answer', positiveNumber)
    .option('--memory-pixels <n>', 'larger requests for pixels exceed the memory limit', positiveInteger)
    .option('--denied <asset...>', 'assets that are not shared with the account')
    .action(async (options: LocalEarthEngineCommandOptions) =>
      done(await (await import('./commands/local-earth-engine.ts')).localEarthEngineCommand(options)),
    )

  for (const command of [...program.commands, ...tags.commands]) command.exitOverride()
  return program
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1.')
  return Number(text)
}

function byteCount(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('must be a whole number of bytes.')
  return Number(text)
}

function webAddress(text: string): string {
  if (!/^https?:\/\/\S+$/.test(text) || !URL.canParse(text)) throw new InvalidArgumentError('must be a web address.')
  return text
}

function isoDate(text: string): string {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text))
    throw new InvalidArgumentError('must be a date, YYYY-MM-DD.')
  return text
}

function nonNegativeInteger(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 0.')
  return Number(text)
}

function foldCount(text: string): number {
  const folds = Number(text)
  if (!(Number.isInteger(folds) && folds >= 2 && folds <= 20)) throw new InvalidArgumentError('must be 2 to 20.')
  return folds
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('must be a number above 0.')
  return value
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('must be a port, 0 to 65535.')
  return Number(text)
}

function stageList(text: string): StageName[] {
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !(STAGES as readonly string[]).includes(name))
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is not one of ${STAGES.join(', ')}.`)
  return names as StageName[]
}

function clipBox(text: string): [number, number, number, number] {
  const [west, south, east, north, ...rest] = text.split(',').map(Number)
  const inRange = (value: number | undefined, limit: number) => value !== undefined && Math.abs(value) <= limit
  if (
    rest.length > 0 ||
    !inRange(west, 180) ||
    !inRange(south, 90) ||
    !inRange(east, 180) ||
    !inRange(north, 90) ||
    west === east ||
    south! >= north!
  ) {
    throw new InvalidArgumentError('must be west,south,east,north in degrees; west > east crosses 180 degrees.')
  }
  return [west!, south!, east!, north!]
}
