import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { redact, ServiceError } from '@skyscript/core'
import type { Dispatcher } from 'undici'
import { httpFetch, type Response, reasonOf } from './fetch.ts'
import { claimPartial, LONGEST_NOTE, leavePartial, notePartial, type Partial } from './partials.ts'
import { BodyFault, readAhead } from './read-ahead.ts'
import { retryAfterOf } from './retry-after.ts'
import { isPassing } from './status.ts'

/** Tries in a row that brought no new byte. */
const ATTEMPTS = 8
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** Enough to tell what a file is. */
const HEAD_BYTES = 1024

/** What distinguishes one version of a file from another (RFC 9110, 8.8). */
export interface Validators {
  readonly etag: string | null
  /** `Last-Modified`. */
  readonly modified: string | null
}

export interface Download {
  readonly url: string
  /** What files of this download are called, before a suffix; what breaks off is kept there for the next call. */
  readonly path: string
  /** Of the copy that the caller has: if the file is still that, nothing is downloaded. */
  readonly known?: Validators | null
  readonly signal?: AbortSignal
  /** @param total null where the server doesn't say */
  onBytes?(done: number, total: number | null): void
  /** Before each pause. */
  onRetry?(why: string, pauseMs: number): void
  /** Looks at the first 1,024 bytes (fewer of a smaller file); what it throws ends the download. */
  checkHead?(head: Uint8Array, response: Response): void
  /** Why a file of which the server announced no length is not whole; null if it is. */
  checkWhole?(file: string): string | null
  /** Before the second try; twice as long before each later one. Default: 1,000 ms. */
  readonly pauseMs?: number
  readonly dispatcher?: Dispatcher
}

/**
 * null: the server has what the caller knows, and nothing was downloaded. Else the whole `file` under a temporary name
 * of this process: the caller renames it.
 */
export type Downloaded = (Validators & { readonly file: string; readonly bytes: number }) | null

/**
 * Downloads a file. A body that breaks off is continued where it broke (`Range` with `If-Range`, so never with bytes of
 * another version), also by a later call; 408, 425, 429 and 5xx are asked again, after `Retry-After` if the server gives
 * it; a conditional request saves the download of what is known.
 *
 * @throws ServiceError `download-failed`, `retry` true once every try failed, with the `status` of a refusal; the signal's
 * reason
 */
export async function download(options: Download): Promise<Downloaded> {
  const { path, signal, pauseMs = FIRST_PAUSE_MS } = options
  await mkdir(dirname(path), { recursive: true })
  const state: State = { partial: await claimPartial(path), most: 0, whole: false }
  try {
    for (let tries = 1; ; tries++) {
      const before = state.most
      try {
        const result = await once(options, state)
        state.whole = result !== null
        return result
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (!(error instanceof BrokenOff)) throw error
        if (state.most > before) tries = 1
        if (tries === ATTEMPTS) throw failed(options, error.why, true, error)
        const grown = Math.min(LONGEST_PAUSE_MS, pauseMs * 2 ** (tries - 1)) * (0.75 + Math.random() / 2)
        const wait = Math.max(error.retryAfterMs ?? 0, grown)
        options.onRetry?.(error.why, wait)
        await sleep(wait, undefined, signal && { signal }).catch(() => signal?.throwIfAborted())
      }
    }
  } finally {
    if (!state.whole) await leavePartial(path, state.partial)
  }
}

interface State {
  partial: Partial
  /** The most bytes that a try has reached. */
  most: number
  whole: boolean
}

/** What the next try may mend. */
class BrokenOff extends Error {
  readonly why: string
  readonly retryAfterMs: number | null

  constructor(why: string, retryAfterMs: number | null = null, cause?: unknown) {
    super(why, { cause })
    this.why = why
    this.retryAfterMs = retryAfterMs
  }
}

async function once(options: Download, state: State): Promise<Downloaded> {
  const { url, known = null, signal, dispatcher } = options
  let have = (await stat(state.partial.file).catch(() => null))?.size ?? 0
  if (state.partial.note === '') have = 0
  // Ranges count the bytes as they are sent, so none may be compressed on the way.
  const headers = {
    'accept-encoding': 'identity',
    ...(have > 0
      ? { range: `bytes=${have}-`, 'if-range': state.partial.note }
      : {
          ...(known?.etag && { 'if-none-match': known.etag }),
          ...(known?.modified && { 'if-modified-since': known.modified }),
        }),
  }
  const response = await httpFetch(url, {
    headers,
    ...(signal && { signal }),
    ...(dispatcher && { dispatcher }),
  }).catch((error) => {
    throw error instanceof ServiceError ? error : new BrokenOff(reasonOf(error), null, error)
  })
  try {
    const { status } = response
    const now = validatorsOf(response)
    if (known !== null && have === 0 && (status === 304 || (status === 200 && isSame(known, now)))) return null
    if (status === 206 && have > 0) checkRange(response, have, state)
    else if (status === 200) have = 0
    else await refuse(options, response, state)
    const bytes = await receive(options, response, have, state)
    return { ...now, bytes, file: state.partial.file }
  } finally {
    // Frees the connection of a body that nobody reads.
    if (response.body?.locked === false) await response.body.cancel().catch(() => undefined)
  }
}

