// @module-tag slow
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
import { MODEL } from '../../../test/support/town.ts'
import { startLocalEarthEngine } from '../../local-earth-engine/src/index.ts'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { openContext } from './context.ts'
import { extractTiles } from './extract.ts'
import { putResult, resultKey } from './results.ts'
import { type ExtractIndex, extractIndexKey, type Run, type SelectIndex, selectIndexKey } from './run.ts'
import { selectObjects } from './select.ts'
import type { Stage } from './stage.ts'
import { caption } from './stages/caption.ts'
import { fetch } from './stages/fetch.ts'
import { plan } from './stages/plan.ts'
import { score } from './stages/score.ts'

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

test('while the objects of a dense map tile go through all stages, others have their turn within a second', async () => {
  const earthEngine = await startLocalEarthEngine({ features: [], threads: 1 })
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
      // Bare ground has no texture.
      imagery: {
        sources: ['CH', 'S2'],
        checks: { minDeviation: 0 },
        earthEngine: { endpoint: earthEngine.url, project: 'p' },
      },
      selection: { cells: 100_000, maxPerTag: 100_000 },
      filter: { scorers: [{ name: 'openai', model: MODEL }] },
      output: join(folder, 'out'),
    }),
    join(folder, 'region.yaml'),
  )
  const captioner = createCaptioner()
  const { signal } = new AbortController()
  const files = [{ source: path, path, bytes: 0, sha256: '0'.repeat(64), release: async () => {} }]
  const extract = await extractTiles(files, { clip: null }, captioner, storage, new Set(), silentProgress, signal)
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
    const jobOf = (stage: string, shard: string, input: string) => {
      return { dataset: storage.url, run: 'r', stage, shard, input, fingerprint: 'f' }
    }
    // Clients are loaded and opened at first use.
    for (const source of context.sources) await context.imagery.find(source, mapTileBox(tile!), signal)
    let leaves: ReturnType<NonNullable<typeof plan.follow>> = []
    const holds: Record<string, number> = { select: selecting }
    holds.plan = await longestHold(async () => {
      const head = plan.head(await plan.run(jobOf('plan', tile!, select), context, signal))
      expect(head.kept).toBe(HOUSES)
      leaves = plan.follow!(head)
    })
    // One leaf of many: its jobs read and index the whole tile.
    let { shard, input } = leaves[0]!
    for (const stage of [fetch, caption, score] as readonly Stage[]) {
      const job = jobOf(stage.name, shard, input)
      holds[stage.name] = await longestHold(async () => {
        const result = await stage.run(job, context, signal)
        const head = stage.head(result)
        expect(head.kept, stage.name).toBeGreaterThan(30)
        await putResult(storage, resultKey(job), head, result)
      })
      input = job.fingerprint
    }
    for (const [stage, hold] of Object.entries(holds)) expect(hold, stage).toBeLessThan(MOST_MS)
  } finally {
    await context.close()
    await earthEngine.close()
  }
}, 300_000)
