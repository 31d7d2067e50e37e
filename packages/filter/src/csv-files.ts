import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Storage } from '@skyscript/core'
import { stringify } from 'csv-stringify/sync'

/** Text is handed to storage in pieces of about this many characters. */
const PIECE = 1 << 16

/** One CSV of the dataset while it is written. */
export interface CsvWriter {
  readonly path: string
  rows: number
  add(row: readonly [filepath: string, title: string, titleMultiObjects: string, similarity: number]): Promise<void>
  end(): Promise<void>
}

/** `5K` for 5000: how the original's file names give sizes. */
export const sizeName = (rows: number): string => (rows > 0 && rows % 1000 === 0 ? `${rows / 1000}K` : String(rows))

/**
 * A CSV with the original's columns: UTF-8, comma, header, LF, quotes where needed. It appears in storage when it is
 * whole.
 */
export function createCsv(storage: Storage, path: string, scorer: string): CsvWriter {
  const stream = new PassThrough()
  const stored = storage.put(path, stream)
  // Awaited in `end`; until then a failure must not count as unhandled.
  stored.catch(() => stream.destroy())
  let text = stringify([['filepath', 'title', 'title_multi_objects', `similarity_CLIP_${scorer}`]])
  const flush = async () => {
    const piece = text
    text = ''
    if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), stored])
  }
  return {
    path,
    rows: 0,
    async add(row) {
      this.rows++
      text += stringify([[row[0], row[1], row[2], String(row[3])]])
      if (text.length > PIECE) await flush()
    },
    async end() {
      stream.end(text)
      await stored
    },
  }
}
