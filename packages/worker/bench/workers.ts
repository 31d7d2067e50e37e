/**
 * `npm run bench:workers`: how soon a worker begins its first job, how a build speeds up with 1, 2 and 4 workers in
 * processes of their own, where it waits for a slow Earth Engine, and how 2 workers on 2 cores compare with one where a model
 * of ViT-B/32's size takes the time.
 *
 *   npm run bench:workers -- [--images 1200] [--latency 2000] [--scored 200] [--only start]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readLines } from '@skyscript/core'
import { startLocalEarthEngine } from '@skyscript/local-earth-engine'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { startRedis } from '../../../test/support/redis.ts'
import { writeMap } from '../../../test/support/small-map.ts'
import { writeRandomModel } from '../../filter/bench/vit.ts'

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '1200' },
    latency: { type: 'string', default: '2000' },
    scored: { type: 'string', default: '200' },
    only: { type: 'string' },
  },
})
const MAIN = fileURLToPath(new URL('../bin/skyscript.cjs', import.meta.url))
const DEMO = fileURLToPath(new URL('../../../examples/demo/model', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-workers-'))
const redis = await startRedis()

/** Trees 100 m apart: no two images share a request. */
async function mapOfTrees(name: string, count: number): Promise<string> {
  const side = Math.ceil(Math.sqrt(count))
  const path = join(folder, `${name}.osm.pbf`)
  const trees = Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    tags: { natural: 'tree' },
    at: [[-100 * (i % side), 100 * Math.floor(i / side)]] as const,
  }))
  await writeMap(path, trees)
  return path
}

/** Starts workers, builds, and gives the seconds that a stage took. */
async function build(
  name: string,
  workers: number,
  stage: string,
  settings: object,
  options: readonly string[] = [],
): Promise<number> {
  const region = join(folder, `${name}.yaml`)
  await writeFile(region, JSON.stringify({ ...settings, output: join(folder, name), queue: redis.url }))
  const others = Array.from({ length: workers }, () =>
    spawn(process.execPath, [MAIN, 'worker', '--queue', redis.url, ...options], {
      stdio: ['ignore', 'ignore', 'pipe'],
    }),
  )
  await Promise.all(
    others.map(async ({ stderr }) => {
      for await (const text of readLines(stderr)) if (text.startsWith('Serving')) return
    }),
  )
  const child = spawn(process.execPath, [MAIN, 'build', region], { stdio: ['ignore', 'ignore', 'pipe'] })
  let from = 0
  let seconds = Number.NaN
  for await (const text of readLines(child.stderr)) {
    process.stderr.write(`${text}\n`)
    if (text.startsWith('select:')) from = performance.now()
    if (text.startsWith(`${stage}:`)) seconds = (performance.now() - from) / 1000
  }
  if (child.exitCode === null) await once(child, 'exit')
  for (const worker of others) worker.kill('SIGKILL')
  return seconds
}

/**
 * Seconds from the start of a worker's process until it has begun a job that was waiting.
 *
 * @param cache folder of compiled code, empty at the first start on a machine
 */
async function startOfWorker(name: string, settings: object, cache: string): Promise<number> {
  const region = join(folder, `${name}.yaml`)
  await writeFile(region, JSON.stringify({ ...settings, output: join(folder, name), queue: redis.url }))
  const builder = spawn(process.execPath, [MAIN, 'build', region], { stdio: 'ignore' })
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
  const queue = new Queue('plan', { connection, prefix: 'skyscript' })
  while ((await queue.getWaitingCount()) === 0) await sleep(5)
  const from = performance.now()
  const env = { ...process.env, NODE_COMPILE_CACHE: cache }
  const worker = spawn(process.execPath, [MAIN, 'worker', '--queue', redis.url], { stdio: 'ignore', env })
  while ((await queue.getWaitingCount()) > 0) await sleep(5)
  const seconds = (performance.now() - from) / 1000
  for (const process of [builder, worker]) {
    process.kill('SIGTERM')
    await once(process, 'exit')
  }
  await queue.obliterate({ force: true })
  await queue.close()
  connection.disconnect()
  return seconds
}

const show = (what: string, seconds: number, first: number) =>
  process.stdout.write(`  ${what.padEnd(28)}${seconds.toFixed(1).padStart(7)} s   ${(first / seconds).toFixed(2)} x\n`)

try {
  const latency = { ms: Number(values.latency), jitter: 0.1 }
  const server = await startLocalEarthEngine({ features: [], threads: 1, latency, limits: { concurrent: 4000 } })
  const imagery = (project: string) => ({
    sources: ['CH'],
    earthEngine: { endpoint: server.url, project, grouping: false, maxConcurrent: 400 },
  })
  const tiles = { minPixels: 64, maxPixels: 224, pointPixels: 64 }
  const filter = { scorers: [{ name: 'demo', model: DEMO }] }
  const one = { osm: { source: await mapOfTrees('start', 10) }, imagery: imagery('start'), tiles, filter }
  process.stdout.write(`a worker, from its start, load ${loadavg()[0]!.toFixed(1)}\n`)
  for (const [i, what] of ['the first on a machine', 'later', 'later', 'later'].entries()) {
    const seconds = await startOfWorker(`start-${i}`, one, join(folder, 'compiled'))
    process.stdout.write(`  first job begun, ${what.padEnd(24)}${seconds.toFixed(2)} s (target 2)\n`)
  }
  if (values.only !== 'start') {
    const map = await mapOfTrees('waiting', Number(values.images))
    process.stdout.write(
      `${values.images} images of a server that takes ${latency.ms} ms, load ${loadavg()[0]!.toFixed(1)}\n`,
    )
    let first = 0
    for (const workers of [1, 2, 4]) {
      const name = `waiting-${workers}`
      // One leaf at a time: by more, one worker would start all requests that a project may start in a second.
      const settings = { osm: { source: map }, imagery: imagery(name), tiles, filter }
      const seconds = await build(name, workers, 'fetch', settings, ['--concurrency', '1'])
      first ||= seconds
      show(`${workers} workers (target 3.6 of 4)`, seconds, first)
    }
    const model = await writeRandomModel(join(folder, 'model'))
    const scored = await mapOfTrees('scoring', Number(values.scored))
    process.stdout.write(`${values.scored} pairs scored on ${availableParallelism()} cores\n`)
    first = 0
    for (const workers of [1, 2]) {
      const name = `scoring-${workers}`
      const scorers = [{ name: 'vit', model }]
      const settings = { osm: { source: scored }, imagery: imagery(name), tiles, filter: { scorers } }
      const seconds = await build(name, workers, 'score', settings)
      first ||= seconds
      show(`${workers} workers (target 1 of 2)`, seconds, first)
    }
  }
  await server.close()
} finally {
  await redis.stop()
  await rm(folder, { recursive: true, force: true })
}
