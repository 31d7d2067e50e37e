/**
 * Seconds and memory that cutting stored pairs takes: ranking, top 20, 30 and 50 %, val, test, all CSVs, the manifest, the
 * report and every hash. Beside it what DuckDB takes for the same files from the same manifest, which is told the splits.
 *
 *   npm run bench:cut -- [--pairs 5200000] [--folder /tmp/...] [--keep]
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseConfig } from '@skyscript/core/config'
import { findDuplicates, storePairs } from '@skyscript/filter'
import { createReportCollector } from '../../dataset/src/report/report.ts'
import { type DatasetState, STATE, stateText } from '../../pipeline/src/cut.ts'
import { lockedConfig } from '../../pipeline/src/lock.ts'
import { openFolder } from '../src/storages/folder.ts'
import { pairsLike } from './pairs.ts'

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5200000' },
    folder: { type: 'string' },
    keep: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})
const pairs = Number(values.pairs)
const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'skyscript-bench-cut-')))
const dataset = join(folder, 'dataset')
const region = `name: SkyScript
osm: { source: none.osm.pbf }
imagery: { earthEngine: { endpoint: local } }
filter: { top: [20, 30, 50], val: 5000, test: 30000 }
output: ${dataset}
`

if (!existsSync(join(dataset, 'manifest.parquet'))) await makeDataset()

async function makeDataset(): Promise<void> {
  const started = performance.now()
  const storage = await openFolder(dataset)
  const config = parseConfig(region, join(folder, 'region.yaml'))
  const collector = createReportCollector({ seed: config.seed, scorers: ['openai'] })
  async function* rows() {
    for (const row of pairsLike(pairs)) {
      // The report of all is not what is measured, and holds no more for more.
      if (Number(row.image.id.slice(1)) % 100 === 0) collector.add(row)
      yield row
    }
  }
  await storePairs({
    rows: rows(),
    scorers: ['openai'],
    moreCaptions: false,
    attribution: () => ({
      collection: 'USDA/NAIP/DOQQ',
      licence: 'public domain',
      credit: 'USDA 2021',
      datePrecision: 'day',
    }),
    storage,
  })
  const state: DatasetState = {
    config: lockedConfig(config),
    inputs: [],
    objects: pairs,
    captioner: '',
    scorers: [{ name: 'openai', fingerprint: '', model: { id: 'none', revision: null, files: [] } }],
    dropped: {},
    failed: {},
    origins: {},
    looked: {},
    content: '',
    exclude: null,
    report: collector.end(),
    duplicates: await findDuplicates(storage),
    years: { US: [2021] },
    names: ['SkyScript'],
  }
  await storage.put(STATE, stateText(state))
  const { size } = await stat(join(dataset, 'manifest.parquet'))
  const seconds = (performance.now() - started) / 1000
  console.log(`${pairs} pairs stored in ${seconds.toFixed(0)} s, ${(size / 1e9).toFixed(2)} GB`)
}

interface Measured {
  readonly seconds: number
  /** Megabytes. */
  readonly peak: number
}

/** A program of ours in a process of its own, which reports its peak memory when it ends. */
function measured(script: string, args: readonly string[]): Promise<Measured> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let told = ''
    child.stderr.on('data', (text) => {
      told += text
    })
    child.on('close', (code) => {
      const peak = /peak (\d+) MB/.exec(told)
      if (code !== 0 || peak === null) reject(new Error(`${script} ended with ${code}: ${told}`))
      else resolve({ seconds: (performance.now() - started) / 1000, peak: Number(peak[1]) })
    })
  })
}

const bytesOf = async (path: string) => {
  const files = (await readdir(path)).filter((name) => /\.(csv|parquet)$/.test(name))
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(path, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
const line = (what: string, { seconds, peak }: Measured, bytes: number) =>
  console.log(
    `${what.padEnd(16)} ${seconds.toFixed(1).padStart(7)} s ${String(peak).padStart(6)} MB peak  ${(bytes / 1e9).toFixed(2)} GB written`,
  )

// A dataset that is cut as asked is left as it is.
await rm(join(dataset, 'dataset.lock.json'), { force: true })
await rm(join(dataset, 'work', 'assemble'), { recursive: true, force: true })
const ours = await measured('cut-ours.ts', [dataset])
line('skyscript cut', ours, await bytesOf(dataset))
const peer = join(folder, 'duckdb')
await rm(peer, { recursive: true, force: true })
await mkdir(peer)
line('DuckDB', await measured('cut-duckdb.ts', [join(dataset, 'manifest.parquet'), peer]), await bytesOf(peer))
if (!values.keep && values.folder === undefined) await rm(folder, { recursive: true })
