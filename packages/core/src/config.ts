import { dirname, isAbsolute, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { isPath, isUrl, mapPlaces } from './config-places.ts'
import { benchmarkSettings, type Config, configSchema } from './config-schema.ts'
import { InputError } from './errors.ts'
import { checkWith } from './schema-faults.ts'

export type { Config } from './config-schema.ts'
export { aliasOf, describedSource, SHIPPED_ALIASES, shippedSource } from './config-sources.ts'

/**
 * Reads a region file.
 *
 * @param text YAML
 * @param file the path it came from; relative paths inside are relative to its folder
 * @throws InputError `bad-config` that lists every fault with the path of its field
 */
export function parseConfig(text: string, file: string): Config {
  return resolvePaths(parse(configSchema, text, file), dirname(resolve(file)))
}

/** What `skyscript cut` takes from a region file. */
export type CutSettings = Pick<Config, 'name' | 'filter' | 'benchmarks' | 'seed'>

/** What only a build needs is checked if it is there, and may be left out. */
const cutSchema = z.strictObject({
  ...configSchema.shape,
  osm: configSchema.shape.osm.default({ source: '.', clip: null }),
  output: configSchema.shape.output.default('.'),
})

/**
 * Reads the settings of a cut from a region file, or from a file that has only these.
 *
 * @throws as `parseConfig`
 */
export function parseCutSettings(text: string, file: string): CutSettings {
  const { name, filter, benchmarks, seed } = resolvePaths(parse(cutSchema, text, file), dirname(resolve(file)))
  return { name, filter, benchmarks, seed }
}

/**
 * Settings of `benchmarks` with their defaults; paths stay as they are.
 *
 * @throws InputError `bad-config`
 */
export function parseBenchmarkSettings(given: object): NonNullable<Config['benchmarks']> {
  const checked = checkWith(benchmarkSettings, given, 'benchmarks')
  if ('faults' in checked) throw new InputError('bad-config', `Benchmark sets: ${checked.faults.join('; ')}.`)
  return checked.value
}

function parse<T>(of: z.ZodType<T>, text: string, file: string): T {
  const document = parseDocument(text, { prettyErrors: true })
  if (document.errors.length > 0) {
    const faults = document.errors.map((error) => error.message.split('\n')[0] ?? '')
    throw badConfig(file, faults)
  }
  const checked = checkWith(of, document.toJS() ?? {}, 'file')
  if ('faults' in checked) throw badConfig(file, checked.faults)
  return checked.value
}

function badConfig(file: string, faults: readonly string[]): InputError {
  const list = faults.map((fault) => `  ${fault}`).join('\n')
  return new InputError(
    'bad-config',
    `${file} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${list}`,
  )
}

function resolvePaths(config: Config, folder: string): Config {
  const path = (text: string) => (isUrl(text) || isAbsolute(text) ? text : resolve(folder, text))
  const placed = mapPlaces(config, (text, kind) => (kind === 'file-or-name' && !isPath(text) ? text : path(text)))
  const { earthEngine } = placed.imagery
  const credentials = earthEngine.credentials === null ? null : path(earthEngine.credentials)
  return {
    ...placed,
    imagery: { ...placed.imagery, earthEngine: { ...earthEngine, credentials } },
    output: path(config.output),
  }
}

/** The shape of a region file, for what must know every setting there is. */
export { configSchema }
