/**
 * `npm run bench:change`: builds a region, changes tags of 1 % of the objects that have an image, and builds again. Prints
 * what both builds took and the jobs that they did. A local Earth Engine without latency draws the map as it was before the change,
 * since a change of the map changes no photograph; the scorer is the demo's, which is small: with real ones the first
 * build takes longer and the second one hardly. Needs osmium (Debian: osmium-tool) and GNU time.
 *
 * @example
 * npm run bench:change -- --sources FI ../shared/data/helsinki.osm.pbf
 */
import { spawnSync } from 'node:child_process'
import { glob, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { RELATION_AREA_OFFSET, seededFraction } from '@skyscript/core'
import { startLocalEarthEngine } from '@skyscript/local-earth-engine'
import { stringify } from 'yaml'
import { writeFeatures } from '../../../test/support/small-map.ts'
import { compareBuilds, measuredBuild } from './measured-build.ts'

const HELSINKI = fileURLToPath(new URL('../../../../shared/data/helsinki.osm.pbf', import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sources: { type: 'string', default: 'FI' }, percent: { type: 'string', default: '1' } },
})
const source = resolve(positionals[0] ?? HELSINKI)
const MODEL = fileURLToPath(new URL('../../../examples/demo/model', import.meta.url))

function osmium(args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync('osmium', args, { encoding: 'utf8', input, maxBuffer: 2 ** 30 })
  if (status !== 0) throw new Error(`osmium (Debian: osmium-tool) failed: ${error?.message ?? stderr}`)
  return stdout
}

/** The OSM element of an image's object, as OPL names it. */
function elementOf(image: string): string {
  const [, kind, id] = /^([nwa])(-?\d+)_/.exec(image)!
  if (kind !== 'a') return kind + id!
  return Number(id) > RELATION_AREA_OFFSET ? `r${Number(id) - RELATION_AREA_OFFSET}` : `w${id}`
}

/**
 * The map after the change: other tags on a share of the objects that have an image, in a new version of each. All of them
 * can still be seen.
 *
 * @returns how many were changed
 */
function changeMap(target: string, elements: ReadonlySet<string>): number {
  let changed = 0
  const lines = osmium(['cat', '--no-progress', '-f', 'opl', source]).split('\n')
  const after = lines.map((line) => {
    const [, id, version, tags] = /^(\w+) v(\d+) .* T([^ ]+)/.exec(line) ?? []
    if (tags === undefined || !elements.has(id!)) return line
    if (seededFraction(0, 'change', id!) >= Number(values.percent) / 100) return line
    changed++
    const isBuilding = /(?:^|,)building=/.test(tags)
    const other = isBuilding
      ? tags.replace(/(^|,)building=([^,]*)/, (_, before, value) => `${before}building=${value === 'house' ? 'garage' : 'house'}`) // biome-ignore format: one rule
      : `${tags.replace(/(^|,)surface=[^,]*/, '')},surface=gravel`.replace(/^,/, '')
    return line.replace(` T${tags}`, ` T${other}`).replace(` v${version} `, ` v${Number(version) + 1} `)
  })
  osmium(['cat', '--no-progress', '-F', 'opl', '-', '-O', '-o', target], after.join('\n'))
  return changed
}

const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-change-'))
const at = (name: string) => join(folder, name)
await writeFeatures(source, at('features.geojsonl'))
const server = await startLocalEarthEngine({ features: [at('features.geojsonl')], threads: 2 })
try {
  const region = async (map: string) => {
    const settings = {
      osm: { source: map },
      imagery: { sources: values.sources.split(','), earthEngine: { endpoint: server.url, project: 'bench' } },
      filter: { scorers: [{ name: 'openai', model: MODEL }] },
      output: at('out'),
    }
    await writeFile(at('region.yaml'), stringify(settings))
    return at('region.yaml')
  }
  const before = await measuredBuild(await region(source))
  const images = await Array.fromAsync(glob('images*/*.jpg', { cwd: at('out') }))
  const changed = changeMap(at('after.osm.pbf'), new Set(images.map((path) => elementOf(basename(path)))))
  const after = await measuredBuild(await region(at('after.osm.pbf')))
  const { size } = await stat(source)
  process.stdout.write(
    `${basename(source)}, ${(size / 1e6).toFixed(1)} MB: ${changed} of ${before.images} objects with an image changed; load ${loadavg()[0]!.toFixed(1)}\n`,
  )
  compareBuilds(before, after, 'target 5 %')
} finally {
  await server.close()
  await rm(folder, { recursive: true, force: true })
}
