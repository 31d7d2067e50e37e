import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import {
  type CsvRecord,
  count,
  DataFault,
  DEVICES,
  formatCounted,
  InputError,
  miscounted,
  readCsv,
  systemReason,
  type Terminal,
} from '@skyscript/core'
import type { ScorePair, Scorer } from '@skyscript/filter'
import { stringify } from 'csv-stringify/sync'
import { defineCommand, oneOf, option, positiveInteger, required, webAddress, withDefault } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import { MODEL } from '../tag-options.ts'
import { writeLine } from '../terminal/json-lines.ts'

/** Pairs that are scored together; the next ones are read meanwhile. */
const BATCH = 128
/** Lines without a similarity are named one by one up to this many. */
const FAULTS_SHOWN = 10

export const score = defineCommand({
  name: 'score',
  description: 'add a CLIP similarity column to the rows of a CSV with filepath and title',
  arguments: {},
  options: {
    model: required(option('--model <folder>', MODEL)),
    images: required(
      option('--images <csv or folder>', 'CSV with paths relative to its own folder, or the folder of the images'),
    ),
    captions: option('--captions <csv>', 'the CSV, if --images is a folder'),
    device: withDefault(option('--device <name>', 'where the model runs', oneOf(DEVICES)), 'cpu'),
    batch: option('--batch <n>', 'images per model run (default: measured)', positiveInteger),
    server: option('--server <url>', 'server that runs the model (Open Inference Protocol v2)', webAddress),
    vision: withDefault(option('--vision <name>', "the server's image model"), 'vision_model'),
    text: withDefault(option('--text <name>', "the server's caption model"), 'text_model'),
  },
  async run({ model, images, captions, device, batch, server, vision, text }) {
    const { openScorer } = await import('@skyscript/filter')
    const { modelOptions } = await import('@skyscript/pipeline/files')
    const { downloadProgress, openTerminal } = await import('../terminal/open-terminal.ts')
    const { csv, folder } = await inputsOf(images, captions)
    const terminal = openTerminal()
    const scorer = await openScorer({
      ...modelOptions(model, { progress: downloadProgress(terminal) }),
      name: 'score',
      device,
      batch: batch ?? null,
      server: server === undefined ? null : { url: server, vision, text },
    })
    try {
      return await scoreRows(csv, folder, scorer, terminal)
    } finally {
      await scorer.close()
    }
  },
})

/**
 * Writes the CSV's rows in its order, with a `similarity` column. It is empty for a pair that could not be scored, and for
 * a line that could not be read, whose row holds the fields that could be.
 */
async function scoreRows(csv: string, folder: string, scorer: Scorer, terminal: Terminal): Promise<number> {
  const faults = new Map<string, number>()
  let [done, badLines, shownFaults] = [0, 0, 0]
  const say = (line: number, what: string) => {
    if (++shownFaults <= FAULTS_SHOWN) terminal.warn(`${csv}, line ${line}: ${what.replace(/\.$/, '')}.`)
  }
  const progress = terminal.stage('score', 'pairs')
  try {
    for await (const { header, rows, pairs: reading } of readAhead(batchesOf(csv, folder))) {
      if (done === 0) await writeLine(process.stdout, lineOf([...header, 'similarity']))
      const pairs = await reading
      const similarities = await scorer.score(pairs)
      let next = 0
      for (const { line, fields, fault } of rows) {
        const pair = fault === null ? pairs[next] : undefined
        const similarity = fault === null ? similarities[next++]! : null
        if (fault !== null) {
          badLines++
          say(line, fault)
        }
        if (similarity instanceof DataFault) {
          count(faults, similarity.code)
          say(line, `${pair!.path}: ${pair!.unread ?? similarity.message}`)
        }
        const answer = typeof similarity === 'number' ? String(similarity) : ''
        await writeLine(process.stdout, lineOf([...header.map((_, i) => fields[i] ?? ''), answer]))
      }
      done += rows.length
      progress.update(done)
    }
  } finally {
    progress.end(formatCounted(done, 'pair'))
  }
  const hasNone = (n: number) => (n === 1 ? 'has no similarity' : 'have no similarity')
  for (const [code, n] of faults) terminal.warn(`${formatCounted(n, 'pair')} ${hasNone(n)} (${code})`)
  if (badLines > 0) terminal.warn(`${formatCounted(badLines, 'line')} of ${csv} can't be read and ${hasNone(badLines)}`)
  return faults.size === 0 && badLines === 0 ? EXIT.whole : EXIT.partial
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
  readonly pairs: Promise<Pair[]>
}

interface Pair extends ScorePair {
  /** As the CSV has it. */
  readonly path: string
  /** Why its file could not be read. */
  readonly unread?: string
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

function pairsOf(header: readonly string[], rows: readonly Row[], folder: string): Promise<Pair[]> {
  const [path, title] = [header.indexOf('filepath'), header.indexOf('title')]
  return Promise.all(
    rows
      .filter(({ fault }) => fault === null)
      .map(async ({ fields }) => {
        const pair = { path: fields[path]!, caption: fields[title]! }
        try {
          return { ...pair, image: await readFile(resolve(folder, pair.path)) }
        } catch (error) {
          // The scorer counts it as unreadable.
          return { ...pair, image: new Uint8Array(), unread: systemReason(error) }
        }
      }),
  )
}

/** Requests the next item before yielding the current one. */
async function* readAhead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = items.next()
  for (;;) {
    const { done, value } = await next
    if (done) return
    next = items.next()
    // Its error is thrown when it is awaited, above.
    next.catch(() => undefined)
    yield value
  }
}

const lineOf = (row: readonly string[]) => stringify([[...row]], { eof: false, record_delimiter: '\n' })

async function inputsOf(images: string, captions: string | undefined): Promise<{ csv: string; folder: string }> {
  const found = await stat(images).catch(() => {
    throw new InputError('missing-file', `--images ${images}: there is no such file or folder.`)
  })
  if (!found.isDirectory()) {
    if (captions !== undefined)
      throw new InputError('usage', `--captions has no effect when --images is a CSV (${images}); remove one of them.`)
    return { csv: images, folder: dirname(images) }
  }
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
