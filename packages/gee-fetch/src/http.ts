import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib'
import { InputError, isRefusedHost, redact, redactAnswer, ServiceError, TOOL_VERSION } from '@skyscript/core'
import { type Dispatcher, loginOf, openAgent, reasonOf, retryAfterOf } from '@skyscript/http'
import type { Limiter } from './limiter.ts'
import type { Outages } from './outages.ts'
import { mayPass } from './refusals.ts'
import { withRetries } from './retries.ts'
import { meaningOf } from './web/answers.ts'
import type { FileCache } from './web/file-cache.ts'

const ATTEMPTS = 5
const REDIRECTS = 3
/** Owners of services want to know who asks, and how to reach them. */
const userAgent = (contact: string | null) =>
  `skyscript-pipeline/${TOOL_VERSION}${contact === null ? '' : ` (+${contact})`}`
/** Maximum duration of one attempt, from connecting to the last byte. */
const DEADLINE_MS = 55_000
/** A server that ignores ranges sends the whole file; accepted up to this size. */
const WHOLE_FILE_BYTES = 16 * 2 ** 20
const JSON_BYTES = 32 * 2 ** 20
/** Of an answer that is no picture. */
const MOST_READ = 10_000

/** Bytes of a file on a server. */
export interface RangeAnswer {
  readonly bytes: Buffer
  /** Offset of `bytes` in the file: 0 if the server sent all of it. */
  readonly from: number
  /** Size of the whole file; null if the server doesn't say. */
  readonly size: number | null
  /** Its ETag (strong or weak) or else its time: changes with the file; null if the server doesn't say. */
  readonly version: string | null
}

export interface Http {
  /** @param to offset after the last byte requested */
  range(url: string, from: number, to: number, signal?: AbortSignal): Promise<RangeAnswer>
  /**
   * A picture; null if there is none: 404, 410, 204, nothing in it, or a sentence that says so.
   *
   * @throws ServiceError for anything but a PNG, JPEG, GIF or WebP, by what the answer says: `image-refused` is final for it,
   * `imagery-denied`, `imagery-quota` and `imagery-bad-answer` may pass; InputError `service-refused` for settings
   */
  file(url: string, asked: FileRequest, signal?: AbortSignal): Promise<Buffer | null>
  /** A whole file of text, such as what a service says of itself. */
  document(url: string, asked: FileRequest, signal?: AbortSignal): Promise<Buffer>
  /** GET, or POST if there is a body. */
  json(url: string, body: unknown, signal?: AbortSignal): Promise<unknown>
  readonly stats: { searches: number; rangeRequests: number; bytes: number; retries: number }
  close(): Promise<void>
}

export interface FileRequest {
  /** The address as messages may show it. */
  readonly shown: string
  /** Largest size accepted, bytes. */
  readonly most: number
}

interface OneRequest {
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string>
  readonly body?: string
  readonly shown?: string
  /** The error of an answer of status 300 or more. */
  readonly refusal?: typeof errorOf
}

export interface HttpOptions {
  readonly limiter: Limiter
  readonly maxConcurrent: number
  /** Attempts per request, default 5. */
  readonly attempts?: number | undefined
  readonly deadlineMs?: number | undefined
  /** Waits up to `patienceMs` for a server that is down; without it, requests fail after their attempts. */
  readonly outages?: Outages | undefined
  readonly patienceMs?: number | undefined
  /** E-mail address or URL that servers are told. */
  readonly contact?: string | null | undefined
  /** Whole files that have an ETag are kept here, and not sent again while they are the same. */
  readonly cache?: FileCache | undefined
}

