import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writePbf } from '../demo/src/pbf-writer.ts'
import { DEMO_TOWN, makeTown, type TownSettings } from '../demo/src/town.ts'

const SKYSCRIPT = fileURLToPath(new URL('../../packages/worker/src/main.ts', import.meta.url))
const SCORER = fileURLToPath(new URL('../demo/model', import.meta.url))

/**
 * Towns to train on. A town's plan reaches 11 km from its origin, and these are more than twice that from each other and
 * from the demo's, which is held out. At the first three the local Earth Engine has SkySat scenes, as at the demo's.
 */
export const TRAINING_TOWNS: readonly TownSettings[] = [
  { seed: 201, origin: [7.357, 47.16] },
  { seed: 202, origin: [7.7, 46.94] },
  { seed: 203, origin: [8.08, 45.94] },
  { seed: 204, origin: [6.62, 47.555] },
]

/** How much is built. */
export interface Amount {
  /** Of TRAINING_TOWNS. */
  readonly towns: number
  /** Largest number of objects of a tag; all if null. */
  readonly maxPerTag: number | null
  /** Images of every class of the held-out set. */
  readonly perClass: number
}

/** Builds one dataset of several training towns; returns its folder. What is there already is kept. */
export function buildTraining(folder: string, { towns, maxPerTag }: Amount): Promise<string> {
  return build(folder, 'Training', TRAINING_TOWNS.slice(0, towns), {
    selection: { maxPerTag },
    filter: { top: [50], split: { val: 0, test: 0, by: 'image' } },
  })
}

/** Builds the dataset of the demo's town with SkyScript_cls; returns its folder. */
export function buildHeldOut(folder: string, { maxPerTag, perClass }: Amount): Promise<string> {
  return build(folder, 'Held-out', [DEMO_TOWN], {
    selection: { maxPerTag },
    filter: { top: [50], val: 0, split: { val: 0, test: 0, benchmark: 100, by: 'image' } },
    benchmarks: { sets: ['SkyScript_cls'], perClass },
  })
}

async function build(
  folder: string,
  name: string,
  towns: readonly TownSettings[],
  settings: { readonly filter: object; readonly [name: string]: object },
): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const source = towns.map((town) => {
    const file = `town-${town.seed}.osm.pbf`
    writeFileSync(join(folder, file), writePbf(makeTown(town)))
    return file
  })
  const region = {
    name,
    osm: { source },
    imagery: { sources: ['CH', 'P3', 'P5', 'S2', 'L8', 'L9'], earthEngine: { endpoint: 'local' } },
    tiles: { minPixels: 48, maxPixels: 224, pointPixels: 96 },
    ...settings,
    filter: { scorers: [{ name: 'openai', model: SCORER }], ...settings.filter },
    output: `./${name}`,
  }
  const file = join(folder, `${name}.yaml`)
  // JSON is YAML.
  writeFileSync(file, `${JSON.stringify(region, null, 2)}\n`)
  await skyscript('build', file)
  return join(folder, name)
}

/** Runs a command of the pipeline, whose messages are shown; returns what it prints. */
export async function skyscript(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [SKYSCRIPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject)
  child.on('close', resolve)
  const printed = await child.stdout.setEncoding('utf8').toArray()
  const code = await promise
  if (code !== 0) throw new Error(`skyscript ${args.join(' ')} ended with ${code}.`)
  return printed.join('')
}
