import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { type Device, InputError } from '@skyscript/core'
import { openScorer, type ScorePair } from '@skyscript/filter'
import { parse } from 'csv-parse'
import { stringify } from 'csv-stringify/sync'
import { defaultModelCache } from '../pipeline/models.ts'
import { formatCount } from '../terminal/terminal.ts'
import { writeLine } from './lines.ts'
import { downloadProgress, openTerminal } from './region.ts'

/** Pairs that are scored together; those of the next time are read meanwhile. */
const BATCH = 128

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

/** `skyscript score`: the CSV's rows, in its order, with a `similarity` column; empty where a pair could not be scored. */
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
  const progress = terminal.stage('score', 'pairs')
  let done = 0
  try {
    for await (const { header, rows, pairs } of readAhead(batchesOf(csv, folder))) {
      if (done === 0) await writeLine(process.stdout, lineOf([...header, 'similarity']))
      const similarities = await scorer.score(await pairs)
      for (const [i, similarity] of similarities.entries()) {
        if (typeof similarity !== 'number') faults.set(similarity.code, (faults.get(similarity.code) ?? 0) + 1)
        await writeLine(process.stdout, lineOf([...rows[i]!, typeof similarity === 'number' ? String(similarity) : '']))
      }
      done += rows.length
      progress.update(done)
    }
  } finally {
    progress.end(`${formatCount(done)} pairs`)
    await scorer.close()
  }
  for (const [code, n] of faults) terminal.warn(`${formatCount(n)} pairs have no similarity (${code})`)
  return faults.size === 0 ? 0 : 2
}

function serverOf(url: string, { vision, text }: ScoreOptions): { url: string; vision: string; text: string } {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new InputError('usage', '--server must be an http(s) URL.')
  return { url, vision, text }
}

interface Batch {
  readonly header: readonly string[]
  readonly rows: readonly string[][]
  /** Under way. */
  readonly pairs: Promise<ScorePair[]>
}

/** The rows of the CSV with their images, some at a time; at least one batch, which may have no rows. */
async function* batchesOf(csv: string, folder: string): AsyncGenerator<Batch> {
  let header: string[] | undefined
  let rows: string[][] = []
  const batch = (): Batch => {
    const taken = rows
    rows = []
    return { header: header!, rows: taken, pairs: pairsOf(header!, taken, folder) }
  }
  for await (const row of createReadStream(csv).pipe(parse({ bom: true, relax_column_count: false })) as AsyncIterable<
    string[]
  >) {
    if (header !== undefined) rows.push(row)
    else {
      header = row
      for (const name of ['filepath', 'title']) {
        if (!row.includes(name))
          throw new InputError('bad-csv', `${csv} has no column "${name}"; its header must name filepath and title.`)
      }
    }
    if (rows.length === BATCH) yield batch()
  }
  if (header === undefined) throw new InputError('bad-csv', `${csv} is empty; its header must name filepath and title.`)
  yield batch()
}

function pairsOf(header: readonly string[], rows: readonly string[][], folder: string): Promise<ScorePair[]> {
  const [path, title] = [header.indexOf('filepath'), header.indexOf('title')]
  return Promise.all(
    rows.map(async (row) => ({
      // What can't be read is a fault of its pair.
      image: await readFile(join(folder, row[path]!)).catch(() => new Uint8Array()),
      caption: row[title]!,
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
  if (!found.isDirectory())
    return { csv: images, folder: isAbsolute(images) ? dirname(images) : join('.', dirname(images)) }
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
