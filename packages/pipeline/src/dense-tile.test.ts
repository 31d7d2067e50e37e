/** No stage may hold up the event loop: locks are renewed, signals heard and progress drawn while a dense tile is done. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createCaptioner } from '@skyscript/captioner'
import { getJson, mapTileBox, silentProgress } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OsmNode, type OsmWay, writePbf } from '../../../examples/demo/src/pbf-writer.ts'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { openContext } from './context.ts'
import { extractTiles } from './extract.ts'
import { type ExtractIndex, extractIndexKey, type Run, type SelectIndex, selectIndexKey } from './run.ts'
import { selectObjects } from './select.ts'
import { plan } from './stages/plan.ts'

/** The densest tiles of cities have some 72,000 objects that get an image. */
const HOUSES = 72_000
/** Milliseconds within which anything else must have its turn. */
const MOST_MS = 1000

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dense-tile-'))
})
afterAll(() => rm(folder, { recursive: true }))

const EDIT = { version: 1, timestamp: '2024-05-01T12:00:00Z' }

/** Houses of 15 m side by side, all in one map tile in Switzerland. */
function town(): Uint8Array {
  const nodes: OsmNode[] = []
  const ways: OsmWay[] = []
  for (let i = 0; i < HOUSES; i++) {
    const [west, south] = [74_010_000 + (i % 300) * 3200, 467_010_000 + Math.floor(i / 300) * 4000]
    const refs = [[0, 0], [2000, 0], [2000, 1400], [0, 1400]].map(([x, y]) => {
      nodes.push({ id: nodes.length + 1, longitude: west + x!, latitude: south + y!, tags: {}, ...EDIT })
      return nodes.length
    }) // biome-ignore format: one square
    ways.push({ id: i + 1, nodes: [...refs, refs[0]!], tags: { building: 'house' }, ...EDIT })
  }
  return writePbf({ nodes, ways, relations: [] })
}

/** Runs a task and returns the longest time in milliseconds for which the event loop was held up. */
async function longestHold(task: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  await task()
  delay.disable()
  return delay.max / 1e6
}

test('while the objects of a dense map tile are selected and planned, others have their turn within a second', async () => {
  const path = join(folder, 'town.osm.pbf')
  await writeFile(path, town())
  const storage = await openFolder(join(folder, 'out'))
  const {
    queue: _queue,
    output: _output,
    ...config
  } = parseConfig(
    JSON.stringify({
      osm: { source: path },
      imagery: { sources: ['CH', 'S2'], earthEngine: { endpoint: 'local' } },
      selection: { cells: 100_000, maxPerTag: 100_000 },
      output: join(folder, 'out'),
    }),
    join(folder, 'region.yaml'),
  )
  const captioner = createCaptioner()
  const { signal } = new AbortController()
  const files = [{ source: path, path, bytes: 0, sha256: '0'.repeat(64), release: async () => {} }]
  const extract = await extractTiles(files, null, captioner, storage, new Set(), silentProgress, signal)
  const index = (await getJson<ExtractIndex>(storage, extractIndexKey(extract)))!
  const [tile] = Object.keys(index.tiles)
  expect(index.tiles[tile!]!.objects).toBe(HOUSES)

  let select = ''
  const selecting = await longestHold(async () => {
    select = await selectObjects(
      { ...config, queue: 'embedded', output: '' },
      extract,
      index,
      captioner,
      storage,
      new Set(),
      silentProgress,
    )
  })
  const selection = (await getJson<SelectIndex>(storage, selectIndexKey(select)))!
  expect(selection.tiles[tile!]?.objects).toBe(HOUSES)

  const tables = { tags: null, rules: null, styles: [], learned: null }
  const run: Run = { config, extract, select, tables, files: {} }
  const context = await openContext(storage, run, {}, captioner)
  try {
    const job = { dataset: storage.url, run: 'r', stage: 'plan', shard: tile!, input: select, fingerprint: 'f' }
    // Clients are loaded and opened at first use.
    for (const source of context.sources) await context.imagery.find(source, mapTileBox(tile!), signal)
    let kept = 0
    const planning = await longestHold(async () => {
      const result = await plan.run(job, context, signal)
      kept = plan.head(result).kept
    })
    expect(kept).toBe(HOUSES)
    expect(selecting).toBeLessThan(MOST_MS)
    expect(planning).toBeLessThan(MOST_MS)
  } finally {
    await context.close()
  }
}, 120_000)
