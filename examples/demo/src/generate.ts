/**
 * Writes an invented town as .osm.pbf: by default the demo's own, examples/demo/town.osm.pbf.
 *
 * @example
 * node examples/demo/src/generate.ts
 * node examples/demo/src/generate.ts --seed 7 --origin 8.2,47.1 --out /tmp/other-town.osm.pbf
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writePbf } from './pbf-writer.ts'
import { DEMO_TOWN, makeTown, type TownSettings } from './town.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, origin: { type: 'string' }, out: { type: 'string' } },
})

const out = values.out ?? fileURLToPath(new URL('../town.osm.pbf', import.meta.url))
const data = makeTown(settingsOf(values))
const bytes = writePbf(data)
writeFileSync(out, bytes)
process.stderr.write(
  `${out}: ${data.nodes.length} nodes, ${data.ways.length} ways, ${data.relations.length} relations, ${bytes.length} bytes\n`,
)

function settingsOf(options: typeof values): TownSettings {
  const seed = options.seed === undefined ? DEMO_TOWN.seed : Number(options.seed)
  if (!Number.isSafeInteger(seed) || seed < 0) fail(`--seed must be a whole number from 0, not "${options.seed}".`)
  if (options.origin === undefined) return { seed, origin: DEMO_TOWN.origin }
  const [longitude = Number.NaN, latitude = Number.NaN] = options.origin.split(',').map(Number)
  if (!(Math.abs(longitude) < 179 && Math.abs(latitude) < 80)) {
    fail(`--origin must be longitude,latitude in degrees, such as 7.45,46.72, not "${options.origin}".`)
  }
  return { seed, origin: [longitude, latitude] }
}

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
