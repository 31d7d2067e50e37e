/**
 * `npm run bench:noop`: a build with nothing to do, and one after a change of 1 % of the map, of a synthetic dataset: time,
 * peak memory, questions to the storage, jobs. The results, and their heads, are those of all leaves; image files are made
 * for a tenth of the pairs, and the time to list the others is extrapolated from two listings.
 *
 *   npm run bench:noop -- [--pairs 5200000]
 */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { fingerprint, mapTileAt, metaPath, putJson, type Storage, sha256 } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { LOCK } from '@skyscript/dataset'
import { stringify } from 'yaml'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { openStorage } from '../../worker/src/storages/storages.ts'
import { createTerminal } from '../../worker/src/terminal/terminal.ts'
import { datasetFacts } from '../src/assemble.ts'
import { build, builtOf, leavesOf } from '../src/coordinator.ts'
import { assembledKey, fingerprintOf } from '../src/cut.ts'
import { type Flow, flow, jobOf } from '../src/flow.ts'
import { type Done, writeHeads } from '../src/heads.ts'
import { type Prepared, prepare } from '../src/prepare.ts'
import { bucketsText, listStorage, sealDataset } from '../src/presence/listing.ts'
import { resultKey } from '../src/results.ts'
import {
  type ExtractIndex,
  extractIndexKey,
  requestsKey,
  type SelectIndex,
  selectIndexKey,
  selectionKey,
  tileKey,
} from '../src/run.ts'
import type { Runner } from '../src/runner/runner.ts'
import type { Following, Head } from '../src/stage.ts'
import { loadStages } from '../src/stages/index.ts'

const PER_LEAF = 100
const LEAVES_PER_TILE = 16
const FILES_SHARE = 0.1
const DEMO = fileURLToPath(new URL('../../../examples/demo/', import.meta.url))

const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '5200000' }, build: { type: 'string' } },
})
const signal = new AbortController().signal
const terminal = createTerminal({ write: () => {} })
const noRunner: Runner = {
  run: () => Promise.reject(new Error('There should be nothing to do.')),
  close: async () => {},
}
const stages = await loadStages()

const optionsOf = (folder: string, storage: Storage, runner: Runner = noRunner) => ({
  config: parseConfig(
    stringify({
      osm: { source: join(DEMO, 'town.osm.pbf') },
      imagery: { sources: ['US'] },
      filter: { scorers: [{ name: 'openai', model: join(DEMO, 'model') }] },
      output: join(folder, 'out'),
    }),
    join(folder, 'region.yaml'),
  ),
  ...{ storage, openStorage, runner, terminal, signal },
})

/** In a process of its own: what a build with nothing to do takes. */
async function measureBuild(folder: string): Promise<void> {
  const questions = { list: 0, get: 0, put: 0 }
  const real = await openFolder(join(folder, 'out'))
  const storage: Storage = {
    ...real,
    get(key) {
      questions.get++
      return real.get(key)
    },
    put(key, value) {
      questions.put++
      return real.put(key, value)
    },
    stream(key) {
      questions.get++
      return real.stream(key)
    },
    async *list(prefix, depth) {
      questions.list++
      yield* real.list(prefix, depth)
    },
  }
  const from = performance.now()
  const { unchanged, jobs } = await build(optionsOf(folder, storage))
  if (!unchanged || Object.keys(jobs).length > 0) throw new Error('The build had something to do.')
  const seconds = (performance.now() - from) / 1000
  const { user, system } = process.cpuUsage()
  process.stdout.write(
    JSON.stringify({
      seconds,
      processor: (user + system) / 1e6,
      megabytes: process.resourceUsage().maxRSS / 1024,
      questions,
    }),
  )
}

