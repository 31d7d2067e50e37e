/** The demo's town with a server that draws it, for builds that take seconds: one object of each tag. */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { toFeatureLine } from '../../packages/core/src/index.ts'
import { type LocalEarthEngine, startLocalEarthEngine } from '../../packages/local-earth-engine/src/index.ts'
import { extract } from '../../packages/osm-extract/src/index.ts'
import { ROOT } from './skyscript.ts'

const DEMO = join(ROOT, 'examples', 'demo')
export const TOWN = join(DEMO, 'town.osm.pbf')
export const MODEL = join(DEMO, 'model')

/** The middle of the town, in degrees. */
const CLIP = [7.44, 46.712, 7.462, 46.728]

/** Of answers: builds of the same place need not draw it again. */
export const CACHE_BYTES = 64 * 2 ** 20

export interface Town {
  readonly earthEngine: LocalEarthEngine
  /** A region file's content; `changes` replaces settings. */
  region(output: string, changes?: Readonly<Record<string, unknown>>): Record<string, unknown>
}

export async function startTown(folder: string): Promise<Town> {
  const features = join(folder, 'features.geojsonl')
  const file = createWriteStream(features)
  for await (const object of extract(TOWN, { wanted: 'all' })) file.write(`${toFeatureLine(object)}\n`)
  file.end()
  await finished(file)
  const earthEngine = await startLocalEarthEngine({ features: [features], cacheBytes: CACHE_BYTES })
  return {
    earthEngine,
    region: (output, changes = {}) => ({
      name: 'Town',
      osm: { source: TOWN, clip: CLIP },
      imagery: {
        sources: ['CH', 'P3', 'S2', 'L8'],
        earthEngine: { endpoint: earthEngine.url, project: 'town-test' },
      },
      selection: { maxPerTag: 1 },
      tiles: { minPixels: 32, maxPixels: 200, pointPixels: 64 },
      filter: {
        scorers: [{ name: 'openai', model: MODEL }],
        val: 3,
        test: 6,
        split: { by: 'block', degrees: 0.003, val: 5, test: 10 },
      },
      output,
      ...changes,
    }),
  }
}
