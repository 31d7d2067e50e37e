import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import {
  InputError,
  isRefusedHost,
  redact,
  retrying,
  ServiceError,
  SkyscriptError,
  sha256,
  sha256OfStream,
} from '@skyscript/core'
import { download, httpFetch, isPassing, type Response, reasonOf, retryAfterOf } from '@skyscript/http'
import { CHANGE_KINDS, fileKind } from '../file-kind.ts'
import { type CacheOptions, isIntact, removeUnused, retryNote, touch, writeWhole } from '../url-cache.ts'
import { parseState, type ReplicationState, sequencePath } from './state-file.ts'

/** A change file on this machine's disk. */
export interface ChangeFile {
  readonly path: string
  /** As messages call it: the path or address that it came from. */
  readonly name: string
  readonly bytes: number
  readonly sha256: string
  /** Makes the next build download it again. */
  forget(): Promise<void>
}

/** The change file of a sequence number, and the state that it leads to. */
export interface PublishedChanges {
  readonly state: ReplicationState
  readonly file: ChangeFile
}

/** A server that publishes the map's changes under rising sequence numbers, as planet.openstreetmap.org and Geofabrik do. */
export interface ReplicationServer {
  /** Its base address, without a login. */
  readonly name: string
  /** @throws ServiceError `bad-state`, `no-replication` */
  latest(): Promise<ReplicationState>
  /**
   * What it says of one sequence number; null if it has none of that number.
   *
   * @throws ServiceError `bad-state`
   */
  state(sequence: number): Promise<ReplicationState | null>
  /**
   * The changes of a sequence number, if the cache has them.
   *
   * @param since ISO 8601 UTC; changes to an earlier state are of a sequence that the server has since begun anew
   */
  cached(sequence: number, since: string): Promise<PublishedChanges | null>
  /**
   * Downloads the changes that lead to a state; null if the server has none. Ask for the state first: a server publishes
   * it once the changes are whole.
   *
   * @throws InputError `not-a-change-file`; ServiceError `download-failed`
   */
  changes(state: ReplicationState): Promise<PublishedChanges | null>
  /** Removes changes, of any server, that nothing has used for a month. */
  tidy(): Promise<void>
}

/** A state file that is being written is whole a moment later, and most faults of a server pass. */
const STATE_TRIES = 4
const FIRST_PAUSE_MS = 1000

/** @throws InputError `bad-replication-server` for an address that can't be asked */
export function openReplicationServer(address: string, options: CacheOptions): ReplicationServer {
  const { cacheFolder, signal, pauseMs = FIRST_PAUSE_MS } = options
  const base = address.replace(/\/+$/, '')
  const name = redact(base)
  const url = URL.parse(base)
  if (url === null || !/^https?:$/.test(url.protocol) || isRefusedHost(url.hostname))
    throw new InputError(
      'bad-replication-server',
      `The extract names ${name} as the server of its changes, which can't be asked; set osm.changes to the change files: osm.changes: [files].`,
    )
  const servers = join(cacheFolder, 'changes')
  const folder = join(servers, sha256(base.replace(/^https?/, '')).slice(0, 16))

  async function stateAt(path: string): Promise<ReplicationState | null> {
    let before: string | null = null
    const ask = async () => {
      const text = await textOf(`${base}/${path}`, signal)
      if (text === null) return null
      const state = parseState(text)
      // Where its last line doesn't end, a number may be cut off.
      if (state !== null && (text === before || /[\nZ]$/.test(text))) return state
      before = text
      throw new ServiceError(
        'bad-state',
        `${name}/${path} is ${text.trim() === '' ? 'empty' : 'not a whole state file'}; the server may be writing it: run the same command again later.`,
        { retry: true },
      )
    }
    return retrying(ask, { tries: STATE_TRIES, pauseMs, signal })
  }

  async function state(sequence: number): Promise<ReplicationState | null> {
    const found = await stateAt(`${sequencePath(sequence)}.state.txt`)
    if (found !== null && found.sequence !== sequence)
      throw new ServiceError(
        'bad-state',
        `${name} says ${found.sequence} in the state file of sequence number ${sequence}; run the same command again later.`,
        { retry: true },
      )
    return found
  }

  const changesUrl = (sequence: number) => `${base}/${sequencePath(sequence)}.osc.gz`
  const pathOf = (sequence: number) => join(folder, `${String(sequence).padStart(9, '0')}.osc.gz`)

  return {
    name,
    async latest() {
      const found = await stateAt('state.txt')
      if (found !== null) return found
      throw new ServiceError(
        'no-replication',
        `${name} has no state.txt, so it does not publish changes (any more); set osm.changes to the change files: osm.changes: [files].`,
        { retry: false },
      )
    },
    state,
    async cached(sequence, since) {
      const found = await noted(pathOf(sequence), changesUrl(sequence), sequence)
      return found !== null && Date.parse(found.state.timestamp) >= Date.parse(since) ? found : null
    },
    async changes(state) {
      const file = await fetchChanges(changesUrl(state.sequence), pathOf(state.sequence), state, options)
      return file && { state, file }
    },
    async tidy() {
      await touch(folder)
      await removeUnused(servers)
      await removeUnused(folder)
    },
  }
}

