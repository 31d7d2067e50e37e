import { type FileHandle, open } from 'node:fs/promises'
import type { Storage } from '@skyscript/core'
import { EMBEDDINGS_HEADER, EMBEDDINGS_MAGIC } from '../embeddings.ts'
import { localFile } from '../local-file.ts'
import type { DatasetLock } from '../lock.ts'
import { EMBEDDINGS, SIMILAR_COLUMNS, SIMILAR_CSV } from '../names.ts'
import { CsvFormatError, readCsv } from './csv-reader.ts'
import { type FaultList, quoted } from './faults.ts'
import type { RowIndex } from './row-index.ts'

/** Cosines are written with four decimals. */
const COSINE_SLACK = 1e-4

/**
 * Checks the list of pairs that `filter.semanticDuplicates` leaves out: each is a training pair and resembles another training pair of
 * no lower similarity, by the embeddings stored beside the manifest.
 *
 * @returns 1 for each row of the manifest that is listed
 */
export async function checkSimilar(
  storage: Storage,
  { filter }: DatasetLock['config'],
  index: RowIndex,
  faults: FaultList,
): Promise<Uint8Array> {
  const listed = new Uint8Array(index.size)
  const { semanticDuplicates: settings } = filter
  // A missing file is reported with those that the lock must list.
  if (settings === undefined || !(await storage.has(SIMILAR_CSV))) return listed
  const fault = (message: string) => faults.add('semantic-duplicates', SIMILAR_CSV, message)
  const vectors = await openVectors(storage, index.size)
  if (vectors === null) {
    faults.add('semantic-duplicates', EMBEDDINGS, `does not hold the embeddings of ${index.size} images`)
    return listed
  }
  const scorer = settings.scorer ?? filter.scorers[0]!.name
  try {
    let isHeader = true
    for await (const { line, fields } of readCsv(storage, SIMILAR_CSV, () => {})) {
      if (isHeader) {
        isHeader = false
        if (fields.join() === SIMILAR_COLUMNS.join()) continue
        fault(`has the columns ${quoted(fields)}, not ${quoted(SIMILAR_COLUMNS)}`)
        break
      }
      const [filepath = '', id = '', cosine = ''] = fields
      const [row, other] = [index.find(filepath), index.rowOf(id)]
      if (row < 0 || other < 0) {
        fault(`line ${line}: ${quoted(row < 0 ? filepath : id)} is not in the manifest`)
        continue
      }
      listed[row] = 1
      if (index.split(row) !== 'train' || index.split(other) !== 'train')
        fault(`line ${line}: ${filepath} and ${id} are not both in train`)
      if (!(index.similarity(other, scorer) >= index.similarity(row, scorer)) || row === other)
        fault(`line ${line}: ${id} is not more similar to its title than ${filepath}`)
      const actual = cosineOf(await vectors.at(row), await vectors.at(other))
      if (!(actual >= settings.above - COSINE_SLACK && Math.abs(actual - Number(cosine)) <= COSINE_SLACK))
        fault(`line ${line}: the cosine of ${filepath} and ${id} is ${actual.toFixed(4)}, not ${quoted(cosine)}`)
    }
  } catch (error) {
    if (!(error instanceof CsvFormatError)) throw error
    fault(error.message)
  } finally {
    await vectors.close()
  }
  return listed
}

interface Vectors {
  at(row: number): Promise<Int8Array>
  close(): Promise<void>
}

/** Null if the file is missing, or of another size. */
async function openVectors(storage: Storage, rows: number): Promise<Vectors | null> {
  if (!(await storage.has(EMBEDDINGS))) return null
  const file = await localFile(storage, EMBEDDINGS)
  const handle = await open(file.path, 'r')
  const close = async () => {
    await handle.close()
    await file.release()
  }
  const header = await readAt(handle, 0, EMBEDDINGS_HEADER)
  const length = header.readUInt32LE(EMBEDDINGS_MAGIC.length)
  const { size } = await handle.stat()
  if (
    header.toString('latin1', 0, EMBEDDINGS_MAGIC.length) === EMBEDDINGS_MAGIC &&
    size === EMBEDDINGS_HEADER + rows * length
  )
    return { at: async (row) => new Int8Array(await readAt(handle, EMBEDDINGS_HEADER + row * length, length)), close }
  await close()
  return null
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  await handle.read(buffer, 0, length, position)
  return buffer
}

function cosineOf(a: Int8Array, b: Int8Array): number {
  const dot = (x: Int8Array, y: Int8Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}
