import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type CsvRecord, count, type Device, formatCount, InputError, miscounted, readCsv } from '@skyscript/core'
import { openScorer, type ScorePair } from '@skyscript/filter'
import { defaultModelCache } from '@skyscript/pipeline/files'
import { stringify } from 'csv-stringify/sync'
import { writeLine } from './lines.ts'
import { downloadProgress, openTerminal } from './region.ts'

/** Pairs that are scored together; those of the next time are read meanwhile. */
const BATCH = 128
/** Lines that can't be read are named one by one up to this many. */
const BAD_LINES_SHOWN = 10

export interface ScoreOptions {
  readonly model: string
  readonly images: string
  readonly captions?: string
  readonly device?: Device
  readonly batch?: number
  /** URL of a model server, and the names that it has for the two halves. */
  readonly server?: string
  readonly vision: string
  readonly text: string
}

/**
 * `skyscript score`: the CSV's rows, in its order, with a `similarity` column. It is empty for a pair that could not be
 * scored and for a line that could not be read, of which the fields that there are fill the row.
 */
export async function scoreCommand(options: ScoreOptions): Promise<number> {
  const { csv, folder } = await inputsOf(options)
  const terminal = openTerminal()
  const scorer = await openScorer({
    name: 'score',
    model: options.model,
    cacheFolder: defaultModelCache(),
    device: options.device ?? 'cpu',
    batch: options.batch ?? null,
    server: options.server === undefined ? null : serverOf(options.server, options),
    progress: downloadProgress(terminal)(`model ${options.model}`),
  })
  const faults = new Map<string, number>()
  let badLines = 0
  const progress = terminal.stage('score', 'pairs')
  let done = 0
  try {
    for await (const { header, rows, pairs } of readAhead(batchesOf(csv, folder))) {
      if (done === 0) await writeLine(process.stdout, lineOf([...header, 'similarity']))
      const similarities = (await scorer.score(await pairs)).values()
      for (const { line, fields, fault } of rows) {
        const similarity = fault === null ? similarities.next().value! : ''
        if (fault !== null && ++badLines <= BAD_LINES_SHOWN) terminal.warn(`${csv}, line ${line}: ${fault}.`)
        if (typeof similarity === 'object') count(faults, similarity.code)
        const answer = typeof similarity === 'object' ? '' : String(similarity)
        await writeLine(process.stdout, lineOf([...header.map((_, i) => fields[i] ?? ''), answer]))
      }
      done += rows.length
      progress.update(done)
    }
  } finally {
    progress.end(`${formatCount(done)} pairs`)
    await scorer.close()
  }
  for (const [code, n] of faults) terminal.warn(`${formatCount(n)} pairs have no similarity (${code})`)
  if (badLines > 0) terminal.warn(`${formatCount(badLines)} lines of ${csv} can't be read; they have no similarity`)
  return faults.size === 0 && badLines === 0 ? 0 : 2
}

function serverOf(url: string, { vision, text }: ScoreOptions): { url: string; vision: string; text: string } {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new InputError('usage', '--server must be an http(s) URL.')
  return { url, vision, text }
}

interface Row {
  readonly line: number
  readonly fields: readonly string[]
  /** Why it can't be scored; null for a pair. */
  readonly fault: string | null
}

interface Batch {
  readonly header: readonly string[]
  readonly rows: readonly Row[]
  /** Of the rows without a fault; under way. */
  readonly pairs: Promise<ScorePair[]>
}

/** The rows of the CSV with their images, some at a time; at least one batch, which may have no rows. */
async function* batchesOf(csv: string, folder: string): AsyncGenerator<Batch> {
  let header: readonly string[] | undefined
  let rows: Row[] = []
  const batch = (): Batch => {
    const taken = rows
    rows = []
    return { header: header!, rows: taken, pairs: pairsOf(header!, taken, folder) }
  }
  for await (const record of readCsv(createReadStream(csv))) {
    if (header === undefined) header = headerOf(record, csv)
    else rows.push(rowOf(record, header))
    if (rows.length === BATCH) yield batch()
  }
  if (header === undefined) throw new InputError('bad-csv', `${csv} is empty; its header must name filepath and title.`)
  yield batch()
}

function headerOf(record: CsvRecord, csv: string): readonly string[] {
  if ('fault' in record) throw new InputError('bad-csv', `${csv}, line ${record.line}: ${record.fault}.`)
  for (const name of ['filepath', 'title']) {
    if (!record.fields.includes(name))
      throw new InputError('bad-csv', `${csv} has no column "${name}"; its header must name filepath and title.`)
  }
  return record.fields
}

function rowOf(record: CsvRecord, header: readonly string[]): Row {
  if ('fault' in record) return { ...record, fields: [] }
  const { fields } = record
  return { ...record, fault: fields.length === header.length ? null : miscounted(fields, header) }
}

function pairsOf(header: readonly string[], rows: readonly Row[], folder: string): Promise<ScorePair[]> {
  const [path, title] = [header.indexOf('filepath'), header.indexOf('title')]
  return Promise.all(
    rows
      .filter(({ fault }) => fault === null)
      .map(async ({ fields }) => ({
        // What can't be read is a fault of its pair.
        image: await readFile(resolve(folder, fields[path]!)).catch(() => new Uint8Array()),
        caption: fields[title]!,
      })),
  )
}

/** Asks for the next item before the last one is used. */
async function* readAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = items.next()
  for (;;) {
    const { done, value } = await next
    if (done) return
    next = items.next()
    // Awaited in its turn.
    next.catch(() => undefined)
    yield value
  }
}

const lineOf = (row: readonly string[]) => stringify([[...row]], { eof: false, record_delimiter: '\n' })

async function inputsOf({
  images,
  captions,
}: {
  images: string
  captions?: string
}): Promise<{ csv: string; folder: string }> {
  const found = await stat(images).catch(() => {
    throw new InputError('missing-file', `--images ${images}: there is no such file or folder.`)
  })
  if (!found.isDirectory()) return { csv: images, folder: dirname(images) }
  if (captions === undefined)
    throw new InputError(
      'usage',
      `--images ${images} is a folder, so --captions must name the CSV with filepath and title.`,
    )
  await stat(captions).catch(() => {
    throw new InputError('missing-file', `--captions ${captions}: there is no such file.`)
  })
  return { csv: captions, folder: images }
}
