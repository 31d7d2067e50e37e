/**
 * How well a build keeps to Earth Engine's limits and fills them: requests in progress, as the server counts them, while
 * images are fetched; embedded, and by 4 workers over Redis.
 *
 *   npm run bench:quota -- region.osm.pbf [--latency 300] [--images 2000]
 *
 * Beside it what the two limits allow at most: a server that answers after 300 ms is kept busy with 30 requests by 100 a
 * second, however many it would take at a time.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type LocalEarthEngine, startLocalEarthEngine } from '@skyscript/local-earth-engine'
import { startRedis } from '../../../test/support/redis.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { latency: { type: 'string', default: '300' }, images: { type: 'string', default: '2000' } },
})
const [source] = positionals
if (source === undefined) throw new Error('Give an OSM extract: npm run bench:quota -- region.osm.pbf')
const ms = Number(values.latency)
const SLOTS = 40
const PER_SECOND = 100
const SAMPLE_MS = 5
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const MODEL = fileURLToPath(new URL('../../../examples/demo/model', import.meta.url))

const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-'))
const redis = await startRedis()
const run = (args: readonly string[]) =>
  spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })

interface Sample {
  readonly at: number
  readonly busy: number
  readonly pixels: number
}

/** Builds the region, and looks at the server all the while. */
async function measure(name: string, queue: string, workers: number): Promise<void> {
  // Bare ground in small images: what is measured is the waiting, and drawing takes the cores that clients need.
  const server = await startLocalEarthEngine({ features: [], threads: 1, latency: { ms, jitter: 0.3 } })
  const region = join(folder, `${name}.yaml`)
  const settings = {
    osm: { source: resolve(source!) },
    imagery: {
      sources: ['US', 'P3', 'ES', 'CH'],
      earthEngine: { endpoint: server.url, project: name, grouping: false },
    },
    tiles: { minPixels: 64, maxPixels: 256, pointPixels: 64 },
    selection: { maxPerTag: Number(values.images) },
    filter: { scorers: [{ name: 'openai', model: MODEL }] },
    output: join(folder, name),
    queue,
  }
  await writeFile(region, JSON.stringify(settings))
  const others = Array.from({ length: workers }, () => run(['worker', '--queue', queue]))
  const build = run(['build', region])
  let said = ''
  build.stderr.on('data', (text: Buffer) => {
    said += text.toString()
  })
  const samples = await watch(server, new Promise<number | null>((done) => build.once('close', done)))
  for (const worker of others) worker.kill('SIGKILL')
  report(name, server, samples, /fetch: .*/.exec(said)?.[0] ?? said)
  await server.close()
}

async function watch(server: LocalEarthEngine, ended: Promise<unknown>): Promise<Sample[]> {
  const samples: Sample[] = []
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  while (!isOver) {
    const { concurrent, requests } = server.stats()
    samples.push({ at: performance.now(), busy: concurrent, pixels: requests.pixels })
    await sleep(SAMPLE_MS)
  }
  return samples
}

function report(name: string, server: LocalEarthEngine, samples: readonly Sample[], said: string): void {
  const last = samples.at(-1)!.pixels
  const fetching = samples.filter(({ pixels, busy }) => pixels > 0 && (pixels < last || busy > 0))
  // The first and the last requests can't fill the slots: there are not as many.
  const steady = fetching.filter(({ pixels }) => pixels > 2 * SLOTS && pixels < last - SLOTS)
  const mean = (part: readonly Sample[]) => {
    let [sum, time] = [0, 0]
    for (let i = 1; i < part.length; i++) {
      const span = part[i]!.at - part[i - 1]!.at
      sum += part[i - 1]!.busy * span
      time += span
    }
    return { busy: sum / time, seconds: time / 1000 }
  }
  const [whole, middle] = [mean(fetching), mean(steady)]
  const { peakConcurrent, byStatus } = server.stats()
  const rate = (last - 3 * SLOTS) / middle.seconds
  const line = (what: string, value: string) => process.stdout.write(`  ${what.padEnd(52)}${value}\n`)
  process.stdout.write(`${name}: ${last} requests for pixels, ${ms} ms +- 30 % (${said.trim()})\n`)
  line('slots busy on average, of 40', `${middle.busy.toFixed(1)} (${((100 * middle.busy) / SLOTS).toFixed(1)} %)`)
  line('  with the begin and the end', `${whole.busy.toFixed(1)}`)
  line('  at most by 100 starts a second at this latency', `${Math.min(SLOTS, (PER_SECOND * ms) / 1000).toFixed(1)}`)
  line('most that the server counted', `${peakConcurrent}`)
  line('requests a second', `${rate.toFixed(1)}`)
  line('answers of 429', `${byStatus[429] ?? 0}`)
  line('seconds', `${whole.seconds.toFixed(1)}`)
}

try {
  await measure('embedded', 'embedded', 0)
  await measure('4-workers', redis.url, 4)
} finally {
  await redis.stop()
  await rm(folder, { recursive: true, force: true })
}
