import { count, type Storage } from '@skyscript/core'
import {
  BENCHMARK_RECORD,
  type BenchmarkRecord,
  PROMPTS_FILE,
  parseBenchmarkText,
  SET_FOLDERS,
  setCsv,
  setFolderOf,
} from '../benchmarks/index.ts'
import type { DatasetLock } from '../lock.ts'
import { LOCK } from '../names.ts'
import { CsvFormatError, readCsv } from './csv-reader.ts'
import { type FaultList, quoted } from './faults.ts'
import type { RowIndex } from './row-index.ts'

/** The original's code fails on fewer. */
const FEWEST_CLASSES = 5

/** A benchmark set that was read. */
export interface BenchmarkContent {
  readonly from: BenchmarkRecord['from']
  /** 1 for every manifest row that it lists. */
  readonly members: Uint8Array
}

/** Checks that every benchmark set is what its record and the lock say, and shows only pairs of the split that it is made of. */
export async function checkBenchmarks(
  storage: Storage,
  lock: DatasetLock,
  index: RowIndex,
  faults: FaultList,
): Promise<BenchmarkContent[]> {
  const contents: BenchmarkContent[] = []
  const pairs = pairsBySplit(index)
  for (const [folder, { images, classes }] of Object.entries(lock.benchmarks ?? {})) {
    const csv = `${folder}/${setCsv(folder)}`
    if (setFolderOf(csv) !== folder) {
      faults.add('benchmark', LOCK, `lists the benchmark set ${quoted(folder)}, which is not the folder of one`)
      continue
    }
    const record = await readRecord(storage, folder, faults)
    if (record === null) continue
    const files = [csv, ...record.labels.map(({ file }) => `${folder}/${file}`)]
    if (typeof record.prompts !== 'string' && record.prompts.length > 0) files.push(`${folder}/${PROMPTS_FILE}`)
    for (const path of files) {
      if (!Object.hasOwn(lock.files, path)) faults.add('lock', LOCK, `does not list ${path}`)
    }
    if (record.sha256 !== lock.files[csv])
      faults.add('benchmark', `${folder}/${BENCHMARK_RECORD}`, `has another sha256 of ${csv} than the lock`)
    if (record.images !== images || (record.labels[0]?.classes.length ?? 0) !== classes)
      faults.add('benchmark', `${folder}/${BENCHMARK_RECORD}`, 'counts other images or classes than the lock')
    const counted = Object.values(record.excluded).reduce((sum, n) => sum + n, record.images)
    const onGround = pairs.get(record.from) ?? 0
    if (counted !== onGround)
      faults.add(
        'benchmark',
        `${folder}/${BENCHMARK_RECORD}`,
        `counts ${counted} pairs in the set and left out, the split ${record.from} has ${onGround}`,
      )
    await checkClassLists(storage, folder, record, faults)
    const members = await checkRows(storage, csv, record, index, faults)
    if (members !== null) contents.push({ from: record.from, members })
  }
  for (const folder of SET_FOLDERS) {
    const found: string[] = []
    for await (const { key } of storage.list(`${folder}/`)) if (setFolderOf(key) !== null) found.push(key)
    // The original's sets, unpacked in the same folder, have no record.
    const isOurs = (key: string) => found.includes(`${setFolderOf(key)}/${BENCHMARK_RECORD}`)
    for (const key of found)
      if (isOurs(key) && !Object.hasOwn(lock.files, key)) faults.add('stray-file', key, 'is not in the lock')
  }
  return contents
}

function pairsBySplit(index: RowIndex): Map<string, number> {
  const counts = new Map<string, number>()
  for (let row = 0; row < index.size; row++) count(counts, index.split(row) ?? '')
  return counts
}

async function readRecord(storage: Storage, folder: string, faults: FaultList): Promise<BenchmarkRecord | null> {
  const path = `${folder}/${BENCHMARK_RECORD}`
  const bytes = await storage.get(path)
  if (bytes === null) {
    faults.add('file-missing', path, 'is not there')
    return null
  }
  const checked = parseBenchmarkText(Buffer.from(bytes).toString('utf8'))
  if ('value' in checked) return checked.value
  for (const fault of checked.faults) faults.add('benchmark', path, fault)
  return null
}

async function checkClassLists(
  storage: Storage,
  folder: string,
  { labels }: BenchmarkRecord,
  faults: FaultList,
): Promise<void> {
  for (const { file, classes } of labels) {
    const path = `${folder}/${file}`
    const bytes = await storage.get(path)
    // Files that are missing are reported with the lock's.
    if (bytes === null) continue
    const listed = Buffer.from(bytes).toString('utf8')
    if (listed !== classes.map(({ name }) => `${name}\n`).join(''))
      faults.add('benchmark', path, `lists other classes than ${BENCHMARK_RECORD}`)
    if (classes.length < FEWEST_CLASSES)
      faults.add('benchmark', path, `has ${classes.length} classes; SkyScript's code needs ${FEWEST_CLASSES}`)
  }
}

/** Checks each row of a set; null if the file is missing or has other columns. */
async function checkRows(
  storage: Storage,
  csv: string,
  { task, labels, images, from }: BenchmarkRecord,
  index: RowIndex,
  faults: FaultList,
): Promise<Uint8Array | null> {
  if (!(await storage.has(csv))) return null
  const captions = task === 'retrieval' ? ['title', 'title_multi_objects'] : ['title']
  const columns = ['filepath', ...captions, ...labels.map(({ column }) => column)]
  const members = new Uint8Array(index.size)
  const counts = labels.map(({ classes }) => new Map(classes.map(({ name }) => [name, 0])))
  let rows = -1
  const faultOf = (fields: readonly string[]): string | null => {
    const [filepath = '', title = '', ...rest] = fields
    if (fields.length !== columns.length) return `has ${fields.length} fields, not ${columns.length}`
    const row = index.find(filepath)
    if (row < 0) return `${quoted(filepath)} is not in the manifest`
    if (members[row] === 1) return `${filepath} is listed twice`
    members[row] = 1
    const isSame = task === 'retrieval' ? index.saysOf(row, title, rest[0]!) : index.hasTitle(row, title)
    if (!isSame) return `the captions of ${filepath} differ from the manifest`
    if (index.split(row) !== from) return `${filepath} is of the split ${index.split(row)}, not ${from}`
    for (const [i, count] of counts.entries()) {
      const label = rest[i]!
      const known = count.get(label)
      if (known === undefined) return `${quoted(label)} is not in the class list`
      count.set(label, known + 1)
    }
    return null
  }
  try {
    for await (const { line, fields } of readCsv(storage, csv, () => {})) {
      rows++
      if (rows === 0) {
        if (fields.join() === columns.join()) continue
        faults.add('benchmark', csv, `has the columns ${quoted(fields)}, not ${quoted(columns)}`)
        return null
      }
      const fault = faultOf(fields)
      if (fault !== null) faults.add('benchmark', csv, `line ${line}: ${fault}`)
    }
  } catch (error) {
    if (!(error instanceof CsvFormatError)) throw error
    faults.add('csv-format', csv, error.message)
    return null
  }
  if (rows !== images) faults.add('benchmark', csv, `has ${Math.max(0, rows)} rows, its record says ${images}`)
  for (const [i, { column, classes }] of labels.entries()) {
    for (const { name, images: told } of classes) {
      const found = counts[i]!.get(name)!
      if (found !== told)
        faults.add('benchmark', csv, `${column}: ${found} images of ${quoted(name)}, its record says ${told}`)
    }
  }
  return members
}