async function main(pairs: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-noop-'))
  try {
    const leaves = Math.ceil(pairs / PER_LEAF)
    const started = performance.now()
    const storage = await openFolder(join(folder, 'out'))
    const prepared = await makeDataset(folder, storage, leaves)
    const making = (performance.now() - started) / 1000
    process.stdout.write(
      `${pairs} pairs in ${leaves} leaves of ${prepared.roots.length} map tiles, made in ${making.toFixed(0)} s; load ${loadavg()[0]!.toFixed(1)}\n`,
    )
    const args = [fileURLToPath(import.meta.url), '--build', folder]
    const found = JSON.parse(
      execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
    ) as {
      seconds: number
      processor: number
      megabytes: number
      questions: { list: number; get: number; put: number }
    }
    const listing = await secondsOfListing(storage)
    const whole = found.seconds + listing * (1 / FILES_SHARE - 1)
    const files = 2 * pairs * FILES_SHARE
    process.stdout.write(
      `nothing to do: ${found.seconds.toFixed(1)} s, of which ${listing.toFixed(1)} s list ${files} images and metas; ${whole.toFixed(0)} s with all of them (extrapolated; target 60)\n` +
        `${found.processor.toFixed(1)} s of processor time, start included; peak memory ${found.megabytes.toFixed(0)} MB (target 1000); ${found.questions.list} listings, ${found.questions.get} values read, ${found.questions.put} written\n`,
    )
    await measureChange(prepared, storage, folder, leaves)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** As a build does it, without `work/`. */
async function secondsOfListing(storage: Storage): Promise<number> {
  const top = (await Array.fromAsync(storage.list('', 'shallow'))).filter(({ key }) => key !== 'work/')
  const list: Storage['list'] = (prefix, depth) => (prefix === '' ? eachOf(top) : storage.list(prefix, depth))
  const from = performance.now()
  await listStorage({ ...storage, list })
  return (performance.now() - from) / 1000
}

async function* eachOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

/** Writes what a build with this number of leaves leaves behind, except the results, which are not read. */
async function makeDataset(folder: string, storage: Storage, leaves: number): Promise<Prepared> {
  // What a real run of the little town is called, with the index of a large region in its place.
  const town = await prepare(optionsOf(folder, storage))
  await town.context.close()
  const { extract } = town.facts.run
  const names = Array.from({ length: Math.ceil(leaves / LEAVES_PER_TILE) }, (_, i) =>
    mapTileAt([-120 + (i % 500) / 10 + 0.05, 30 + Math.floor(i / 500) / 10 + 0.05]),
  )
  const objects = PER_LEAF * LEAVES_PER_TILE
  const tiles = Object.fromEntries(
    names.map((tile) => [tile, { sha256: sha256(tile), edits: '', touching: objects, objects }]),
  )
  const index: ExtractIndex = { ...town.facts.index, tiles, tagged: objects * names.length, dropped: {} }
  const chosen = Object.fromEntries(names.map((tile) => [tile, { sha256: sha256(tile), objects }]))
  await putJson(storage, extractIndexKey(extract), index)
  const nothing = gzipSync('')
  for (const tile of names) await storage.put(tileKey(extract, tile), nothing)
  // Nothing is selected of tiles without objects; what the selection is called is what counts.
  const empty = await prepare(optionsOf(folder, storage))
  await empty.context.close()
  const { select } = empty.facts.run
  const selection: SelectIndex = { tiles: chosen, dropped: {}, tags: {} }
  await putJson(storage, selectIndexKey(select), selection)
  for (const tile of names) await storage.put(selectionKey(select, tile), '')
  const first = await prepare(optionsOf(folder, storage))
  await first.context.close()
  const { heads } = await resultsOf(first, storage)
  const made: Flow = { done: heads, failed: new Map(), jobs: new Map() }
  const { built } = builtOf(made, first)
  const facts = datasetFacts(built, leavesOf(made, first), { exclude: null, benchmarks: null })
  const kept = leaves * PER_LEAF
  const lock = { counts: { objects: kept, kept, dropped: {}, failed: {} }, files: {} }
  await putJson(storage, assembledKey(fingerprintOf(facts)), lock)
  await storage.put(LOCK, `${JSON.stringify(lock, null, 2)}\n`)
  const digests = new Map<string, string>()
  for (const [stage, done] of heads) digests.set(stage, await writeHeads(storage, stage, done.values(), []))
  await sealDataset(storage, digests)
  return first
}

type Heads = Map<string, Map<string, Done>>

/** Files of results, and their heads, stage by stage. */
async function resultsOf(prepared: Prepared, storage: Storage): Promise<{ heads: Heads }> {
  const heads: Heads = new Map(stages.map(({ name }) => [name, new Map<string, Done>()]))
  let number = 0
  const visit = async (after: string | null, item: Following): Promise<void> => {
    for (const stage of stages) {
      if (stage.after !== after) continue
      const job = jobOf(stage, item, prepared)
      const head = headOf(stage.name, item.shard, () => number++)
      heads.get(stage.name)!.set(item.shard, { job, head, size: 0 })
      await storage.put(resultKey(job), '')
      const next = stage.follow?.(head) ?? [{ shard: item.shard, input: job.fingerprint, upstream: head }]
      for (const each of next) await visit(stage.name, each)
      if (stage.name === 'plan') for (const { shard, input } of next) await storage.put(requestsKey(shard, input), '')
    }
  }
  for (const root of prepared.roots) await visit(null, root)
  await writeFiles(storage.url, number)
  return { heads }
}

function imagePath(number: number): string {
  return `images${2 + (number % 6)}/a${1_000_000_000 + number}_US_21.jpg`
}

function headOf(stage: string, shard: string, next: () => number): Head {
  const common = { kept: PER_LEAF, digest: fingerprint(stage, shard), dropped: {}, failed: {} }
  if (stage === 'plan') {
    const leaves = Array.from({ length: LEAVES_PER_TILE }, (_, i) => {
      const leaf = `${shard}/q${i.toString(4).padStart(2, '0')}`
      return { shard: leaf, content: fingerprint(leaf), kept: PER_LEAF, requests: 40, pixels: 4_000_000 }
    })
    return { ...common, kept: PER_LEAF * LEAVES_PER_TILE, leaves, years: {}, hasOrigins: false } as Head
  }
  if (stage === 'fetch') {
    const paths = Array.from({ length: PER_LEAF }, () => imagePath(next()))
    const looked = { US: { taken: PER_LEAF } }
    return {
      ...common,
      tiles: [shard.split('/')[0]!],
      buckets: bucketsText(paths),
      looked,
      origins: { US: ['earthengine'] },
    } as Head
  }
  return { ...common, titles: fingerprint(shard), images: fingerprint('fetch', shard) } as Head
}

async function writeFiles(root: string, images: number): Promise<void> {
  for (let i = 2; i < 8; i++)
    for (const kind of ['images', 'meta']) await mkdir(join(root, `${kind}${i}`), { recursive: true })
  const share = Math.floor(images * FILES_SHARE)
  const queue = Array.from({ length: share }, (_, i) => imagePath(i)).values()
  const write = async () => {
    for (const path of queue) for (const each of [path, metaPath(path)]) await writeFile(join(root, each), '')
  }
  await Promise.all(Array.from({ length: 8 }, write))
}

/** Counts the jobs after 1 % of the map tiles changed so that their captions may, and none does. */
async function measureChange(prepared: Prepared, storage: Storage, folder: string, leaves: number): Promise<void> {
  const jobs = new Map<string, number>()
  const runner: Runner = {
    async run(queue, onEnd, stop) {
      const serve = async (stage: string) => {
        for (let next = await queue.next(stage, stop); next; next = await queue.next(stage, stop)) {
          const { job } = next
          jobs.set(stage, (jobs.get(stage) ?? 0) + 1)
          const head = known.get(stage)!.get(job.shard)!.head
          await storage.put(resultKey(job), `${JSON.stringify(head)}\n`)
          onEnd(job, null)
        }
      }
      await Promise.all(queue.stages.map(serve))
    },
    close: async () => {},
  }
  const again = await prepare(optionsOf(folder, storage, runner))
  const known = (await flow(stages, again.roots, again)).done
  const tiles = { ...again.facts.index.tiles }
  const changed = Object.keys(tiles).filter((_, i) => i % 100 === 0)
  for (const tile of changed) tiles[tile] = { ...tiles[tile]!, sha256: sha256(`${tile} changed`) }
  const facts = { ...again.facts, index: { ...again.facts.index, tiles } }
  const from = performance.now()
  // What jobs would ask is not asked.
  const unchecked = stages.map(({ preflight: _, ...stage }) => stage)
  await flow(unchecked, prepared.roots, { ...again, facts, runner })
  const seconds = (performance.now() - from) / 1000
  await again.context.close()
  const all = prepared.roots.length + 3 * leaves
  const ran = [...jobs.values()].reduce((sum, n) => sum + n, 0)
  process.stdout.write(
    `1 % of map tiles changed: ${ran} of ${all} jobs run, ${((100 * ran) / all).toFixed(1)} % (target 3), in ${seconds.toFixed(1)} s\n`,
  )
}

if (values.build !== undefined) await measureBuild(values.build)
else await main(Number(values.pairs))
