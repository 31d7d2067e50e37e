import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { PROMPTS, type Prompts, readPaths } from '@skyscript/benchmark'
import { BENCHMARK_SETS, InputError, sha256OfStream } from '@skyscript/core'
import { LOCK } from '@skyscript/dataset'
import { BENCHMARK_RECORD, type BenchmarkRecord, parseBenchmarkText, setCsv } from '@skyscript/dataset/benchmarks'
import { openFinished } from '@skyscript/dataset/export'
import { openFolder } from '../storages/folder.ts'
import type { FoundColumn, FoundSet, SourceDataset } from './found-set.ts'
import { isFile } from './image-source.ts'
import { ORIGINAL_SETS, type OriginalSet } from './original-sets.ts'
import { openCsv, readCaptioned, readClassified } from './sets.ts'
import { isWebdataset, readWebdataset } from './webdataset.ts'

/** Folders below the root in which sets may be. */
const LEVELS = 4
/** Folders of a dataset that hold thousands of files, or other forms of its sets. */
const SKIPPED = /^(?:\..*|images\d+|meta\d+|work|export|report|state|node_modules)$/
const ORDER: readonly string[] = [...ORIGINAL_SETS.map(({ name }) => name), ...BENCHMARK_SETS]

/**
 * Finds all benchmark sets below a folder: those of our datasets, those of the original as its zips unpack, and webdatasets as
 * CLIP_benchmark reads them.
 *
 * @throws InputError `no-benchmarks` if there is none, `bad-benchmark`
 */
export async function findSets(root: string): Promise<FoundSet[]> {
  const found: FoundSet[] = []
  const visit = async (folder: string, level: number): Promise<void> => {
    const set = await setIn(folder)
    if (set !== null) found.push(set)
    if (set !== null || level === LEVELS) return
    const entries = await readdir(folder, { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (SKIPPED.test(entry.name)) continue
      const path = join(folder, entry.name)
      const isFolder = entry.isSymbolicLink()
        ? await stat(path).then(
            (target) => target.isDirectory(),
            () => false,
          )
        : entry.isDirectory()
      if (isFolder) await visit(path, level + 1)
    }
  }
  const there = await stat(root).catch(() => null)
  if (!there?.isDirectory()) throw new InputError('no-benchmarks', `--benchmarks ${root}: there is no such folder.`)
  await visit(resolve(root), 0)
  if (found.length === 0) {
    const kinds = `sets of a dataset (${BENCHMARK_RECORD}), SkyScript's unpacked zips, and CLIP_benchmark webdatasets (test/nshards.txt)`
    throw new InputError('no-benchmarks', `--benchmarks ${root}: there is no benchmark; it looks for ${kinds}.`)
  }
  return named(found, resolve(root)).sort(bySet)
}

const placeOf = ({ name }: FoundSet) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)
const bySet = (a: FoundSet, b: FoundSet) => placeOf(a) - placeOf(b) || (a.name < b.name ? -1 : 1)

/** Sets of the same name get their path below the root as name. */
function named(sets: readonly FoundSet[], root: string): FoundSet[] {
  const counts = Map.groupBy(sets, ({ name }) => name)
  return sets.map((set) =>
    counts.get(set.name)!.length === 1
      ? set
      : { ...set, name: relative(root, set.folder).split(sep).join('/') || set.name },
  )
}

async function setIn(folder: string): Promise<FoundSet | null> {
  const name = basename(folder)
  if (await isWebdataset(folder)) {
    const { task, read } = await readWebdataset(folder, 'test')
    const column = task === 'retrieval' ? 'txt' : 'cls'
    return { name, folder, split: 'test', columns: [{ column, task, read }], dataset: null }
  }
  const record = join(folder, BENCHMARK_RECORD)
  if (await isFile(record)) return ourSet(folder, record)
  const original = ORIGINAL_SETS.find((set) => set.name === name)
  const csv = original && join(folder, original.csv)
  return original && (await isFile(csv!)) ? originalSet(folder, original) : null
}

