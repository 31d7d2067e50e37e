/**
 * The heads of a finished build, packed in a few files for each stage, so that a build with nothing to do reads megabytes
 * and not every result.
 */

import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { fingerprint, type Storage, sha256 } from '@skyscript/core'
import pMap from 'p-map'
import type { StoredHead } from './results.ts'
import type { Job } from './runner/job.ts'
import type { Head } from './stage.ts'

export const HEADS_FOLDER = 'work/heads/'

/** Heads in a pack, about: some 300 kB. */
const PER_PACK = 1024
const READS = 16

const [compress, expand] = [promisify(gzip), promisify(gunzip)]

/** A result's name and head. */
export interface Done<H extends Head = Head> extends StoredHead<H> {
  readonly job: Job
}

type Line = readonly [shard: string, fingerprint: string, head: Head, size: number]

export interface PackedHeads {
  /** The head of a result, if the packs have it. */
  get(job: Pick<Job, 'stage' | 'shard' | 'fingerprint'>): StoredHead<Head> | undefined
  /** By stage, a hash of its packs. */
  readonly digests: ReadonlyMap<string, string>
}

/** @param keys of the packs in storage */
export async function readHeads(storage: Storage, keys: Iterable<string>): Promise<PackedHeads> {
  const heads = new Map<string, StoredHead<Head> & { readonly fingerprint: string }>()
  const sums = new Map<string, string>()
  const read = async (key: string) => {
    const packed = await storage.get(key)
    if (packed === null) return
    sums.set(key, sha256(packed))
    const stage = stageOf(key)
    for (const [shard, name, head, size] of await linesOf(packed))
      heads.set(`${stage}/${shard}`, { fingerprint: name, head, size })
  }
  await pMap(keys, read, { concurrency: READS })
  return {
    get({ stage, shard, fingerprint }) {
      const known = heads.get(`${stage}/${shard}`)
      return known?.fingerprint === fingerprint ? known : undefined
    },
    digests: digestsOf(sums),
  }
}

/** A pack that a power cut damaged has no heads: they are read from the results. */
async function linesOf(packed: Uint8Array): Promise<Line[]> {
  try {
    const text = (await expand(packed)).toString('utf8')
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]))
  } catch {
    return []
  }
}

/**
 * Packs all heads of a stage, in an order that depends on them only.
 *
 * @param existing keys of packs in storage; those that are no longer used are removed
 * @returns the digest that `readHeads` gives them
 */
export async function writeHeads(
  storage: Storage,
  stage: string,
  done: Iterable<Done>,
  existing: Iterable<string>,
): Promise<string> {
  const all = [...done].sort((a, b) => (a.job.shard < b.job.shard ? -1 : 1))
  const packs = Math.max(1, 2 ** Math.ceil(Math.log2(all.length / PER_PACK)))
  // A tile's leaves lie together, so a change of the map rewrites few packs.
  const numberOf = ({ job }: Done) => Number.parseInt(sha256(job.shard.split('/')[0]!).slice(0, 8), 16) % packs
  const written = new Map<string, string>()
  for (const [number, some] of Map.groupBy(all, numberOf)) {
    const lines = some.map(({ job, head, size }) =>
      JSON.stringify([job.shard, job.fingerprint, head, size] satisfies Line),
    )
    const key = `${HEADS_FOLDER}${stage}-${number}-of-${packs}.jsonl.gz`
    const packed = await compress(`${lines.join('\n')}\n`)
    await storage.put(key, packed)
    written.set(key, sha256(packed))
  }
  for (const key of existing) if (stageOf(key) === stage && !written.has(key)) await storage.delete(key)
  return digestOf([...written])
}

const stageOf = (key: string) => key.slice(HEADS_FOLDER.length).replace(/-\d+-of-\d+\.jsonl\.gz$/, '')

function digestsOf(sums: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...Map.groupBy(sums, ([key]) => stageOf(key))].map(([stage, list]) => [stage, digestOf(list)]))
}

const digestOf = (sums: readonly (readonly [string, string])[]) =>
  fingerprint(sums.toSorted(([a], [b]) => (a < b ? -1 : 1)))
