import { formatCount, InputError, OutdatedError } from '@skyscript/core'
import { type PbfHeader, readHeader } from '@skyscript/osm-extract'
import pMap from 'p-map'
import type { CacheOptions } from '../url-cache.ts'
import { noCounts } from './change-counts.ts'
import { findSequence } from './find-sequence.ts'
import { makeWithProgress } from './make-with-progress.ts'
import { openReplicationServer, type PublishedChanges, type ReplicationServer } from './replication-server.ts'
import type { ReplicationState } from './state-file.ts'
import type { MapUpdate, UpdatedMap, UpdatedMaps } from './updated-maps.ts'

/** Concurrent downloads. */
const DOWNLOADS = 4
/** Maximum size of a batch of change files, in compressed bytes: a batch is held in memory while it is applied. */
const BATCH_BYTES = 32 * 2 ** 20
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** An extract that changes are applied to. */
export interface BaseMap {
  readonly name: string
  readonly path: string
  readonly sha256: string
}

export interface FollowOptions extends CacheOptions {
  /** See `BATCH_BYTES`. */
  readonly batchBytes?: number
}

/**
 * Brings an extract up to date by the server that its header names. Only files that the cache lacks are downloaded.
 *
 * Which elements outside the extract come in depends on which files are applied together. Only the files decide that: each
 * batch has as many as fit, and later updates start from the map after the last full batch. So daily updates give the same
 * map as one update of all. If anything fails, the earlier map stays.
 *
 * @throws InputError `no-replication-server`; OutdatedError `map-too-old`, `changes-gap`, `replication-reset`; what the
 * server's methods and `applyChanges` throw
 */
export async function followServer(base: BaseMap, maps: UpdatedMaps, options: FollowOptions): Promise<MapUpdate> {
  const { signal, terminal, batchBytes = BATCH_BYTES } = options
  const say = (text: string) => terminal?.note(text)
  const header = readHeader(base.path)
  const server = openReplicationServer(serverOf(header, base.name), options)
  const latest = await server.latest()
  tellOld(latest, server, say)
  const start = await maps.newestStart(server.name)
  const from = start === null ? await stateOf(header, base.name, server, latest) : stateOfMap(start)
  const cached = await cachedAfter(from, server)
  const own: Own = { ...(cached.at(-1)?.state ?? from), map: base.name, server: server.name }
  if (latest.sequence <= own.sequence) await checkSameHistory(own, latest, server, say)
  await server.tidy()
  const files = [...cached, ...(await fetchAll(own, latest, server, options))]
  let map = start
  for (const { batch, isLast } of batches(files, batchBytes)) {
    const { state } = batch.at(-1)!
    map = await makeWithProgress(maps, base.name, terminal, {
      from: map ?? { path: base.path, identity: base.sha256, files: 0, counts: noCounts },
      changes: batch.map(({ file }) => file),
      ...(!isLast && { startFor: server.name }),
      replication: {
        replicationTimestamp: state.timestamp,
        replicationSequence: state.sequence,
        replicationServer: header.replicationServer,
      },
      signal,
    })
  }
  return { map, newFiles: files.length - cached.length, to: map ?? from }
}

/**
 * Sees whether the server that an extract names can be asked.
 *
 * @returns its name, and how far it has come
 * @throws as `followServer`, for what needs no change file
 */
export async function checkServer(path: string, options: CacheOptions): Promise<string> {
  const server = openReplicationServer(serverOf(readHeader(path), path), options)
  const { sequence, timestamp } = await server.latest()
  return `${server.name} (sequence number ${sequence}, ${timestamp})`
}

/** The changes after a state that the cache has without a gap, in their order. */
async function cachedAfter(from: ReplicationState, server: ReplicationServer): Promise<PublishedChanges[]> {
  const found: PublishedChanges[] = []
  for (;;) {
    const { sequence, timestamp } = found.at(-1)?.state ?? from
    const next = await server.cached(sequence + 1, timestamp)
    if (next === null) return found
    found.push(next)
  }
}

/** All changes that the map still lacks, in their order. */
async function fetchAll(
  own: Own,
  latest: ReplicationState,
  server: ReplicationServer,
  { signal, terminal }: FollowOptions,
): Promise<PublishedChanges[]> {
  const total = Math.max(0, latest.sequence - own.sequence)
  const stage = terminal?.stage('changes', 'files')
  let done = 0
  // A server that keeps no state of each number says with its latest that all before are whole.
  const download = (sequence: number, state: ReplicationState | null) =>
    server.changes(state ?? { sequence, timestamp: latest.timestamp })
  const counted = (found: PublishedChanges): PublishedChanges => {
    stage?.update(++done, total)
    return found
  }
  const fetchFirst = async (sequence: number): Promise<PublishedChanges> => {
    const [before, state] = await Promise.all([server.state(own.sequence), server.state(sequence)])
    if (before !== null && state !== null) checkContinues(own, before, state)
    const found = await download(sequence, state)
    // A server may drop old changes and keep their states.
    if (found === null) throw before === null || state !== null ? tooOld(own) : missing(own, sequence)
    return counted(found)
  }
  const fetchLater = async (sequence: number): Promise<PublishedChanges> => {
    const known = await server.cached(sequence, own.timestamp)
    const found = known ?? (await download(sequence, await server.state(sequence)))
    if (found === null) throw missing(own, sequence)
    return counted(found)
  }
  const [next, ...later] = Array.from({ length: total }, (_, i) => own.sequence + 1 + i)
  try {
    // A server that no longer has the first is asked for no other.
    const first = next === undefined ? [] : [await fetchFirst(next)]
    const files = [...first, ...(await pMap(later, fetchLater, { concurrency: DOWNLOADS, signal }))]
    const { sequence, timestamp } = files.at(-1)?.state ?? own
    stage?.end(
      `${total === 0 ? 'none' : formatCount(total)} new; ${own.map} is of ${timestamp}, sequence number ${sequence}`,
    )
    return files
  } catch (error) {
    stage?.end('failed')
    throw error
  }
}

