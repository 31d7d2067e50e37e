import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writePbf } from '../pbf-writer.ts'
import { Dice } from '../town/dice.ts'
import { makeTown, type TownSettings } from '../town.ts'
import { featureCount } from './graphs.ts'
import { writeModelFolder } from './model-folder.ts'
import { makeTokenizer } from './tokenizer.ts'
import { learnWords, SIDE, WORD_KINDS } from './visual-words.ts'

const SKYSCRIPT = fileURLToPath(new URL('../../../../packages/worker/src/main.ts', import.meta.url))

/**
 * Towns that the demo's isn't one of: other seeds, a kilometre or two away. Not farther, since the local Earth Engine has
 * SkySat scenes, which are scattered, of the demo town's surroundings.
 */
export const TRAINING_TOWNS: readonly TownSettings[] = [
  { seed: 101, origin: [7.44, 46.73] },
  { seed: 102, origin: [7.46, 46.71] },
  { seed: 103, origin: [7.43, 46.72] },
  { seed: 104, origin: [7.47, 46.73] },
  { seed: 105, origin: [7.45, 46.7] },
]

/**
 * Makes a dataset of each training town with the real pipeline and the local Earth Engine, all objects, all sources. A
 * build needs a model for its scores, and these scores are never used: an untrained one serves. What is there already
 * is kept.
 *
 * @param folder where the towns and their datasets go
 * @returns the dataset folders
 */
export async function buildTrainingTowns(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  const model = join(folder, 'untrained-model')
  if (!existsSync(model)) writeUntrainedModel(model)
  const datasets: string[] = []
  for (const town of TRAINING_TOWNS) {
    const name = `town-${town.seed}`
    writeFileSync(join(folder, `${name}.osm.pbf`), writePbf(makeTown(town)))
    writeFileSync(join(folder, `${name}.yaml`), regionOf(name, model))
    await run([SKYSCRIPT, 'build', join(folder, `${name}.yaml`)])
    datasets.push(join(folder, name))
  }
  return datasets
}

/** As examples/demo/region.yaml, but for every pair in train. */
function regionOf(name: string, model: string): string {
  return [
    `name: ${name}`,
    `osm: { source: ${JSON.stringify(`./${name}.osm.pbf`)} }`,
    'imagery: { sources: [CH, P3, P5, S2, L8, L9], earthEngine: { endpoint: local } }',
    'tiles: { minPixels: 100, maxPixels: 512, pointPixels: 224 }',
    `filter: { scorers: [{ name: none, model: ${JSON.stringify(model)} }], val: 0, test: 0, split: { by: image } }`,
    `output: ./${name}`,
    '',
  ].join('\n')
}

function writeUntrainedModel(folder: string): void {
  const dice = new Dice(1, 'untrained')
  const noise = (count: number) => Float32Array.from({ length: count }, () => dice.between(-1, 1))
  const words = WORD_KINDS.map((kind) => learnWords(kind, [noise(3 * SIDE * SIDE), noise(3 * SIDE * SIDE)], dice))
  const tokenizer = makeTokenizer([], 0)
  const [inputs, hidden, outputs] = [featureCount(words), 4, 4]
  writeModelFolder(folder, {
    words,
    projection: {
      ...{ inputs, hidden, outputs },
      ...{ w1: noise(inputs * hidden), b1: noise(hidden), w2: noise(hidden * outputs), b2: noise(outputs) },
    },
    text: { tokens: tokenizer.size, outputs, vectors: noise(tokenizer.size * outputs), bias: noise(outputs) },
    tokenizer: tokenizer.json,
  })
}

function run(args: string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  child.on('error', reject)
  child.on('close', (code) => {
    if (code === 0) resolve()
    else reject(new Error(`skyscript ${args.slice(1).join(' ')} ended with code ${code}.`))
  })
  return promise
}
