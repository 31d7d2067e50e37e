import { createHash } from 'node:crypto'
import { basename } from 'node:path/posix'
import { getJson, InputError, type Progress, type Storage } from '@skyscript/core'
import { hubTypeOf } from './croissant-vocabulary.ts'
import { type FinishedDataset, type Manifest, openManifest, type PairSet, type Row, readMembers } from './dataset.ts'
import { withImages } from './images.ts'
import type { Shard, WebdatasetSet } from './shards-card.ts'
import { describeShards } from './shards-card.ts'
import { shuffle } from './shuffle.ts'
import { type Sample, sampleOf, tarShards } from './tar-shards.ts'

/** As in img2dataset's and OpenCLIP's `{00000..00012}.tar`. */
const SHARD_DIGITS = 5
const SHARD_NAME = /^\d{5,}\.tar$/
/** Number of samples by shard; OpenCLIP reads it instead of counting. */
const SIZES = 'sizes.json'
const STATS = 'stats.json'

export const CAPTIONS = ['title', 'title_multi_objects'] as const

export interface WebdatasetOptions {
  /** Each with its output folder. */
  readonly sets: readonly { readonly set: PairSet; readonly folder: string }[]
  /** Maximum shard size in bytes; a larger sample gets its own shard. */
  readonly shardBytes: number
  /** The caption in the `.txt`. */
  readonly caption: (typeof CAPTIONS)[number]
  readonly signal: AbortSignal
  progress(set: PairSet): Progress & { end(): void }
}

/**
 * Tar shards in the form that `webdataset`, img2dataset and OpenCLIP read. Each pair has, in this order, `<key>.jpg`,
 * `<key>.json` (its manifest row, in which tags are JSON texts) and `<key>.txt` (its caption). Readers shuffle only within a
 * buffer, and the manifest is ordered by place, so pairs are shuffled by a seeded hash of their ids. Equal datasets give
 * equal bytes.
 *
 * `sizes.json` is removed first and written last: shards without it are from an export that didn't finish.
 *
 * @throws InputError `image-missing`, `image-changed`, `file-changed`
 */
export async function exportWebdataset(
  dataset: FinishedDataset,
  target: Storage,
  options: WebdatasetOptions,
): Promise<WebdatasetSet[]> {
  const manifest = await openManifest(dataset)
  try {
    const written: WebdatasetSet[] = []
    for (const { set, folder } of options.sets)
      written.push(await exportSet(dataset, manifest, target, set, folder, options))
    await describeShards(dataset, manifest.columns, target, await finishedSets(target))
    return written
  } finally {
    await manifest.close()
  }
}

async function exportSet(
  dataset: FinishedDataset,
  manifest: Manifest,
  target: Storage,
  set: PairSet,
  folder: string,
  options: WebdatasetOptions,
): Promise<WebdatasetSet> {
  const { storage, lock } = dataset
  const { seed } = lock.config
  const members = await readMembers(dataset, set)
  await clear(target, folder)
  const progress = options.progress(set)
  const rows = manifest.read(manifest.columns, (filepath) => members.has(filepath))
  const samples = samplesOf(storage, shuffle(seed, members.size, textsOf(rows)), options.caption)
  const shards: Shard[] = []
  let done = 0
  try {
    for await (const shard of writeShards(target, folder, samples, options)) {
      shards.push(shard)
      done += shard.samples
      progress.update(done, members.size)
    }
    if (done !== members.size)
      throw new InputError(
        'file-changed',
        `${set.csv} lists ${members.size - done} pairs that the manifest does not have; run skyscript verify.`,
      )
  } catch (error) {
    await clear(target, folder).catch(() => {})
    throw error
  }
  progress.end()
  const sum = (of: (shard: Shard) => number) => shards.reduce((total, shard) => total + of(shard), 0)
  const stats: WebdatasetSet = {
    ...{ set: set.name, csv: set.csv, folder },
    samples: done,
    bytes: sum(({ bytes }) => bytes),
    urls: urlsOf(folder, shards),
    ...{ caption: options.caption, fingerprint: lock.fingerprint, seed, shardBytes: options.shardBytes, shards },
  }
  await target.put(`${folder}/${STATS}`, `${JSON.stringify(stats, null, 2)}\n`)
  const sizes = Object.fromEntries(shards.map(({ name, samples: count }) => [name, count]))
  await target.put(`${folder}/${SIZES}`, `${JSON.stringify(sizes, null, 2)}\n`)
  return stats
}