/** How far an update has come, and how messages call its map and server. */
interface Own extends ReplicationState {
  readonly map: string
  readonly server: string
}

const stateOfMap = ({ sequence, timestamp }: UpdatedMap): ReplicationState => ({
  sequence: sequence!,
  timestamp: timestamp!,
})

function serverOf({ replicationServer }: PbfHeader, name: string): string {
  if (replicationServer !== null) return replicationServer
  throw new InputError(
    'no-replication-server',
    `The header of ${name} names no server of changes; set osm.changes to the change files (osm.changes: [files]), or use an extract of https://download.geofabrik.de.`,
  )
}

/** How far an extract has come, by its header. */
async function stateOf(
  { replicationSequence: sequence, replicationTimestamp: timestamp }: PbfHeader,
  name: string,
  server: ReplicationServer,
  latest: ReplicationState,
): Promise<ReplicationState> {
  if (timestamp === null)
    throw new InputError(
      'no-replication-server',
      `The header of ${name} doesn't say of what time its map is; set osm.changes to the change files: osm.changes: [files].`,
    )
  if (sequence !== null) return { sequence, timestamp }
  const found = await findSequence(server, latest, Date.parse(timestamp))
  if (found !== null) return { sequence: found, timestamp }
  throw tooOld({ map: name, server: server.name, timestamp })
}

/**
 * Sees that a server means the same by the map's sequence number as the map.
 *
 * @param before the server's state of that number
 * @param first its state of the next
 * @throws OutdatedError `replication-reset`
 */
function checkContinues(own: Own, before: ReplicationState, first: ReplicationState): void {
  // Some headers have the time of the newest object, which is somewhat before the state's.
  const tolerance = Math.max(HOUR_MS, timeOf(first) - timeOf(before))
  if (timeOf(before) - timeOf(own) > tolerance)
    throw reset(own, `its sequence number ${before.sequence} is of ${before.timestamp}`)
}

const timeOf = ({ timestamp }: ReplicationState) => Date.parse(timestamp)

/** Sees that a server with nothing newer hasn't restarted its sequence numbers. */
async function checkSameHistory(
  own: Own,
  latest: ReplicationState,
  server: ReplicationServer,
  say: (text: string) => void,
): Promise<void> {
  if (latest.sequence === own.sequence) return
  const before = await server.state(own.sequence)
  if (before?.timestamp !== own.timestamp) throw reset(own, `it has come to ${latest.sequence} of ${latest.timestamp}`)
  say(
    `${server.name} says in state.txt that it has come to ${latest.sequence}, which is behind the map; nothing to apply`,
  )
}

function tellOld({ timestamp }: ReplicationState, server: ReplicationServer, say: (text: string) => void): void {
  const dayOf = (time: number) => Math.floor(time / DAY_MS)
  const days = dayOf(Date.now()) - dayOf(Date.parse(timestamp))
  if (days > 1) say(`${server.name} has published no changes since ${timestamp}`)
}

/** As many files as fit together; the last batch may still grow. */
function* batches(files: readonly PublishedChanges[], most: number) {
  let batch: PublishedChanges[] = []
  let bytes = 0
  for (const each of files) {
    if (batch.length > 0 && bytes + each.file.bytes > most) {
      yield { batch, isLast: false }
      batch = []
      bytes = 0
    }
    batch.push(each)
    bytes += each.file.bytes
  }
  if (batch.length > 0) yield { batch, isLast: true }
}

const newer = ({ server }: Pick<Own, 'server'>) =>
  server.endsWith('-updates')
    ? `download a newer extract: ${server.replace(/-updates$/, '-latest.osm.pbf')}`
    : 'download a newer extract of the region'

const tooOld = (own: Pick<Own, 'map' | 'server' | 'timestamp'>) =>
  new OutdatedError(
    'map-too-old',
    `${own.map} is of ${own.timestamp}, and ${own.server} no longer has the changes after it; ${newer(own)}.`,
  )

const missing = (own: Own, sequence: number) =>
  new OutdatedError(
    'changes-gap',
    `${own.server} lacks the changes of sequence number ${sequence}, so ${own.map} (sequence number ${own.sequence}) can't be brought up to date; ${newer(own)}.`,
  )

const reset = (own: Own, what: string) =>
  new OutdatedError(
    'replication-reset',
    `${own.server} has restarted its sequence numbers (${what}, and ${own.map} is of sequence number ${own.sequence}, ${own.timestamp}); ${newer(own)}.`,
  )
