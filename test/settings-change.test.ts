// @module-tag slow
/**
 * Every setting is changed on a dataset that is built already: the build after it leaves what a fresh one makes. The
 * settings come from the schema, so one without a row here fails the test.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { copyFile, cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configSchema } from '../packages/core/src/config.ts'
import { type LocalEarthEngine, startLocalEarthEngine } from '../packages/local-earth-engine/src/index.ts'
import { filesOf, makeFolder } from './support/skyscript.ts'
import {
  buildHere,
  place,
  type Settings,
  SMALL_TOWN,
  smallRegion,
  writeFeatures,
  writeMap,
} from './support/small-map.ts'
import { CACHE_BYTES, MODEL } from './support/town.ts'

interface Row {
  /** The setting's other value; of members that are objects, only what is named changes. */
  readonly change: (folder: string) => Settings
  /** What must be set for the setting to matter. */
  readonly with?: (folder: string) => Settings
  /** Where the value may, or must, leave the bytes as they are. */
  readonly same?: 'perhaps' | 'always'
}

const [west, south] = place([-160, -120])
const [east, north] = place([100, 130])
const scorer = { name: 'openai', model: MODEL }

/** Settings by path, with another value; or why they have none. */
const ROWS: Readonly<Record<string, Row | string>> = {
  name: { change: () => ({ name: 'Other' }) },
  'osm.source': 'its file changes in map-changes.test.ts',
  'osm.changes': 'applied in update.test.ts and updated-maps.test.ts',
  'osm.clip': { change: () => ({ osm: { clip: [west, south, east, north] } }) },
  'osm.at': 'needs another file; changes in map-of-a-date.test.ts',
  'imagery.sources': { change: () => ({ imagery: { sources: ['P3', 'S2'] } }) },
  'imagery.catalogue': 'changes in layers.test.ts',
  'imagery.contact': { change: () => ({ imagery: { contact: 'me@example.org' } }), same: 'always' },
  'imagery.cache.folder': { change: (folder) => ({ imagery: { cache: { folder } } }), same: 'always' },
  'imagery.cache.megabytes': { change: () => ({ imagery: { cache: { megabytes: 0 } } }), same: 'always' },
  'imagery.without': {
    with: () => ({ imagery: { sources: ['P3', 'auto'], licences: ['CC BY 4.0'], without: ['FI', 'NL', 'LV'] } }),
    change: () => ({ imagery: { without: ['P5'] } }),
    same: 'perhaps',
  },
  'imagery.prefer': {
    with: () => ({ imagery: { sources: ['P3', 'CH', 'S2'] } }),
    change: () => ({ imagery: { prefer: 'listed' } }),
  },
  'imagery.year': { change: () => ({ imagery: { year: 'closest' } }) },
  'imagery.refresh': { change: () => ({ imagery: { refresh: 'newer' } }), same: 'always' },
  'imagery.maxCloud': { change: () => ({ imagery: { maxCloud: 1 } }), same: 'perhaps' },
  'imagery.checks.minValid': { change: () => ({ imagery: { checks: { minValid: 1 } } }), same: 'perhaps' },
  'imagery.checks.maxCloud': { change: () => ({ imagery: { checks: { maxCloud: 0 } } }), same: 'perhaps' },
  'imagery.checks.maxSeam': { change: () => ({ imagery: { checks: { maxSeam: 0 } } }), same: 'perhaps' },
  'imagery.checks.maxEnlarged': { change: () => ({ imagery: { checks: { maxEnlarged: 1 } } }), same: 'perhaps' },
  'imagery.checks.minDeviation': { change: () => ({ imagery: { checks: { minDeviation: 22 } } }) },
  'imagery.patience': { change: () => ({ imagery: { patience: 1 } }), same: 'always' },
  'imagery.licences': { change: () => ({ imagery: { licences: ['Copernicus'] } }) },
  'imagery.earthEngine.endpoint': 'changes in origins.test.ts',
  'imagery.earthEngine.mirrorOf': 'changes in origins.test.ts',
  'imagery.earthEngine.project': { change: () => ({ imagery: { earthEngine: { project: 'q' } } }), same: 'always' },
  'imagery.earthEngine.credentials': 'a login; it decides whether there is an answer, not which',
  'imagery.earthEngine.maxConcurrent': { change: () => ({ imagery: { earthEngine: { maxConcurrent: 2 } } }), same: 'always' }, // biome-ignore format: one row
  'imagery.earthEngine.maxEecuHours': { change: () => ({ imagery: { earthEngine: { maxEecuHours: 9 } } }), same: 'always' }, // biome-ignore format: one row
  'imagery.earthEngine.grouping': { change: () => ({ imagery: { earthEngine: { grouping: false } } }), same: 'always' },
  'selection.cells': { change: () => ({ selection: { cells: 1, rareTagsBelow: 0 } }) },
  'selection.rareTagsBelow': {
    with: () => ({ selection: { cells: 1, rareTagsBelow: 0 } }),
    change: () => ({ selection: { rareTagsBelow: 2 } }),
  },
  'selection.maxPerTag': {
    with: () => ({ captions: { labels: 'skyscript-2023' } }),
    change: () => ({ selection: { maxPerTag: 1 } }),
    same: 'perhaps',
  },
  'tiles.minPixels': { change: () => ({ tiles: { minPixels: 90 } }) },
  'tiles.maxPixels': { change: () => ({ tiles: { maxPixels: 200 } }) },
  'tiles.pointPixels': { change: () => ({ tiles: { pointPixels: 80 } }) },
  'tiles.shift': { change: () => ({ tiles: { shift: 0 } }) },
  'tiles.coarsen': { change: () => ({ tiles: { coarsen: 8 } }), same: 'perhaps' },
  'captions.labels': { change: () => ({ captions: { labels: 'skyscript-2023' } }) },
  'captions.tags': { change: (folder) => ({ captions: { tags: fileIn(folder, 'tags.csv', 'key,value,groundable,max_gsd\nbuilding,house,no,\namenity,fountain,yes,1\n') } }) }, // biome-ignore format: one row
  'captions.rules': {
    with: (folder) => ({ captions: { rules: fileIn(folder, 'rules.json', '{}') } }),
    // The same file with other words.
    change: (folder) => ({ captions: { rules: fileIn(folder, 'rules.json', '{"phrases":{"amenity=fountain":"water jet"}}') } }), // biome-ignore format: one row
  },
  'captions.classifier': 'trained and used in tags-and-captions.test.ts; too slow to train here',
  'captions.templates': { change: () => ({ captions: { templates: ['it-shows'] } }) },
  'captions.maxTokens': { change: () => ({ captions: { maxTokens: 10 } }) },
  'captions.more': { change: () => ({ captions: { templates: ['skyscript', 'it-shows'], more: 1 } }) },
  'captions.counts': { change: () => ({ captions: { counts: true } }), same: 'perhaps' },
  'captions.directions': { change: () => ({ captions: { directions: true } }) },
  'filter.scorers': { change: () => ({ filter: { scorers: [scorer, { ...scorer, name: 'second' }] } }) },
  'filter.blends': {
    with: () => ({ filter: { scorers: [scorer, { ...scorer, name: 'second' }] } }),
    change: () => ({ filter: { blends: [{ name: 'both', of: ['openai', 'second'] }] } }),
  },
  'filter.top': { change: () => ({ filter: { top: [70] } }) },
  'filter.above': { change: () => ({ filter: { above: [0.1] } }) },
  'filter.maxPerTag': { change: () => ({ filter: { maxPerTag: 1 } }), same: 'perhaps' },
  'filter.maxSameCaption': { change: () => ({ filter: { maxSameCaption: 1 } }), same: 'perhaps' },
  'filter.balance': { change: () => ({ filter: { balance: [{ by: 'tag', most: 1 }] } }) },
  'filter.semanticDuplicates': { change: () => ({ filter: { semanticDuplicates: { above: 0.6 } } }) },
  'filter.exclude': { change: (folder) => ({ filter: { exclude: join(folder, 'benchmark') } }) },
  'filter.val': { change: () => ({ filter: { val: 1 } }), same: 'perhaps' },
  'filter.test': { change: () => ({ filter: { test: 1 } }), same: 'perhaps' },
  'filter.split.by': { change: () => ({ filter: { split: { by: 'image', degrees: 'auto', val: 10, test: 20 } } }) },
  'filter.split.degrees': { change: () => ({ filter: { split: { degrees: 0.004 } } }), same: 'perhaps' },
  'filter.split.val': { change: () => ({ filter: { split: { val: 20 } } }), same: 'perhaps' },
  'filter.split.test': { change: () => ({ filter: { split: { test: 20 } } }), same: 'perhaps' },
  'filter.split.benchmark': { change: () => ({ filter: { split: { benchmark: 20 } } }) },
  benchmarks: {
    with: () => ({ filter: { split: { by: 'image', degrees: 'auto', test: 20 } } }),
    change: () => ({ benchmarks: { perClass: 1, allClasses: true } }),
  },
  seed: { change: () => ({ seed: 52 }) },
  output: 'where the dataset is; every one of these tests compares it with another folder',
  queue: 'another runner; compared in distributed.test.ts',
}