/** HTTP for public files and catalogues: one shared limit, keep-alive connections, deadlines and retries. */
export function createHttp({
  limiter,
  maxConcurrent,
  attempts = ATTEMPTS,
  deadlineMs = DEADLINE_MS,
  outages,
  patienceMs = 0,
  contact = null,
  cache,
}: HttpOptions): Http {
  const agent = openAgent({ connections: maxConcurrent })
  const stats = { searches: 0, rangeRequests: 0, bytes: 0, retries: 0 }

  const once = async (
    url: string,
    { shown, refusal = errorOf, ...options }: OneRequest,
    most: number,
    signal?: AbortSignal,
  ): Promise<{ response: Dispatcher.ResponseData; bytes: Buffer }> => {
    const release = await limiter.acquire(signal)
    const deadline = AbortSignal.timeout(deadlineMs)
    const either = signal ? AbortSignal.any([signal, deadline]) : deadline
    const name = shown ?? hostOf(url)
    try {
      let target = checkedUrl(url, name)
      const { origin } = target
      const login = loginOf(target)
      for (let redirect = 0; ; redirect++) {
        const response = await agent.request({
          origin: target.origin,
          path: target.pathname + target.search,
          ...options,
          headers: { 'user-agent': userAgent(contact), ...options.headers, ...(target.origin === origin && login) },
          signal: either,
        })
        const { location } = response.headers
        if ([301, 302, 303, 307, 308].includes(response.statusCode) && typeof location === 'string') {
          await response.body.dump()
          if (redirect === REDIRECTS) throw failed('imagery-refused', `${name} redirects too often.`, 400)
          target = redirected(location, target, name)
          continue
        }
        const bytes = await bodyOf(response, most, name)
        stats.bytes += bytes.length
        const isSame = response.statusCode === 304 && 'if-none-match' in options.headers
        if (response.statusCode >= 300 && !isSame) throw refusal(response, bytes, url, name)
        return { response, bytes }
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (error instanceof ServiceError || error instanceof InputError) throw error
      const why = deadline.aborted ? `not within ${deadlineMs / 1000} s` : reasonOf(error)
      throw new ServiceError('imagery-unreachable', `${name} did not answer (${why}); check the network.`, {
        retry: true,
        cause: error,
      })
    } finally {
      release()
    }
  }
  /** Parsing the response also decides whether the request is worth retrying, so that attempts are counted in one place. */
  const send = <T>(
    [url, options, most, signal]: Parameters<typeof once>,
    read: (answer: Awaited<ReturnType<typeof once>>) => T,
  ): Promise<T> =>
    withRetries(async (own) => read(await once(url, options, most, own)), {
      attempts,
      signal,
      outage: URL.canParse(url) ? outages?.of(new URL(url).origin, new URL(url).host, patienceMs) : undefined,
      onRetry: (error) => {
        stats.retries++
        if (error.status === 429 || error.status === 503) limiter.refused(error.retryAfterMs)
      },
    })

  return {
    stats,
    async range(url, from, to, signal) {
      stats.rangeRequests++
      const headers = { range: `bytes=${from}-${to - 1}` }
      const most = Math.max(WHOLE_FILE_BYTES, to - from)
      return send([url, { method: 'GET', headers }, most, signal], ({ response, bytes }) =>
        rangeOf(response, bytes, { from, to }, url),
      )
    },
    async file(url, { shown, most }, signal) {
      const known = (await cache?.get(shown)) ?? null
      const headers: Record<string, string> = known === null ? {} : { 'if-none-match': known.etag }
      try {
        let etag: unknown
        const options = { method: 'GET', headers, shown, refusal: refusalOfPicture } as const
        const file = await send([url, options, most, signal], ({ response, bytes }) => {
          if (response.statusCode === 304) return known!.bytes
          if (response.statusCode === 204 || bytes.length === 0) return null
          etag = response.headers.etag
          if (!isImage(bytes)) throw refusalOfPicture(response, bytes, url, shown)
          return bytes
        })
        if (file !== null && typeof etag === 'string') await cache?.put(shown, { etag, bytes: file })
        return file
      } catch (error) {
        if (error instanceof ServiceError && (error.status === 404 || error.status === 410)) return null
        throw error
      }
    },
    async document(url, { shown, most }, signal) {
      return send([url, { method: 'GET', headers: {}, shown }, most, signal], ({ bytes }) => bytes)
    },
    async json(url, body, signal) {
      stats.searches++
      const options =
        body === undefined
          ? { method: 'GET' as const, headers: { accept: 'application/json' } }
          : { method: 'POST' as const, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
      return send([url, options, JSON_BYTES, signal], ({ bytes }) => jsonOf(bytes, url))
    },
    close: () => agent.close(),
  }
}

/** Why an address must not be requested, or null. */
export function addressFault(text: string): string | null {
  if (!URL.canParse(text)) return 'is not the URL of an image'
  const { protocol, hostname } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') return 'must be http or https'
  return isRefusedHost(hostname) ? 'is a link-local address or a metadata service' : null
}

/** @throws InputError `bad-image-url` */
function checkedUrl(text: string, name: string): URL {
  const fault = addressFault(text)
  if (fault !== null) throw new InputError('bad-image-url', `${name} ${fault}.`)
  return new URL(text)
}

/** A bad redirect is the server's fault, not the settings': another image may be used. */
function redirected(location: string, from: URL, asked: string): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : null
  const fault = target === null ? 'is not a URL' : addressFault(target.href)
  if (target === null || fault !== null) throw failed('bad-image-url', `${asked} redirects to what ${fault}.`, 400)
  return target
}

/** @throws ServiceError for a web page with status 200, such as a proxy in front of a catalogue may send */
function jsonOf(bytes: Buffer, url: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw failed('imagery-bad-answer', `${hostOf(url)} answered with something other than JSON.`, undefined, true)
  }
}

