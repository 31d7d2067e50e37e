import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { InputError } from '@skyscript/core'
import { openScorer } from '@skyscript/filter'
import { parse } from 'csv-parse'
import { stringify } from 'csv-stringify/sync'
import { defaultModelCache } from '../pipeline/models.ts'
import { formatCount } from '../terminal/terminal.ts'
import { writeLine } from './lines.ts'
import { downloadProgress, openTerminal } from './region.ts'

/** Pairs that are in memory at a time. */
const BATCH = 64

/** `skyscript score`: the CSV's rows, in its order, with a `similarity` column; empty where a pair could not be scored. */
export async function scoreCommand(options: { model: string; images: string; captions?: string }): Promise<number> {
  const { csv, folder } = await inputsOf(options)
  const terminal = openTerminal()
  const scorer = await openScorer({
    name: 'score',
    model: options.model,
    cacheFolder: defaultModelCache(),
    progress: downloadProgress(terminal)(`model ${options.model}`),
  })
  const faults = new Map<string, number>()
  const progress = terminal.stage('score', 'pairs')
  let done = 0
  try {
    let header: string[] | undefined
    const rows = createReadStream(csv).pipe(parse({ bom: true, relax_column_count: false }))
    let batch: string[][] = []
    const flush = async () => {
      const [path, title] = [header!.indexOf('filepath'), header!.indexOf('title')]
      const pairs = await Promise.all(
        batch.map(async (row) => ({
          image: await readFile(join(folder, row[path]!)).catch(() => new Uint8Array()),
          caption: row[title]!,
        })),
      )
      const similarities = await scorer.score(pairs)
      for (const [i, similarity] of similarities.entries()) {
        if (typeof similarity !== 'number') faults.set(similarity.code, (faults.get(similarity.code) ?? 0) + 1)
        await writeLine(
          process.stdout,
          lineOf([...batch[i]!, typeof similarity === 'number' ? String(similarity) : '']),
        )
      }
      done += batch.length
      progress.update(done)
      batch = []
    }
    for await (const row of rows as AsyncIterable<string[]>) {
      if (header === undefined) {
        header = row
        for (const name of ['filepath', 'title']) {
          if (!row.includes(name))
            throw new InputError('bad-csv', `${csv} has no column "${name}"; its header must name filepath and title.`)
        }
        await writeLine(process.stdout, lineOf([...row, 'similarity']))
        continue
      }
      batch.push(row)
      if (batch.length === BATCH) await flush()
    }
    if (header === undefined)
      throw new InputError('bad-csv', `${csv} is empty; its header must name filepath and title.`)
    if (batch.length > 0) await flush()
  } finally {
    progress.end(`${formatCount(done)} pairs`)
    await scorer.close()
  }
  for (const [code, n] of faults) terminal.warn(`${formatCount(n)} pairs have no similarity (${code})`)
  return faults.size === 0 ? 0 : 2
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
