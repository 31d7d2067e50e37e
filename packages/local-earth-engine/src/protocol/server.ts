import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { InputError } from '@skyscript/core'
import { fraction, hashText } from '../draw/hash.ts'
import type { Answer } from './api.ts'
import { ApiError, badRequest } from './api-error.ts'
import { startApi } from './api-threads.ts'
import { type FaultKind, faultPlan, parseFaults, SPOILT } from './faults.ts'
import { LIMITS, requestMeter, TOO_MANY_REQUESTS } from './limits.ts'
import type { LocalEarthEngineOptions, Stats } from './options.ts'
import { PROFILE_ANSWER, PROFILE_REQUEST, profileId } from './profiles.ts'

/** A running server. */
export interface LocalEarthEngine {
  /** `http://127.0.0.1:8080`, without a path. */
  readonly url: string
  stats(): Stats
  /** Ends the server, its connections and its threads; may be called twice. */
  close(): Promise<void>
}

/** Requests name only paths. */
const BASE = 'http://localhost'

type RequestKind = keyof Stats['requests']

/** More threads draw no faster where as many clients' requests are encoded and scored beside. */
const MOST_THREADS = 8

/** How an answer says that the project's noncommercial quota of the month is used up and it may compute less at a time. */
const RESTRICTED = { 'X-Earth-Engine-Quota-Status': 'parallelism_restricted=true' }

/**
 * Starts the server: HTTP, limits and faults here, evaluation and drawing in threads of their own.
 *
 * @throws InputError where features can't be read, the faults make no sense or the port is taken
 */
