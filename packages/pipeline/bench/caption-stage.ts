/**
 * `npm run bench:caption-stage`: the caption stage as a build does it, leaf by leaf, metas and results into a folder. The
 * images' records are made of the plan as if they had been fetched. Prints images a second, and the processor time of each.
 *
 * @example
 * npm run bench:caption-stage -- [--rounds 3] [file.osm.pbf]
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createCaptioner } from '@skyscript/captioner'
import { fileStem, getJson, type ImageRecord, silentProgress } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { stringify } from 'yaml'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { openContext } from '../src/context.ts'
import { extractTiles } from '../src/extract.ts'
import { putResult, resultKey } from '../src/results.ts'
import { type ExtractIndex, extractIndexKey, type Run, type SelectIndex, selectIndexKey } from '../src/run.ts'
import { selectObjects } from '../src/select.ts'
import { caption } from '../src/stages/caption.ts'
import { type PlanResult, plan, plannedImages } from '../src/stages/plan.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' } },
})
const source = resolve(positionals[0] ?? fileURLToPath(new URL('../../../examples/demo/town.osm.pbf', import.meta.url)))
const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-captions-'))
try {
  const region = {
    osm: { source },
    imagery: { sources: ['CH', 'ES', 'FI', 'US', 'S2'], earthEngine: { endpoint: 'local' } },
    output: folder,
  }
  await writeFile(join(folder, 'region.yaml'), stringify(region))
  const config = parseConfig(stringify(region), join(folder, 'region.yaml'))
  const storage = await openFolder(folder)
  const captioner = createCaptioner()
  const { signal } = new AbortController()
  const { size: bytes } = await stat(source)
  const files = [{ source, path: source, bytes, sha256: '0'.repeat(64), release: async () => {} }]
  const extract = await extractTiles(files, null, captioner, storage, new Set(), silentProgress, signal)
  const index = (await getJson<ExtractIndex>(storage, extractIndexKey(extract)))!
  const select = await selectObjects(config, extract, index, captioner, storage, new Set(), silentProgress)
  const selection = (await getJson<SelectIndex>(storage, selectIndexKey(select)))!
  const { queue: _queue, output: _output, ...shared } = config
  const tables = { tags: null, rules: null, styles: [], learned: null }
  const run: Run = { config: shared, extract, select, tables, files: {} }
  const job = { dataset: folder, run: 'bench', fingerprint: 'bench' }

  const planning = await openContext(storage, run, {}, captioner)
  const leaves: string[] = []
  let images = 0
  for (const tile of Object.keys(selection.tiles)) {
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
      await putResult(storage, resultKey({ ...job, stage: 'fetch', shard }), {}, { kept, dropped: [], failed: [] })
      leaves.push(shard)
      images += kept.length
    }
  }
  await planning.close()
  process.stdout.write(
    `${images} images of ${basename(source)} in ${leaves.length} leaves of ${Object.keys(selection.tiles).length} map tiles, load ${loadavg()[0]!.toFixed(1)}\n`,
  )
  for (let round = 0; round < Number(values.rounds); round++) {
    const context = await openContext(storage, run, {}, captioner)
    const [start, before] = [performance.now(), process.cpuUsage()]
    for (const shard of leaves) {
      const one = { ...job, stage: 'caption', shard, input: 'bench' }
      const result = await caption.run(one, context, signal)
      await putResult(storage, resultKey(one), caption.head(result), result)
    }
    const seconds = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(before)
    await context.close()
    const rate = Math.round(images / seconds)
    process.stdout.write(
      `${rate} images a second, ${((user + system) / images).toFixed(0)} microseconds of processor time each\n`,
    )
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
