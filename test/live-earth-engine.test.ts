import { mapTileAt, mapTileBox } from '@skyscript/core'
import { createEarthEngine, fetchImages, SOURCES } from '@skyscript/gee-fetch'
import { expect, test } from 'vitest'
import {
  contextOf,
  EARTH_ENGINE_ALIASES,
  focusOf,
  imageryOf,
  planAll,
  settingsOf,
} from '../packages/gee-fetch/test/set-up.ts'
import { openFolder } from '../packages/worker/src/storages/folder.ts'
import { lacks } from './support/needs.ts'
import { makeFolder } from './support/skyscript.ts'

/**
 * The contract with the real Earth Engine, for a person with an account:
 * `SKYSCRIPT_LIVE_PROJECT=my-project SKYSCRIPT_LIVE_CREDENTIALS=key.json npm test -- test/live-earth-engine.test.ts`
 */
const { SKYSCRIPT_LIVE_PROJECT: project, SKYSCRIPT_LIVE_CREDENTIALS: credentials } = process.env
const ACCOUNT = {
  name: 'an account of Earth Engine',
  isThere: () => project !== undefined && credentials !== undefined,
  advice: 'set SKYSCRIPT_LIVE_PROJECT and SKYSCRIPT_LIVE_CREDENTIALS',
  ciMayLack: () => true,
}

const PLACES: Readonly<Record<(typeof EARTH_ENGINE_ALIASES)[number], readonly [number, number]>> = {
  CH: [7.447, 46.948],
  ES: [-3.703, 40.417],
  DE: [13.06, 52.396],
  FI: [24.941, 60.171],
  US: [-73.86, 40.74],
  P3: [-122.4, 37.78],
  P5: [-122.4, 37.78],
  S2: [7.447, 46.948],
  L8: [7.447, 46.948],
  L9: [7.447, 46.948],
  NL: [5.54, 51.88],
  NE: [-122.32, 45.75],
  LV: [24.737, 56.861],
  SK: [19.163, 48.751],
  EE: [24.959, 58.148],
  EL: [24.754, 59.437],
}

test.skipIf(lacks(ACCOUNT)).each(EARTH_ENGINE_ALIASES)(
  '%s gives images and a JPEG',
  async (alias) => {
    const ee = createEarthEngine({
      endpoint: 'https://earthengine-highvolume.googleapis.com',
      project: project!,
      credentials: credentials!,
      maxConcurrent: 4,
    })
    const folder = await makeFolder('live')
    try {
      const [x, y] = PLACES[alias]
      const tile = mapTileAt([x, y])
      const side = (150 * SOURCES[alias].gsd) / 111_320
      const ring: [number, number][] = [
        [x, y],
        [x + side, y],
        [x + side, y + side],
        [x, y + side],
        [x, y],
      ]
      const plan = await planAll({
        origin: async () => 'test',
        tile,
        focus: [focusOf('a1', { type: 'Polygon', coordinates: [ring] }, 30)],
        settings: settingsOf([SOURCES[alias]]),
        candidates: (source) => imageryOf(ee).find(source, mapTileBox(tile)),
      })
      expect(plan.kept).toHaveLength(1)
      const storage = await openFolder(folder.path)
      const signal = AbortSignal.timeout(100_000)
      const { kept, dropped, failed } = await fetchImages(plan.kept, contextOf(ee, storage, { signal }))
      expect({ kept: kept.length, dropped, failed }).toEqual({ kept: 1, dropped: [], failed: [] })
    } finally {
      await ee.close()
      await folder.remove()
    }
  },
  120_000,
)