/** An address for messages, without the login and the query, which may hold secrets. */
export function hostOf(text: string): string {
  if (!URL.canParse(text)) return redact(text.split('?')[0]!.slice(0, 100))
  const { protocol, host, pathname } = new URL(text)
  return redact(`${protocol}//${host}${pathname}`)
}

function failed(code: string, message: string, status?: number, retry = false): ServiceError {
  return new ServiceError(code, message, { retry, ...(status !== undefined && { status }) })
}

const CODES: Readonly<Record<number, string>> = {
  401: 'imagery-denied',
  403: 'imagery-denied',
  416: 'image-damaged',
  429: 'imagery-quota',
}

function errorOf(response: Dispatcher.ResponseData, body: Buffer, url: string, name: string): Error {
  const status = response.statusCode
  const retry = mayPass(status)
  const error = failed(
    CODES[status] ?? (retry ? 'imagery-failed' : 'imagery-refused'),
    `${name} answered ${status}${saidIn(body, url, name)}.`,
    status,
    retry,
  )
  error.retryAfterMs = retryAfterOf(response.headers)
  return error
}

/** What an answer that is no picture means for the one that was asked for; status 404 if there is none. */
function refusalOfPicture(response: Dispatcher.ResponseData, body: Buffer, url: string, name: string): Error {
  const { statusCode: status } = response
  const is = status < 300 ? 'answered with no image' : `answered ${status}`
  const sentence = `${name} ${is}${saidIn(body, url, name)}.`
  const meaning = meaningOf(body.toString('utf8', 0, MOST_READ), status)
  if (meaning === 'absent') return failed('imagery-absent', sentence, 404)
  if (meaning === 'image') return failed('image-refused', sentence, status)
  if (meaning === 'denied') return failed('imagery-denied', sentence, 403, true)
  if (meaning === 'quota') return failed('imagery-quota', sentence, 429, true)
  if (meaning === 'settings')
    return new InputError('service-refused', `${sentence.replace(/\.$/, '')}; correct its source in imagery.sources.`)
  return status < 300 ? failed('imagery-bad-answer', sentence, undefined, true) : errorOf(response, body, url, name)
}

