/**
 * `npm run bench:caption-stage`: the caption stage as a build does it, leaf by leaf, metas and results into a folder. Each
 * source is taken to have an image of the whole file, so that every object that it can show gets one, as in a dense tile of
 * a country with orthophotos; the images' records are made of the plan as if they had been fetched. Prints images a second
 * with and without writing files, where the processor's time goes, and how fast a loop writes the same files.
 *
 * @example
 * npm run bench:caption-stage -- [--rounds 3] [--sources CH,S2] [file.osm.pbf]
 */
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type Profiler, Session } from 'node:inspector/promises'
import { loadavg, tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createCaptioner } from '@skyscript/captioner'
import {
  type Box,
  type CaptionRecord,
  fileStem,
  getJson,
  type ImageRecord,
  type Outcome,
  putJson,
  type Storage,
  silentProgress,
} from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import type { Source } from '@skyscript/gee-fetch'
import { stringify } from 'yaml'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { openContext } from '../src/context.ts'
import { extractTiles } from '../src/extract.ts'
import { putResult, resultKey } from '../src/results.ts'
import { type ExtractIndex, extractIndexKey, type Run, selectionKey } from '../src/run.ts'
import { caption } from '../src/stages/caption.ts'
import { type PlanResult, plan, plannedImages } from '../src/stages/plan.ts'
import { openTiles } from '../src/tiles.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    sources: { type: 'string', default: 'CH,S2' },
  },
})
const source = resolve(positionals[0] ?? fileURLToPath(new URL('../../../examples/demo/town.osm.pbf', import.meta.url)))
const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-captions-'))

/** Parts of a round, by the first function on the stack that has one of these names; a caller's part is its callee's too. */
const PARTS: readonly (readonly [part: string, functions: RegExp])[] = [
  ['tiles: read, parse and index', /^(touching|readObjects|linesOf|indexTile|fromFeatureLine|homesIn)$/],
  ['objects around images', /^(objectsAt|search|around)$/],
  ['captions', /^(captionImage)$/],
  ['metas', /^(metaPickle)$/],
  ['results and heads', /^(putResult|head|inputWithHead|readBoth|readResult|parse|removeOthers)$/],
  ['files', /^(put|putNow|withTemporary|openInFolder|writeFile|rename|close|open|list|walk|delete)$/],
  ['garbage collection', /^\(garbage collector\)$/],
]

/** Milliseconds by part, of a profile's samples. */
function partsOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> {
  const children = new Map(nodes.map((node) => [node.id, node]))
  const partOf = new Map<number, string>()
  const walk = (id: number, above: string | null) => {
    const node = children.get(id)!
    const { functionName } = node.callFrame
    const own = above ?? PARTS.find(([, functions]) => functions.test(functionName))?.[0] ?? null
    partOf.set(id, own ?? (functionName === '(idle)' ? 'idle' : 'other'))
    for (const child of node.children ?? []) walk(child, own)
  }
  walk(nodes[0]!.id, null)
  const sums = new Map<string, number>()
  for (const [i, id] of samples.entries()) {
    const part = partOf.get(id)!
    sums.set(part, (sums.get(part) ?? 0) + timeDeltas[i]! / 1000)
  }
  return sums
}

const line = (what: string, value: string) => process.stdout.write(`  ${what.padEnd(36)}${value}\n`)
const perImage = (what: string, images: number, seconds: number, processor: number) =>
  line(
    what,
    `${String(Math.round(images / seconds)).padStart(6)} a second, ${((1e6 * processor) / images).toFixed(0)} us of processor time each`,
  )

/** Seconds of the clock and of the processor. */
async function timed(task: () => Promise<void> | void): Promise<[seconds: number, processor: number]> {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await task()
  const { user, system } = process.cpuUsage(before)
  return [(performance.now() - start) / 1000, (user + system) / 1e6]
}