/** Null where there is no such file. @throws ServiceError `state-failed` */
async function textOf(address: string, signal: AbortSignal): Promise<string | null> {
  const failed = (why: string, retry: boolean, response?: Response) =>
    new ServiceError('state-failed', `${redact(address)} can't be read (${why}); run the same command again later.`, {
      retry,
      ...(response && { status: response.status, retryAfterMs: retryAfterOf(response.headers) }),
    })
  try {
    const response = await httpFetch(address, { signal, headers: { 'cache-control': 'no-cache' } })
    const { status, ok } = response
    if (ok) return await response.text()
    await response.body?.cancel()
    if (isMissing(status)) return null
    throw failed(`HTTP ${status}`, isPassing(status), response)
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof SkyscriptError ? error : failed(reasonOf(error), true)
  }
}

const isMissing = (status: number | undefined) => status === 404 || status === 410

const changeFile = (path: string, url: string, bytes: number, hash: string): ChangeFile => ({
  ...{ path, name: redact(url), bytes, sha256: hash },
  forget: () => rm(noteOf(path), { force: true }),
})

const noteOf = (path: string) => path.replace(/osc\.gz$/, 'json')

/** Changes that are in the cache, as they were when they were noted. */
async function noted(path: string, url: string, sequence: number): Promise<PublishedChanges | null> {
  try {
    const note = JSON.parse(await readFile(noteOf(path), 'utf8'))
    const { timestamp, bytes, sha256: hash } = note
    const isWhole = note.sequence === sequence && typeof timestamp === 'string' && /^[0-9a-f]{64}$/.test(hash)
    if (!isWhole || !(await isIntact(path, { sha256: hash, bytes }))) return null
    await touch(path)
    await touch(noteOf(path))
    return { state: { sequence, timestamp }, file: changeFile(path, url, bytes, hash) }
  } catch {
    // Never downloaded, or damaged: they are downloaded.
    return null
  }
}

async function fetchChanges(
  url: string,
  path: string,
  state: ReplicationState,
  { signal, terminal, pauseMs }: CacheOptions,
): Promise<ChangeFile | null> {
  const got = await download({
    url,
    path,
    signal,
    onRetry: retryNote(url, terminal),
    ...(pauseMs !== undefined && { pauseMs }),
    checkHead(head, response) {
      const kind = fileKind(head, response.headers.get('content-type'))
      if (!CHANGE_KINDS.includes(kind))
        throw new InputError(
          'not-a-change-file',
          `${redact(url)} is ${kind}, not a change file; set osm.changes to the change files: osm.changes: [files].`,
        )
    },
  }).catch((error) => {
    if (error instanceof ServiceError && isMissing(error.status)) return null
    throw error
  })
  if (got === null) return null
  if (!(await isWhole(got.file))) {
    await rm(got.file, { force: true })
    throw new ServiceError(
      'download-failed',
      `${redact(url)} is damaged or cut off on the server; run the same command again later.`,
      { retry: true },
    )
  }
  const hash = await sha256OfStream(createReadStream(got.file))
  await rename(got.file, path)
  // Last: what is not noted is not there.
  await writeWhole(noteOf(path), { ...state, bytes: got.bytes, sha256: hash })
  return changeFile(path, url, got.bytes, hash)
}

/** Whether a downloaded change file is complete: gzip, or XML from a server that sends gzip as a content encoding. */
async function isWhole(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const start = (await file.read(Buffer.alloc(2), 0, 2, 0)).buffer
    if (start[0] === 0x1f && start[1] === 0x8b) return unpacks(path)
    const most = Math.min(size, 1000)
    const end = (await file.read(Buffer.alloc(most), 0, most, size - most)).buffer
    return /(<\/osmChange\s*|\/)>\s*$/.test(end.toString('latin1'))
  } finally {
    await file.close()
  }
}

/** Whether a file is whole gzip, by its own length and checksum. */
async function unpacks(path: string): Promise<boolean> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  return pipeline(createReadStream(path), createGunzip(), nowhere).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('Z_')) return false
      throw error
    },
  )
}
