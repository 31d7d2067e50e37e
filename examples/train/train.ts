/**
 * Does the dataset teach? Builds a dataset of invented towns, trains a small CLIP on it with OpenCLIP, from its CSV and from its
 * shards, and measures the CLIP on `SkyScript_cls` of another town, before and after. Exits with 1 if a model did not learn.
 *
 * @example
 * npm run train:demo
 * npm run train:demo -- --quick
 */
import { spawn } from 'node:child_process'
import { createWriteStream, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findPython, torchEnvironment } from '../../scripts/python-environment.ts'
import { type Amount, buildHeldOut, buildTraining, skyscript } from './towns.ts'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const CONFIG = at('small-clip.json')
const EXPORT_TOOL = at('../../tools/export-openclip.py')

type Source = 'csv' | 'shards'

interface Plan extends Amount {
  readonly seeds: readonly number[]
  readonly sources: readonly Source[]
  readonly epochs: number
}

const FULL: Plan = { towns: 4, maxPerTag: 16, perClass: 4, seeds: [1, 2, 3], sources: ['csv', 'shards'], epochs: 8 }
/** A minute or two on two cores, for a test. */
const QUICK: Plan = { towns: 2, maxPerTag: 8, perClass: 4, seeds: [1], sources: ['csv'], epochs: 8 }

/** A model has learned if it is right at least this many times as often as by chance. */
const LEAST = 2

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, work: { type: 'string' }, json: { type: 'boolean' } },
})
const plan = values.quick ? QUICK : FULL
const work = values.work ?? at(values.quick ? 'out/quick' : 'out/full')
const python = process.env.READERS_TORCH_PYTHON ?? torchEnvironment(findPython('train:demo'))

/** What each source adds to OpenCLIP's arguments. */
const PAIRS: Record<Source, () => string[]> = {
  csv: () => [
    ...['--train-data', join(dataset, 'Training_train_unfiltered_5M.csv'), '--dataset-type', 'csv'],
    ...['--csv-img-key', 'filepath', '--csv-caption-key', 'title', '--csv-separator', ','],
  ],
  shards: () => {
    const { urls } = JSON.parse(readFileSync(join(shards, 'train', 'stats.json'), 'utf8')) as { readonly urls: string }
    return ['--train-data', join(shards, urls), '--dataset-type', 'webdataset']
  },
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`.padStart(8)

/** Accuracy of a run, as shares. */
interface Run {
  readonly source: Source
  readonly seed: number
  readonly before: number
  readonly after: number
}

const dataset = await buildTraining(work, plan)
const heldOut = await buildHeldOut(work, plan)
const shards = join(work, 'shards')
if (plan.sources.includes('shards')) {
  rmSync(shards, { recursive: true, force: true })
  await skyscript('export', dataset, '--format', 'webdataset', '--to', shards)
}
const vocabulary = await runPython(['-c', 'from open_clip.tokenizer import default_bpe; print(default_bpe())'])
rmSync(join(work, 'runs'), { recursive: true, force: true })
const runs: Run[] = []
for (const source of plan.sources) for (const seed of plan.seeds) runs.push(await train(source, seed))
const { images, classes } = heldOutSize()
const chance = 1 / classes
if (values.json) process.stdout.write(`${JSON.stringify({ images, classes, chance, runs })}\n`)
else process.stdout.write(table())
process.exitCode = runs.every(({ before, after }) => after >= LEAST * chance && after > before) ? 0 : 1

async function train(source: Source, seed: number): Promise<Run> {
  const name = `${source}-${seed}`
  process.stderr.write(`Training on ${source}, seed ${seed} ...\n`)
  await runPython([at('train.py'), ...argumentsOf(source), '--seed', `${seed}`, '--name', name], {
    cwd: dataset,
    log: join(work, `${name}.log`),
  })
  const checkpoints = join(work, 'runs', name, 'checkpoints')
  const [before, after] = [await accuracy(checkpoints, 0), await accuracy(checkpoints, plan.epochs)]
  process.stderr.write(`accuracy:${percent(before)} before,${percent(after)} after\n`)
  return { source, seed, before, after }
}

/** As in docs/how-to/train.md, with sizes that suit a small model and one processor. */
function argumentsOf(source: Source): string[] {
  return [
    ...PAIRS[source](),
    ...['--model', 'small-clip', '--batch-size', '32', '--epochs', `${plan.epochs}`],
    ...['--lr', '1e-3', '--beta2', '0.98', '--warmup', '50', '--precision', 'fp32', '--workers', '0'],
    ...['--logs', join(work, 'runs'), '--save-frequency', '0'],
  ]
}

/** Zero-shot accuracy of a checkpoint on the held-out set, a share. */
async function accuracy(checkpoints: string, epoch: number): Promise<number> {
  const model = join(checkpoints, `epoch_${epoch}`)
  await runPython(
    [EXPORT_TOOL, `${model}.pt`, '--config', CONFIG, '--vocabulary', vocabulary.trim(), '--output', model],
    { log: `${model}.log` },
  )
  const set = join(heldOut, 'SkyScript_cls')
  const printed = await skyscript(
    ...['evaluate', '--model', model, '--prompts', 'SkyScript_cls', '--root', heldOut, '--no-cache', '--json'],
    ...['--classify', join(set, 'img_txt_pairs_val.csv'), '--classes', join(set, 'classnames.txt')],
  )
  return (JSON.parse(printed) as { readonly top1: number }).top1
}

function heldOutSize(): { readonly images: number; readonly classes: number } {
  const linesOf = (name: string) =>
    readFileSync(join(heldOut, 'SkyScript_cls', name), 'utf8')
      .trim()
      .split('\n').length
  return { images: linesOf('img_txt_pairs_val.csv') - 1, classes: linesOf('classnames.txt') }
}

function table(): string {
  const mean = (of: (run: Run) => number) => runs.reduce((sum, run) => sum + of(run), 0) / runs.length
  const row = (source: string, seed: string, before: number, after: number) =>
    `${source.padEnd(8)}${seed.padStart(6)}${percent(before)}${percent(after)}\n`
  return [
    `SkyScript_cls of the held-out town: ${images} images, ${classes} classes\n\n`,
    `${'from'.padEnd(8)}${'seed'.padStart(6)}${'before'.padStart(8)}${'after'.padStart(8)}\n`,
    ...runs.map(({ source, seed, before, after }) => row(source, `${seed}`, before, after)),
    row(
      'mean',
      '',
      mean(({ before }) => before),
      mean(({ after }) => after),
    ),
    row('chance', '', chance, chance),
  ].join('')
}

/**
 * Runs Python in one thread, so that a seed gives the same model again.
 *
 * @param options.log file for what it prints
 */
async function runPython(args: readonly string[], options: { readonly cwd?: string; readonly log?: string } = {}) {
  const { cwd = work, log } = options
  const child = spawn(python, ['-B', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', PYTHONWARNINGS: 'ignore' },
  })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject)
  child.on('close', resolve)
  if (log !== undefined) {
    const file = createWriteStream(log)
    child.stdout.pipe(file, { end: false })
    child.stderr.pipe(file, { end: false })
  }
  const printed = log === undefined ? await child.stdout.setEncoding('utf8').toArray() : []
  const code = await promise
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}${log === undefined ? '' : `; see ${log}`}.`)
  return printed.join('')
}