/** Sets whose shards are all in the target, including earlier exports. */
async function finishedSets(target: Storage): Promise<WebdatasetSet[]> {
  const found: WebdatasetSet[] = []
  for await (const { key } of target.list('')) {
    if (!/^\w[\w.-]*\/sizes\.json$/.test(key)) continue
    const stats = await getJson<WebdatasetSet>(target, key.replace(SIZES, STATS))
    if (stats !== null) found.push(stats)
  }
  return found
}

/** Removes an earlier export, its completion mark first. */
async function clear(target: Storage, folder: string): Promise<void> {
  await target.delete(`${folder}/${SIZES}`)
  await target.delete(`${folder}/${STATS}`)
  for await (const { key } of target.list(`${folder}/`))
    if (SHARD_NAME.test(key.slice(folder.length + 1))) await target.delete(key)
}

function urlsOf(folder: string, shards: readonly Shard[]): string | null {
  const [first, last] = [shards[0], shards.at(-1)].map((shard) => shard?.name.replace('.tar', ''))
  if (first === undefined) return null
  return first === last ? `${folder}/${first}.tar` : `${folder}/{${first}..${last}}.tar`
}

async function* textsOf(rows: AsyncIterable<Row>): AsyncGenerator<{ id: string; text: string }> {
  for await (const row of rows) {
    const members = Object.entries(row).map(([name, value]) => `${JSON.stringify(name)}:${memberText(name, value)}`)
    yield { id: String(row.id), text: `{${members.join()}}` }
  }
}

/**
 * Readers such as `datasets` infer a column's type from the first rows. So whole numbers of a decimal column get a `.0`, and
 * tags, whose keys differ between pairs, stay texts.
 */
function memberText(name: string, value: unknown): string {
  // Parquet's 64-bit integers come as bigint.
  const plain = typeof value === 'bigint' ? Number(value) : value
  const isWhole = Number.isInteger(plain) && Math.abs(plain as number) < 1e21
  return `${JSON.stringify(plain)}${isWhole && hubTypeOf(name) === 'float64' ? '.0' : ''}`
}

async function* samplesOf(
  storage: Storage,
  texts: AsyncIterable<string>,
  caption: (typeof CAPTIONS)[number],
): AsyncGenerator<Sample> {
  async function* parsed() {
    for await (const json of texts) yield { ...(JSON.parse(json) as { filepath: string; sha256: string }), json }
  }
  for await (const { row, image } of withImages(storage, parsed())) {
    // Readers end the key at the first dot; image paths have only the one before `jpg`.
    const key = basename(row.filepath, '.jpg')
    const text = String((row as unknown as Row)[caption])
    yield sampleOf([
      [`${key}.jpg`, image],
      [`${key}.json`, Buffer.from(row.json)],
      [`${key}.txt`, Buffer.from(text)],
    ])
  }
}

async function* writeShards(
  target: Storage,
  folder: string,
  samples: AsyncGenerator<Sample>,
  options: WebdatasetOptions,
): AsyncGenerator<Shard> {
  let number = 0
  for await (const { pieces, size } of tarShards(samples, options)) {
    const name = `${String(number++).padStart(SHARD_DIGITS, '0')}.tar`
    const digest = createHash('sha256')
    const watched = async function* () {
      for await (const piece of pieces) {
        digest.update(piece)
        yield piece
      }
    }
    await target.put(`${folder}/${name}`, watched())
    yield { name, ...size(), sha256: digest.digest('hex') }
  }
}