export async function startLocalEarthEngine(options: LocalEarthEngineOptions): Promise<LocalEarthEngine> {
  const limits = { ...LIMITS, ...options.limits }
  const faults = faultPlan(
    typeof options.faults === 'string' ? parseFaults(options.faults) : (options.faults ?? { shares: {} }),
  )
  const meter = requestMeter(limits)
  const api = await startApi(options.threads ?? Math.min(availableParallelism(), MOST_THREADS), options.features, {
    brandenburg: options.brandenburg ?? 'image',
    limits,
    ...(options.denied && { denied: options.denied }),
    ...(options.until && { until: options.until }),
  })
  /** By the whole request, which is all that an answer depends on. */
  const answers = new Map<string, Answer>()
  let cacheBytes = options.cacheBytes ?? 0
  const stats = {
    requests: { algorithms: 0, compute: 0, pixels: 0, assets: 0, other: 0 } as Record<RequestKind, number>,
    byStatus: {} as Record<string, number>,
    faults: {} as Record<string, number>,
    pixels: 0,
    bytes: 0,
  }
  let requestNumber = 0
  let closing: Promise<void> | undefined

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const number = requestNumber++
    const url = URL.canParse(request.url ?? '', BASE) ? new URL(request.url ?? '', BASE) : null
    const kind = url === null ? 'other' : kindOf(url.pathname)
    stats.requests[kind]++
    if (url === null) {
      request.resume()
      return answerError(response, badRequest('Invalid path.'))
    }
    if (!meter.enter(performance.now())) {
      request.resume()
      return answerError(response, new ApiError(429, TOO_MANY_REQUESTS))
    }
    response.once('close', () => meter.leave())
    try {
      const payload = await readBody(request, limits.payloadBytes)
      const content = `${request.method} ${url.pathname}${url.search}\n${payload}`
      const fault = kind === 'compute' || kind === 'pixels' ? faults(content) : null
      if (fault) stats.faults[fault] = (stats.faults[fault] ?? 0) + 1
      if (options.latency) await delay(options.latency, hashText(`${number}\n${content}`))
      if (fault && (await spoil(fault, response))) return
      checkAccess(request, url)
      const call = { method: request.method ?? 'GET', url: request.url ?? '/', payload }
      const kept = answers.get(content)
      const answer = kept ?? (await api.answer(call, () => !response.destroyed))
      if (kept === undefined) {
        stats.pixels += answer.pixels
        cacheBytes -= content.length + answer.body.length
        if (cacheBytes >= 0) answers.set(content, answer)
      }
      const isProfiled = request.headers[PROFILE_REQUEST] !== undefined
      send(response, 200, answer, fault, {
        ...(isProfiled && { [PROFILE_ANSWER]: profileId(number, answer.pixels) }),
        ...(fault === 'restricted' && RESTRICTED),
      })
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy()
      else answerError(response, error)
    }
  }

  function checkAccess(request: IncomingMessage, url: URL): void {
    const { requireToken, projects } = options
    if (typeof requireToken === 'string' && request.headers.authorization !== `Bearer ${requireToken}`) {
      throw new ApiError(
        401,
        'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
      )
    }
    // An asset may be another project's.
    const project = /^\/v1\w*\/projects\/([^/]+)\/(?!assets\/)/.exec(url.pathname)?.[1]
    if (projects && project !== undefined && !projects.includes(project)) {
      throw new ApiError(
        403,
        `Project ${project} is not registered to use Earth Engine. Visit https://console.cloud.google.com/earth-engine/configuration?project=${project} to register the project.`,
      )
    }
  }

  /** Whether the fault already answered the request. */
  async function spoil(fault: FaultKind, response: ServerResponse): Promise<boolean> {
    const instead = SPOILT[fault]
    if (instead === undefined) return false
    // The place among the concurrent requests stays taken until the client gives up.
    if (instead === 'hang') await new Promise((resolve) => response.once('close', resolve))
    else if (instead instanceof ApiError) answerError(response, instead)
    else send(response, 200, instead, null)
    return true
  }

  function send(
    response: ServerResponse,
    status: number,
    { contentType, body }: { readonly contentType: string; readonly body: Buffer },
    fault: FaultKind | null,
    headers = {},
  ): void {
    stats.byStatus[status] = (stats.byStatus[status] ?? 0) + 1
    stats.bytes += body.length
    response.writeHead(status, { ...headers, 'Content-Type': contentType, 'Content-Length': body.length })
    if (fault === 'cut' || fault === 'hang-body') {
      response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
        if (fault === 'cut') response.destroy()
      })
    } else response.end(body)
  }

  function answerError(response: ServerResponse, error: unknown): void {
    const known = error instanceof ApiError ? error : new ApiError(500, 'An internal error occurred.')
    if (!(error instanceof ApiError)) process.stderr.write(`local Earth Engine: ${String(error)}\n`)
    const answer = { contentType: 'application/json; charset=UTF-8', body: Buffer.from(known.body) }
    send(response, known.code, answer, null, known.headers)
  }

  const server = createServer((request, response) => void handle(request, response))
  // Clients keep connections open between the shards of a long build.
  server.keepAliveTimeout = 65_000
  await listen(server, options).catch(async (error: unknown) => {
    await api.close()
    throw error
  })
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    stats: () => ({ ...structuredClone(stats), concurrent: meter.current, peakConcurrent: meter.peak }),
    close() {
      closing ??= (async () => {
        await new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        })
        await api.close()
      })()
      return closing
    },
  }
}

function kindOf(path: string): RequestKind {
  if (path.endsWith('/algorithms')) return 'algorithms'
  if (path.endsWith('/value:compute')) return 'compute'
  if (path.endsWith('/image:computePixels')) return 'pixels'
  return path.includes('/assets') ? 'assets' : 'other'
}

async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit)
      throw new ApiError(413, `Request payload size exceeds the limit: ${limit} bytes.`, { Connection: 'close' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function delay({ ms, jitter }: { ms: number; jitter: number }, seed: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms * (1 + jitter * (2 * fraction(seed, 0) - 1)))))
}

async function listen(server: Server, { port = 0, host = '127.0.0.1' }: LocalEarthEngineOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (error) {
    throw new InputError('port-taken', `The local Earth Engine can't listen on ${host}:${port}; choose another port.`, {
      cause: error,
    })
  }
}