try {
  const region = {
    osm: { source },
    imagery: { sources: values.sources.split(','), earthEngine: { endpoint: 'local' } },
    output: folder,
  }
  await writeFile(join(folder, 'region.yaml'), stringify(region))
  const config = parseConfig(stringify(region), join(folder, 'region.yaml'))
  const storage = await openFolder(folder)
  const captioner = createCaptioner()
  const { signal } = new AbortController()
  const { size: bytes } = await stat(source)
  const files = [{ source, path: source, bytes, sha256: '0'.repeat(64), release: async () => {} }]
  const extract = await extractTiles(files, { clip: null }, captioner, storage, new Set(), silentProgress, signal)
  const index = (await getJson<ExtractIndex>(storage, extractIndexKey(extract)))!
  const select = 'bench'
  const { homeOutlines } = openTiles(storage, extract, index)
  for (const tile of Object.keys(index.tiles)) {
    const ids: string[] = []
    for await (const outlines of homeOutlines(tile)) for (const { id } of outlines) ids.push(id)
    await putJson(storage, selectionKey(select, tile), ids)
  }
  const { queue: _queue, output: _output, ...shared } = config
  const tables = { tags: null, rules: null, styles: [], learned: null }
  const run: Run = { config: shared, extract, select, tables, files: {} }
  const job = { dataset: folder, run: 'bench', fingerprint: 'bench' }

  const context = await openContext(storage, run, {}, captioner)
  const extent: Box = [-180, -85, 180, 85]
  const time = Date.UTC(2022, 5, 1)
  const find = async ({ alias }: Source) => [{ imageId: `bench/${alias}`, time, cloud: 0, footprint: extent }]
  const sources = context.sources.map((each) => ({ ...each, extent }))
  const planning = { ...context, sources, imagery: { ...context.imagery, find } }
  const leaves: string[] = []
  let images = 0
  for (const tile of Object.keys(index.tiles)) {
    const { leaves: planned } = (await plan.run(
      { ...job, stage: 'plan', shard: tile, input: select },
      planning,
      signal,
    )) as PlanResult
    for (const { shard, content } of planned) {
      const of = (await plannedImages(planning, { ...job, stage: 'fetch', shard, input: content }))!
      const kept = of.map(({ id, candidates: [first] }): ImageRecord => {
        const filepath = `images2/${fileStem(id, first!.source, first!.time)}.jpg`
        return { ...first!, id, filepath, bytes: 1, sha256: '' }
      })
      await putResult(
        storage,
        resultKey({ ...job, stage: 'fetch', shard }),
        { digest: 'bench' },
        { kept, dropped: [], failed: [] },
      )
      leaves.push(shard)
      images += kept.length
    }
  }
  await context.close()

  /** Captions all leaves in a new context. Files of earlier rounds are removed: a build writes new ones. */
  const round = async (into: Storage, around: (task: () => Promise<void>) => Promise<void> = (task) => task()) => {
    for (const name of ['meta2', 'work/caption']) await rm(join(folder, name), { recursive: true, force: true })
    const context = await openContext(into, run, {}, captioner)
    const took = await timed(() =>
      around(async () => {
        for (const shard of leaves) {
          const one = { ...job, stage: 'caption', shard, input: 'bench' }
          const result = await caption.run(one, context, signal)
          await putResult(into, resultKey(one), caption.head(result), result)
        }
      }),
    )
    await context.close()
    return took
  }
  await round(storage)

  const lengths: number[] = []
  for (const shard of leaves) {
    const [, text] = (await readFile(join(folder, resultKey({ ...job, stage: 'caption', shard })), 'utf8')).split('\n')
    for (const { surroundingTags } of (JSON.parse(text!) as Outcome<CaptionRecord>).kept)
      lengths.push(surroundingTags.length)
  }
  lengths.sort((a, b) => a - b)
  const mean = lengths.reduce((sum, each) => sum + each, 0) / lengths.length
  process.stdout.write(
    `${images} images of ${basename(source)} in ${leaves.length} leaves of ${Object.keys(index.tiles).length} map tiles, load ${loadavg()[0]!.toFixed(1)}\n`,
  )
  line(
    'visible objects around an image',
    `mean ${mean.toFixed(0)}, median ${lengths[lengths.length >> 1]}, most ${lengths.at(-1)}`,
  )
  for (let i = 0; i < Number(values.rounds); i++) perImage('the stage', images, ...(await round(storage)))
  const dry: Storage = { ...storage, put: async () => {} }
  for (let i = 0; i < Number(values.rounds); i++) perImage('the same, no file written', images, ...(await round(dry)))

  await round(storage)
  const metas: { name: string; content: Buffer }[] = []
  for (const name of await readdir(join(folder, 'meta2')))
    metas.push({ name, content: await readFile(join(folder, 'meta2', name)) })
  const total = metas.reduce((sum, { content }) => sum + content.length, 0)
  const loop = (finish: (path: string, target: string) => void) => async () => {
    const target = await mkdtemp(join(folder, 'loop-'))
    const written = await timed(() => {
      mkdirSync(join(target, 'meta2'))
      for (const { name, content } of metas) {
        const path = join(target, 'meta2', `.${name}`)
        const file = openSync(path, 'wx')
        writeSync(file, content)
        closeSync(file)
        finish(path, join(target, 'meta2', name))
      }
    })
    await rm(target, { recursive: true })
    return written
  }
  process.stdout.write(`A loop that writes the same metas, ${(total / images).toFixed(0)} bytes each\n`)
  perImage('open, write, close', images, ...(await loop(() => {})()))
  perImage('open, write, close, rename', images, ...(await loop(renameSync)()))

  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
  await round(storage)
  const { profile } = await session.post('Profiler.stop')
  process.stdout.write('Microseconds an image of the main thread, under a profiler\n')
  for (const [part, ms] of [...partsOf(profile)].sort((a, b) => b[1] - a[1]))
    line(part, ((1000 * ms) / images).toFixed(1).padStart(6))
} finally {
  await rm(folder, { recursive: true, force: true })
}
