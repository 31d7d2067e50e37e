/**
 * `npm run bench:flow`: compares a build, whose stages overlap, with each stage run separately: images of a local Earth Engine that answers after some 400 ms, scored by a model of ViT-B/32's size.
 *
 *   npm run bench:flow -- [--images 1500] [--latency 400]
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseConfig } from '@skyscript/core/config'
import { startLocalEarthEngine } from '@skyscript/local-earth-engine'
import { stringify } from 'yaml'
import { writeMap } from '../../../test/support/small-map.ts'
import { writeRandomModel } from '../../filter/bench/vit.ts'
import { openStorage } from '../../worker/src/storages/storages.ts'
import { createTerminal } from '../../worker/src/terminal/terminal.ts'
import { createExecutor } from '../src/execute.ts'
import { type Flow, flow } from '../src/flow.ts'
import { type Prepared, prepare } from '../src/prepare.ts'
import { listStorage } from '../src/presence/listing.ts'
import { createPresence } from '../src/presence/presence.ts'
import { createEmbeddedRunner } from '../src/runner/embedded.ts'
import type { Following } from '../src/stage.ts'
import { loadStages, stageConcurrency } from '../src/stages/index.ts'

const { values } = parseArgs({
  options: { images: { type: 'string', default: '1500' }, latency: { type: 'string', default: '400' } },
})
const images = Number(values.images)
const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-flow-'))
const signal = new AbortController().signal
const terminal = createTerminal({ write: () => {} })
const stages = await loadStages()

// Trees 100 m apart: no two images share a request.
const side = Math.ceil(Math.sqrt(images))
const trees = Array.from({ length: images }, (_, i) => ({
  id: i + 1,
  tags: { natural: 'tree' },
  at: [[-100 * (i % side), 100 * Math.floor(i / side)]] as const,
}))
await writeMap(join(folder, 'map.osm.pbf'), trees)
// Bare ground: drawing takes the cores that the model needs.
const latency = { ms: Number(values.latency), jitter: 0.3 }
const server = await startLocalEarthEngine({ features: [], threads: 1, latency })
const model = await writeRandomModel(join(folder, 'model'))

/** A run into an output of its own, and what does its jobs. */
async function open(output: string) {
  const region = {
    osm: { source: join(folder, 'map.osm.pbf') },
    imagery: { sources: ['CH'], earthEngine: { endpoint: server.url, project: 'bench' } },
    tiles: { minPixels: 64, maxPixels: 224, pointPixels: 64 },
    filter: { scorers: [{ name: 'bench', model }] },
    output: join(folder, output),
  }
  const config = parseConfig(stringify(region), join(folder, 'region.yaml'))
  const storage = await openStorage(config.output)
  const executor = createExecutor(async () => storage)
  const runner = createEmbeddedRunner({
    execute: executor.execute,
    concurrency: await stageConcurrency('embedded'),
  })
  const prepared = await prepare({ config, storage, openStorage, runner, terminal, signal })
  const close = async () => {
    await prepared.context.close()
    await executor.close()
  }
  return { prepared, close }
}

/** Runs some stages over shards, of what is in storage by now; the seconds that it takes. */
async function time(names: readonly string[], roots: readonly Following[], prepared: Prepared) {
  const { storage } = prepared
  const presence = await createPresence(storage, await listStorage(storage), async () => true)
  const chosen = stages.filter(({ name }) => names.includes(name))
  const from = performance.now()
  const made = await flow(chosen, roots, { ...prepared, presence })
  return { made, seconds: (performance.now() - from) / 1000 }
}

function following(name: string, { done }: Flow): Following[] {
  const stage = stages.find((each) => each.name === name)!
  return [...done.get(name)!.values()].flatMap(
    ({ job, head }) => stage.follow?.(head) ?? [{ shard: job.shard, input: job.fingerprint, upstream: head }],
  )
}

const line = (what: string, value: string) => process.stdout.write(`  ${what.padEnd(36)}${value}\n`)

try {
  const apart = await open('apart')
  let roots: readonly Following[] = apart.prepared.roots
  const alone = new Map<string, number>()
  for (const { name } of stages) {
    const { made, seconds } = await time([name], roots, apart.prepared)
    alone.set(name, seconds)
    roots = following(name, made)
  }
  await apart.close()
  const together = await open('together')
  const all = stages.map(({ name }) => name)
  const { made, seconds } = await time(all, together.prepared.roots, together.prepared)
  await together.close()

  const scored = [...made.done.get('score')!.values()].reduce((sum, { head }) => sum + head.kept, 0)
  const longest = Math.max(...alone.values())
  const sum = [...alone.values()].reduce((total, each) => total + each, 0)
  process.stdout.write(`${scored} pairs, ${latency.ms} ms +- 30 %, load ${loadavg()[0]!.toFixed(1)}\n`)
  for (const [name, each] of alone) line(`only ${name}`, `${each.toFixed(1)} s`)
  line('one after another', `${sum.toFixed(1)} s`)
  line('together', `${seconds.toFixed(1)} s`)
  line('of the longest (target 1.15)', (seconds / longest).toFixed(2))
} finally {
  await server.close()
  await rm(folder, { recursive: true, force: true })
}