async function bodyOf(
  { statusCode, body, headers }: Dispatcher.ResponseData,
  most: number,
  name: string,
): Promise<Buffer> {
  const tooLong = () =>
    failed(
      'imagery-bad-answer',
      `${name} sends more than ${most} bytes at once; files must be on a server that answers range requests.`,
      400,
    )
  if (Number(headers['content-length']) > most) {
    body.destroy()
    throw tooLong()
  }
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += (chunk as Buffer).length
    if (length > most) throw tooLong()
    chunks.push(chunk as Buffer)
  }
  const bytes = Buffer.concat(chunks)
  // Nothing is asked for in packed form, but some servers send it so.
  const unpack = statusCode === 206 || length === 0 ? undefined : UNPACKERS[String(headers['content-encoding'])]
  return unpack === undefined
    ? bytes
    : unpack(bytes, { maxOutputLength: most }).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLong()
        throw failed('imagery-bad-answer', `${name} sent a damaged answer.`, undefined, true)
      })
}

/** By content encoding. */
const UNPACKERS: Readonly<Record<string, (bytes: Buffer, options: ZlibOptions) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
}

function rangeOf(
  { statusCode, headers }: Dispatcher.ResponseData,
  bytes: Buffer,
  asked: { readonly from: number; readonly to: number },
  url: string,
): RangeAnswer {
  const { etag, 'last-modified': modified } = headers
  const version = typeof etag === 'string' ? etag.replace(/^W\//, '') : typeof modified === 'string' ? modified : null
  if (statusCode !== 206) {
    if (isNoFile(bytes, headers['content-type']))
      throw failed('imagery-bad-answer', `${hostOf(url)} answered with a web page or nothing.`, undefined, true)
    return { bytes, from: 0, size: bytes.length, version }
  }
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(String(headers['content-range']))
  const [from, last] = (match ?? []).slice(1).map(Number) as [number?, number?]
  // The size is unknown; a short response means that the file ends there.
  const told = match?.[3] === '*' ? Math.max(last! + 1, asked.from) : Number(match?.[3])
  const end = Math.min(asked.to, told)
  if (from !== asked.from || last !== end - 1 || bytes.length !== end - asked.from)
    throw failed('imagery-bad-answer', `${hostOf(url)} sent a different range than requested.`, undefined, true)
  const size = match?.[3] === '*' && end === asked.to ? null : told
  return { bytes, from, size, version }
}

/**
 * Detects what a proxy, a login page or a server under maintenance sends with status 200 instead of a file; it says
 * nothing about the file. A TIFF begins with II or MM, whatever content type its server sends.
 */
function isNoFile(bytes: Buffer, type: unknown): boolean {
  const text = textOf(bytes)
  if (/^(II|MM)/.test(text)) return false
  return (
    bytes.length === 0 || text.startsWith('<') || /^(text\/html|application\/(problem\+)?json)\b/i.test(String(type))
  )
}

/** PNG, JPEG, GIF or WebP, by the first bytes: content types are often wrong. */
const isImage = (bytes: Buffer): boolean =>
  /^(?:\x89PNG|\xff\xd8|GIF8|RIFF[\s\S]{4}WEBP)/.test(bytes.toString('latin1', 0, 12))

/** What a server says in an answer that is no web page, for a message. */
function saidIn(body: Buffer, url: string, name: string): string {
  const text = textOf(body)
  const isMarkup = text.startsWith('<') && !/^<(\?xml|ServiceException|[\w:]*ExceptionReport)/.test(text)
  // Of XML only the words: an exception's text is what helps.
  const words = text
    .replace(/<[^>]*>?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return isMarkup || words === '' ? '' : ` (${redactAnswer(words, url, name).slice(0, 120)})`
}

/** The beginning of a body, without leading byte order marks and spaces. */
const textOf = (bytes: Buffer): string => bytes.toString('utf8', 0, 1000).replace(/^[\s\uFEFF]+/, '')