async function ourSet(folder: string, path: string): Promise<FoundSet> {
  const record = parseRecord(path, await readFile(path, 'utf8'))
  const csv = join(folder, setCsv(basename(folder)))
  const check = async () => {
    if (!(await isFile(csv))) throw new InputError('missing-file', `${csv}: there is no such file.`)
    if ((await sha256OfStream(createReadStream(csv))) === record.sha256) return
    const what = `${csv} is not the file that ${BENCHMARK_RECORD} beside it describes`
    throw new InputError('bad-benchmark', `${what}; write the set again with skyscript benchmark.`)
  }
  const prompts = promptsOf(record)
  const columns: FoundColumn[] = record.labels.map(({ column, file }) => ({
    column,
    task: 'classification',
    async read(options) {
      await check()
      const of = { ...options, csv, root: await rootOf(csv), trainingPairs: 'refuse' as const }
      const set = await readClassified(of, { classList: join(folder, file), labelColumn: column })
      return { task: 'classification', set, prompts }
    },
  }))
  const captionColumn = 'title_multi_objects'
  const captioned: FoundColumn = {
    column: captionColumn,
    task: 'retrieval',
    async read(options) {
      await check()
      const of = { ...options, csv, root: await rootOf(csv), trainingPairs: 'refuse' as const }
      return { task: 'retrieval', set: await readCaptioned(of, { captionColumn, captionPrefix: '' }) }
    },
  }
  const dataset = await datasetAbove(folder)
  return { name: record.name, folder, split: record.from, columns: columns.length > 0 ? columns : [captioned], dataset }
}

/** The dataset whose folder a set is in. */
async function datasetAbove(folder: string): Promise<SourceDataset | null> {
  for (const above of [dirname(folder), dirname(dirname(folder))]) {
    if (!(await isFile(join(above, LOCK)))) continue
    const { config, fingerprint, inputs } = (await openFinished(await openFolder(above))).lock
    const times = inputs.flatMap(({ replicationTimestamp }) => replicationTimestamp ?? [])
    return { name: config.name, fingerprint, map: times.sort().at(-1) ?? null }
  }
  return null
}

function parseRecord(path: string, text: string): BenchmarkRecord {
  const checked = parseBenchmarkText(text)
  if ('value' in checked) return checked.value
  throw new InputError('bad-benchmark', `${path}: ${checked.faults[0]}; write the set again with skyscript benchmark.`)
}

const promptsOf = ({ prompts }: BenchmarkRecord): Prompts =>
  typeof prompts === 'string' ? (PROMPTS[prompts] ?? PROMPTS.SkyScript_cls!) : prompts

function originalSet(folder: string, { name, csv: file, columns }: OriginalSet): FoundSet {
  const csv = join(folder, file)
  return {
    name,
    folder,
    dataset: null,
    split: /_(train|val|test)\.csv$/.exec(file)![1]!,
    columns: columns.map((each) => ({
      column: each.column,
      task: 'prefix' in each ? 'retrieval' : 'classification',
      async read(options) {
        const of = { ...options, csv, root: await rootOf(csv), trainingPairs: 'refuse' as const }
        if ('prefix' in each) {
          const set = await readCaptioned(of, { captionColumn: each.column, captionPrefix: each.prefix })
          return { task: 'retrieval', set }
        }
        const set = await readClassified(of, { classList: join(folder, each.classes), labelColumn: each.column })
        return { task: 'classification', set, prompts: PROMPTS[name]! }
      },
    })),
  }
}

/** Rows looked at to find the folder that paths are relative to: some images may be missing. */
const TRIED = 20

/**
 * The folder that paths of a set's CSV are relative to: the first of those above it, and its own, below which an image is found.
 * In the original it is the one above.
 */
async function rootOf(csv: string): Promise<string> {
  const own = dirname(csv)
  const folders = [dirname(own), dirname(dirname(own)), own]
  for (const path of await readPaths(await openCsv(csv), TRIED))
    for (const folder of folders) if (await isFile(resolve(folder, path))) return folder
  return folders[0]!
}