const fileIn = (folder: string, name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** Paths of all settings of a schema; an object that may be absent, such as a classifier, is one setting. */
function settingsOf(schema: unknown, path = ''): string[] {
  const { def, shape } = schema as { def: { type: string; innerType?: unknown }; shape?: Record<string, unknown> }
  if (def.type === 'default' || def.type === 'prefault') return settingsOf(def.innerType, path)
  if (def.type !== 'object') return [path]
  return Object.entries(shape!).flatMap(([name, member]) => settingsOf(member, path === '' ? name : `${path}.${name}`))
}

const isObject = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function merged(base: Settings, change: Settings): Settings {
  const result = { ...base }
  for (const [name, value] of Object.entries(change)) {
    const known = result[name]
    result[name] = isObject(known) && isObject(value) ? merged(known, value) : value
  }
  return result
}

let folder: Awaited<ReturnType<typeof makeFolder>>
let earthEngine: LocalEarthEngine
let usual: Record<string, string>
const at = (...names: string[]) => join(folder.path, ...names)

const region = (output: string, change: Settings = {}): Settings =>
  merged(
    smallRegion(at('map.osm.pbf'), at(output), {
      imagery: { sources: ['CH', 'S2'], earthEngine: { endpoint: earthEngine.url, project: 'p' } },
    }),
    change,
  )

beforeAll(async () => {
  folder = await makeFolder('settings')
  process.env.SKYSCRIPT_CACHE = at('cache')
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
  const features = await writeFeatures(at('map.osm.pbf'), at('features'))
  earthEngine = await startLocalEarthEngine({ features: [features], threads: 1, cacheBytes: CACHE_BYTES })
  await buildHere(region('usual'), folder.path)
  usual = filesOf(at('usual'))
  mkdirSync(at('benchmark'))
  const image = Object.keys(usual).find((name) => name.endsWith('.jpg'))!
  await copyFile(at('usual', image), at('benchmark', 'one.jpg'))
}, 120_000)
afterAll(async () => {
  await earthEngine?.close()
  await folder?.remove()
})

test('every setting of the schema has a row, and every row a setting', () => {
  expect(Object.keys(ROWS).sort()).toEqual(settingsOf(configSchema).sort())
})

describe.concurrent('a setting that changes on a built dataset leaves what a fresh build makes', {
  timeout: 300_000,
}, () => {
  const rows = Object.entries(ROWS).flatMap(([path, row]) => (typeof row === 'string' ? [] : [[path, row] as const]))
  // Tests that run at the same time count their checks by their own `expect`.
  test.for(rows)('%s', async ([path, row], { expect }) => {
    const own = at(path)
    mkdirSync(own)
    const before = row.with?.(own)
    if (before === undefined) await cp(at('usual'), join(own, 'changed'), { recursive: true })
    else await buildHere(region(join(path, 'changed'), before), own)
    const first = before === undefined ? usual : filesOf(join(own, 'changed'))
    const settings = merged(before ?? {}, row.change(own))
    if (path === 'filter.exclude') await cp(at('benchmark'), join(own, 'benchmark'), { recursive: true })
    await buildHere(region(join(path, 'changed'), settings), own)
    await buildHere(region(join(path, 'fresh'), settings), own)
    const changed = filesOf(join(own, 'changed'))
    expect(changed).toEqual(filesOf(join(own, 'fresh')))
    if (row.same === 'always') expect(changed).toEqual(first)
    else if (row.same === undefined) {
      // More than the lock, in which every setting stands.
      const { 'dataset.lock.json': _lock, ...made } = changed
      expect(made).not.toEqual(Object.fromEntries(Object.entries(first).filter(([name]) => name in made)))
    }
  })
})
