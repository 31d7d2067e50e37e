import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InputError } from '@skyscript/core'
import { describe } from './algorithm.ts'
import { ApiError, badRequest } from './api-error.ts'
import { describeAsset, listAssets } from './assets.ts'
import { createCatalogue } from './catalogue/catalogue.ts'
import { loadFeatures } from './draw/feature-store.ts'
import { createPainter } from './draw/scene-painter.ts'
import { encodeValue } from './encode-value.ts'
import { type FaultKind, faultPlan, parseFaults } from './faults.ts'
import { ALGORITHMS } from './functions/index.ts'
import { evaluateGraph } from './graph.ts'
import { fraction, hashText } from './hash.ts'
import { LIMITS, requestMeter, TOO_MANY_REQUESTS } from './limits.ts'
import type { LocalEarthEngineOptions, Stats } from './options.ts'
import { computePixels } from './pixels.ts'

/** A server in this thread: drawing blocks its event loop. `startLocalEarthEngine` gives it a thread of its own. */
export interface ServerInThisThread {
  readonly url: string
  stats(): Stats
  close(): Promise<void>
}

type RequestKind = keyof Stats['requests']

interface Answer {
  readonly contentType: string
  readonly body: Buffer
}

const json = (value: unknown): Answer => ({
  contentType: 'application/json; charset=UTF-8',
  body: Buffer.from(JSON.stringify(value)),
})

const HTML_PAGE =
  '<!DOCTYPE html><html><head><title>Error</title></head><body><p>The service is temporarily unavailable.</p></body></html>'

/** @throws InputError where features can't be read, an option is wrong or the port is taken */
export async function serveEarthEngine(options: LocalEarthEngineOptions): Promise<ServerInThisThread> {
  const limits = { ...LIMITS, ...options.limits }
  const faults = faultPlan(
    typeof options.faults === 'string' ? parseFaults(options.faults) : (options.faults ?? { shares: {} }),
  )
  const meter = requestMeter(limits)
  const painter = createPainter(await loadFeatures(options.features))
  const context = { catalogue: createCatalogue({ brandenburg: options.brandenburg ?? 'image', painter }) }
  const stats = {
    requests: { algorithms: 0, compute: 0, pixels: 0, assets: 0, other: 0 } as Record<RequestKind, number>,
    byStatus: {} as Record<string, number>,
    faults: {} as Record<string, number>,
    pixels: 0,
    bytes: 0,
  }
  let requestNumber = 0
  // Requests are drawn one at a time, in the order in which they came.
  let turn: Promise<void> = Promise.resolve()

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const number = requestNumber++
    const url = new URL(request.url ?? '/', 'http://localhost')
    const kind = kindOf(url.pathname)
    stats.requests[kind]++
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
      const answer = await inTurn(() => answerTo(request.method ?? 'GET', url, payload))
      send(response, 200, answer, fault)
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy()
      else answerError(response, error)
    }
  }

  function inTurn<T>(work: () => T): Promise<T> {
    // A task of its own for each, so that connections are accepted and counted between two drawings.
    const result = turn.then(
      () =>
        new Promise<T>((resolve, reject) =>
          setImmediate(() => {
            try {
              resolve(work())
            } catch (error) {
              reject(error)
            }
          }),
        ),
    )
    turn = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }

  function checkAccess(request: IncomingMessage, url: URL): void {
    const { requireToken, projects } = options
    if (typeof requireToken === 'string' && request.headers.authorization !== `Bearer ${requireToken}`) {
      throw new ApiError(
        401,
        'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
      )
    }
    const project = /^\/v1\w*\/projects\/([^/]+)\//.exec(url.pathname)?.[1]
    if (projects && project !== undefined && project !== 'earthengine-public' && !projects.includes(project)) {
      throw new ApiError(
        403,
        `Project ${project} is not registered to use Earth Engine. Visit https://console.cloud.google.com/earth-engine/configuration?project=${project} to register the project.`,
      )
    }
  }

  function answerTo(method: string, url: URL, payload: string): Answer {
    const path = decodeURIComponent(url.pathname)
    const match =
      /^\/v1\w*\/(projects\/[^/]+)\/(algorithms|value:compute|image:computePixels|assets\/(.+?)(:listAssets)?)$/.exec(
        path,
      )
    if (!match) throw new ApiError(404, `Method not found: ${method} ${path}.`)
    const [, project, what, asset, list] = match
    if (what === 'algorithms') return json({ algorithms: [...ALGORITHMS.values()].map(describe) })
    if (asset !== undefined) {
      const name = `${project}/assets/${asset}`
      return json(list ? listAssets(context.catalogue, name, url.searchParams) : describeAsset(context.catalogue, name))
    }
    if (method !== 'POST') throw new ApiError(404, `Method not found: ${method} ${path}.`)
    const body = parseBody(payload)
    const value = evaluateGraph(body.expression, ALGORITHMS, context)
    if (what === 'value:compute') return json({ result: encodeValue(value) })
    const pixels = computePixels(value, body, limits)
    stats.pixels += pixels.width * pixels.height
    return pixels
  }

  /** Whether the fault already answered the request; `hang-body` and `cut` spoil the real answer. */
  async function spoil(fault: FaultKind, response: ServerResponse): Promise<boolean> {
    switch (fault) {
      case '429':
        answerError(response, new ApiError(429, TOO_MANY_REQUESTS))
        return true
      case '429-retry-after':
        answerError(response, new ApiError(429, TOO_MANY_REQUESTS, { 'Retry-After': '1' }))
        return true
      case '500':
      case '503':
        answerError(response, new ApiError(Number(fault), 'An internal error occurred.'))
        return true
      case 'html':
        send(response, 200, { contentType: 'text/html; charset=utf-8', body: Buffer.from(HTML_PAGE) }, null)
        return true
      case 'empty':
        send(response, 200, { contentType: 'application/json; charset=UTF-8', body: Buffer.alloc(0) }, null)
        return true
      case 'hang':
        // Until the client gives up; the place among the concurrent requests stays taken.
        await new Promise((resolve) => response.once('close', resolve))
        return true
      default:
        return false
    }
  }

  function send(
    response: ServerResponse,
    status: number,
    { contentType, body }: Answer,
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
    if (!(error instanceof ApiError)) options.onError?.(error)
    send(
      response,
      known.code,
      { contentType: 'application/json; charset=UTF-8', body: Buffer.from(known.body) },
      null,
      known.headers,
    )
  }

  const server = createServer((request, response) => void handle(request, response))
  // Clients keep connections open between the shards of a long build.
  server.keepAliveTimeout = 65_000
  await listen(server, options)
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    stats: () => ({ ...structuredClone(stats), concurrent: meter.current, peakConcurrent: meter.peak }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
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

function parseBody(payload: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(payload)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  } catch {}
  throw badRequest('Invalid JSON payload received.')
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
