import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededFraction } from '@skyscript/core'

/** Texts sorted in memory at a time: about 50 MB, at 1 to 2 KB per pair. */
const BUCKET_TEXTS = 32_768
/** Maximum number of open files; beyond 8 million texts, buckets grow instead. */
const MAX_BUCKETS = 256
/** Characters gathered per write. */
const GATHER = 1 << 18

export interface Shuffled {
  readonly id: string
  /** JSON without line breaks. */
  readonly text: string
}

/**
 * The texts in the order of a seeded hash of their ids, independent of the input order. Meanwhile they are in the system's
 * temporary folder, in buckets by the hash's first bits; each bucket is sorted in memory.
 *
 * @param count approximate number of texts
 */
export async function* shuffle(seed: number, count: number, texts: AsyncIterable<Shuffled>): AsyncGenerator<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-export-'))
  const files: FileHandle[] = []
  try {
    const buckets = Math.min(MAX_BUCKETS, Math.max(1, Math.ceil(count / BUCKET_TEXTS)))
    const gathered = new Array<string>(buckets).fill('')
    for (let i = 0; i < buckets; i++) files.push(await open(join(folder, String(i)), 'w+'))
    const flush = async (bucket: number) => {
      await files[bucket]!.writeFile(gathered[bucket]!)
      gathered[bucket] = ''
    }
    for await (const { id, text } of texts) {
      const order = seededFraction(seed, 'shard-order', id)
      const bucket = Math.floor(order * buckets)
      gathered[bucket] += `${digits(order)}${text}\n`
      if (gathered[bucket]!.length >= GATHER) await flush(bucket)
    }
    for (let i = 0; i < buckets; i++) await flush(i)
    for (let i = 0; i < buckets; i++) {
      const lines = (await readFile(join(folder, String(i)), 'utf8')).split('\n')
      lines.pop()
      for (const line of lines.sort()) yield line.slice(ORDER_DIGITS)
    }
  } finally {
    await Promise.all(files.map((file) => file.close()))
    await rm(folder, { recursive: true, force: true })
  }
}

const ORDER_DIGITS = 12
/** All 48 bits, in a text that sorts like the number. */
const digits = (order: number) => (order * 2 ** 48).toString(16).padStart(ORDER_DIGITS, '0')