async function refuse(options: Download, response: Response, state: State): Promise<never> {
  const { status } = response
  if (status === 416 || status === 206) {
    // Nothing is after what we have, so we have something else.
    await rm(state.partial.file, { force: true })
    state.partial = { ...state.partial, note: '' }
    throw new BrokenOff(`it has no bytes ${response.headers.get('content-range') ?? 'there'}`)
  }
  const why = `HTTP ${status}`
  if (isPassing(status)) throw new BrokenOff(why, retryAfterOf(response.headers))
  const login = status === 401 || status === 403 ? ': it may not be read without a login' : ''
  throw failed(options, `${why}${login}`, false, undefined, status)
}

/** @throws BrokenOff where the server sends another part than the one that is missing */
function checkRange(response: Response, have: number, state: State): void {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '')
  const { etag, modified } = validatorsOf(response)
  const { note } = state.partial
  const isOther = etag === null ? modified !== null && modified !== note : etag !== note && modified !== note
  if (match !== null && Number(match[1]) === have && !isOther) return
  state.partial = { ...state.partial, note: '' }
  throw new BrokenOff(isOther ? 'it was replaced on the server' : 'it sent another range than was asked for')
}

/** Writes the body behind the bytes that are there; the length of the file. */
async function receive(options: Download, response: Response, have: number, state: State): Promise<number> {
  const total = totalOf(response)
  const body = readAhead(response.body)
  let done = have
  const handle = await open(state.partial.file, have > 0 ? 'a' : 'w')
  try {
    if (have === 0) {
      // On a server that knows no version of the file the next try starts anew.
      const { etag, modified } = validatorsOf(response)
      const strong = etag?.startsWith('W/') === false ? etag : modified
      const note = strong === null || strong.length > LONGEST_NOTE || isEncoded(response) ? '' : strong
      state.partial = await notePartial(options.path, state.partial, note)
    }
    const head: Uint8Array[] = []
    let headDone = have > 0
    for await (const chunk of body.chunks()) {
      await handle.writeFile(chunk)
      done += chunk.length
      state.most = Math.max(state.most, done)
      options.onBytes?.(done, total)
      if (headDone) continue
      head.push(chunk)
      headDone = done >= HEAD_BYTES
      if (headDone) options.checkHead?.(Buffer.concat(head).subarray(0, HEAD_BYTES), response)
    }
    if (!headDone) options.checkHead?.(Buffer.concat(head), response)
  } catch (error) {
    throw error instanceof BodyFault
      ? new BrokenOff(`it broke off: ${reasonOf(error.cause)}`, null, error.cause)
      : error
  } finally {
    await body.stop()
    await handle.close()
  }
  if (total !== null && done < total) throw new BrokenOff(`it broke off after ${done} of ${total} bytes`)
  if (total !== null && done > total) {
    state.partial = { ...state.partial, note: '' }
    throw failed(options, `${done} bytes came where ${total} were announced`, false)
  }
  // If only the end of the connection marks the end of the file, the connection may have broken.
  const fault = total === null ? (options.checkWhole?.(state.partial.file) ?? null) : null
  if (fault !== null) throw new BrokenOff(`it broke off after ${done} bytes: ${fault}`)
  return done
}

const isEncoded = ({ headers }: Response) => headers.has('content-encoding')

function totalOf(response: Response): number | null {
  const text =
    response.status === 206
      ? response.headers.get('content-range')?.split('/')[1]
      : response.headers.get('content-length')
  return text != null && /^\d+$/.test(text) && !isEncoded(response) ? Number(text) : null
}

const validatorsOf = ({ headers }: Response): Validators => ({
  etag: headers.get('etag'),
  modified: headers.get('last-modified'),
})

/** Of a server that answers a conditional request with the whole file. */
function isSame(known: Validators, now: Validators): boolean {
  const weak = (etag: string | null) => etag?.replace(/^W\//, '') ?? null
  if (known.etag !== null || now.etag !== null) return weak(known.etag) === weak(now.etag)
  return known.modified !== null && known.modified === now.modified
}

function failed({ url }: Download, why: string, retry: boolean, cause?: unknown, status?: number): ServiceError {
  return new ServiceError(
    'download-failed',
    `${redact(url)} could not be downloaded (${why}); check the URL and run again.`,
    { retry, cause, ...(status !== undefined && { status }) },
  )
}
