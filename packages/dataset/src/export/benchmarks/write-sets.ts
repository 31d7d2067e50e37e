import { createHash } from 'node:crypto'
import { InputError, type Progress, type Storage } from '@skyscript/core'
import { ATTRIBUTION, README, SUMS } from '../../names.ts'
import { changed, type FinishedDataset } from '../dataset.ts'
import { withImages } from '../images.ts'
import type { LayoutContext, SetLayout } from './layout.ts'
import type { OpenSet } from './sets.ts'

export interface WriteOptions {
  /** Prompts of a set, with `{c}` for the class. */
  promptsOf(set: OpenSet): readonly string[]
  readonly shardBytes: number
  readonly signal: AbortSignal
  progress(set: OpenSet): Progress & { end(): void }
}

export interface WrittenSet {
  readonly set: string
  readonly images: number
  readonly files: number
  readonly bytes: number
  /** What a user should know about it. */
  readonly notes: readonly string[]
}

/** In a set's folder while it is written: all files beside it are then ours. */
const UNFINISHED = '.unfinished'

/**
 * Writes sets in a form, replacing earlier exports of the same sets in the target; those of other sets stay. Every image is
 * compared with the manifest. `SHA256SUMS`, which lists all files of the target, is written last.
 *
 * @throws InputError `bad-output` if the target is the dataset, or has other files where a set would be; `unsuitable-set`;
 *   `image-missing`, `image-changed`, `file-changed`
 */
export async function writeSets(
  dataset: FinishedDataset,
  target: Storage,
  sets: readonly OpenSet[],
  layout: SetLayout,
  options: WriteOptions,
): Promise<WrittenSet[]> {
  checkTarget(dataset, target, layout)
  const folders = sets.flatMap((set) => layout.foldersOf(set))
  checkDistinct(folders)
  const sums = await readSums(target)
  const isOurs = (path: string) => folders.some((folder) => path.startsWith(`${folder}/`))
  for (const folder of folders) await clear(target, folder, sums)
  const others = new Map([...sums].filter(([path]) => !isOurs(path)))
  await putSums(target, others)
  for (const folder of folders) await target.put(`${folder}/${UNFINISHED}`, '')
  const digests = new Map<string, string>()
  try {
    const written: WrittenSet[] = []
    for (const set of sets) written.push(await writeSet(dataset, target, set, layout, digests, options))
    digests.set(ATTRIBUTION, await putHashed(target, ATTRIBUTION, dataset.storage.stream(ATTRIBUTION)))
    if (digests.get(ATTRIBUTION) !== dataset.lock.files[ATTRIBUTION]) throw changed(dataset.storage, ATTRIBUTION)
    const all = new Map([...others, ...digests])
    const readme = layout.readme(dataset.lock.config.name, [...all.keys()])
    all.set(README, await putHashed(target, README, readme))
    for (const folder of folders) await target.delete(`${folder}/${UNFINISHED}`)
    await putSums(target, all)
    return written
  } catch (error) {
    for (const path of digests.keys()) await target.delete(path).catch(() => {})
    for (const folder of folders) await target.delete(`${folder}/${UNFINISHED}`).catch(() => {})
    throw error
  }
}

async function writeSet(
  { storage, lock }: FinishedDataset,
  target: Storage,
  set: OpenSet,
  layout: SetLayout,
  digests: Map<string, string>,
  { promptsOf, shardBytes, signal, progress: start }: WriteOptions,
): Promise<WrittenSet> {
  const progress = start(set)
  const notes: string[] = []
  let [done, files, bytes] = [0, 0, 0]
  const total = Math.max(1, layout.foldersOf(set).length) * (set.rows.length + set.training.length)
  const context: LayoutContext = {
    ...{ shardBytes, signal, prompts: promptsOf(set), note: (line) => notes.push(line) },
    async *images(rows) {
      for await (const found of withImages(storage, iterate(rows))) {
        signal.throwIfAborted()
        yield found
        progress.update(++done, total)
      }
    },
    async text(path) {
      if (lock.files[path] === undefined) return null
      const content = await storage.get(path)
      return content === null ? null : Buffer.from(content).toString('utf8')
    },
  }
  try {
    for await (const { path, content } of layout.files(set, context)) {
      digests.set(path, await putHashed(target, path, content, (length) => (bytes += length)))
      files++
    }
  } finally {
    progress.end()
  }
  return { set: set.record.name, images: set.rows.length, files, bytes, notes }
}

async function* iterate<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

function checkTarget({ storage }: FinishedDataset, target: Storage, { name }: SetLayout): void {
  if (target.url !== storage.url) return
  const message = `An export of benchmark sets can't be written into the dataset itself; leave out --to, which writes to export/${name}, or name another folder.`
  throw new InputError('bad-output', message)
}

/** Also in file systems that ignore case. */
function checkDistinct(folders: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const folder of folders) {
    const other = seen.get(folder.toLowerCase())
    if (other !== undefined)
      throw new InputError(
        'bad-output',
        `The sets would be written to the folders ${other} and ${folder}, which may be the same; export them one at a time with --benchmark and --to.`,
      )
    seen.set(folder.toLowerCase(), folder)
  }
}

/** Removes an earlier export of a set, and nothing that is not of one. */
async function clear(target: Storage, folder: string, sums: ReadonlyMap<string, string>): Promise<void> {
  const stopped = await target.has(`${folder}/${UNFINISHED}`)
  const found: string[] = []
  for await (const { key } of target.list(`${folder}/`)) found.push(key)
  const foreign = stopped ? undefined : found.find((key) => !sums.has(key))
  if (foreign !== undefined)
    throw new InputError(
      'bad-output',
      `${target.url} has ${foreign}, which no export wrote; choose another folder with --to.`,
    )
  for (const key of found) if (key !== `${folder}/${UNFINISHED}`) await target.delete(key)
}

async function readSums(target: Storage): Promise<Map<string, string>> {
  const bytes = await target.get(SUMS)
  const lines = bytes === null ? [] : Buffer.from(bytes).toString('utf8').split('\n')
  return new Map(
    lines.flatMap((line) => {
      const found = /^([0-9a-f]{64}) {2}(.+)$/.exec(line)
      return found === null ? [] : [[found[2]!, found[1]!] as const]
    }),
  )
}

async function putSums(target: Storage, sums: ReadonlyMap<string, string>): Promise<void> {
  if (sums.size === 0) return target.delete(SUMS)
  const sorted = [...sums].sort(([a], [b]) => (a < b ? -1 : 1))
  await target.put(SUMS, sorted.map(([path, sha256]) => `${sha256}  ${path}\n`).join(''))
}

/** Puts a value, and returns its sha256. */
async function putHashed(
  target: Storage,
  path: string,
  content: Uint8Array | string | AsyncIterable<Uint8Array>,
  onBytes: (length: number) => void = () => {},
): Promise<string> {
  const digest = createHash('sha256')
  const watch = (piece: Uint8Array) => {
    digest.update(piece)
    onBytes(piece.length)
    return piece
  }
  if (typeof content === 'string' || content instanceof Uint8Array) {
    await target.put(path, watch(Buffer.from(content as string)))
  } else {
    const pieces = async function* () {
      for await (const piece of content) yield watch(piece)
    }
    await target.put(path, pieces())
  }
  return digest.digest('hex')
}
