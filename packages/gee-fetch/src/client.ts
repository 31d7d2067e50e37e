import { EARTH_ENGINE_PER_SECOND, InputError, isLoopback, isRefusedHost, redact, ServiceError } from '@skyscript/core'
import { type Dispatcher, openAgent, reasonOf, retryAfterOf } from '@skyscript/http'
import { createTokenSource, takesAmbientCredentials } from './auth.ts'
import type { GridSystem } from './crs/grid-system.ts'
import { createEecuMeter, type EecuOptions, type EecuUse } from './eecu.ts'
import { type Graph, registerAlgorithms } from './expressions.ts'
import { createLimiter, type Limiter } from './limiter.ts'
import { parseNpy } from './npy.ts'
import type { Outage, Outages } from './outages.ts'
import { earthEngineError, refusalOf } from './refusals.ts'
import { withRetries } from './retries.ts'

/** Attempts per request. */
const ATTEMPTS = 5
/** Attempts of the very first requests, so that a wrong endpoint is reported at once. */
const FIRST_ATTEMPTS = 3
/** Maximum duration of one attempt, from connecting to the last byte. */
const DEADLINE_MS = 55_000
/** The profiler, https://developers.google.com/earth-engine/guides/computation_overview#profiler */
const PROFILE_REQUEST = 'x-earth-engine-computation-profiling'
const PROFILE_ANSWER = 'x-earth-engine-computation-profile'
const PROFILES = 'Profile.getProfiles'
/** Header that says a project has used up its noncommercial quota, https://developers.google.com/earth-engine/guides/noncommercial_tiers */
const QUOTA_STATUS = 'x-earth-engine-quota-status'
const RESTRICTED = 'parallelism_restricted=true'
/** No image of ours comes near this size; a larger body is not what we requested. */
const MAX_BODY = 64 * 2 ** 20

type Kind = 'compute' | 'pixels' | 'other'

export interface EarthEngineOptions {
  /** http(s) base URL; plain http only for this machine. */
  readonly endpoint: string
  readonly project: string | null
  /** Path of a file of Google credentials; null: for Google's own hosts the ambient ones, else none (see auth.ts). */
  readonly credentials: string | null
  readonly maxConcurrent: number
  /** Shared with other processes; default: one for this process. */
  readonly limiter?: Limiter
  /** Maximum milliseconds per attempt, default 55,000. */
  readonly deadlineMs?: number
  /** `none` for a server in this process; default: the environment's proxies. */
  readonly proxies?: 'none'
  /** Waits up to `patienceMs` for a service that is down; without it, requests fail after their attempts. */
  readonly outages?: Outages
  readonly patienceMs?: number
  /** Requests cost profiles, adds them up, and stops sending when the month's budget is used. */
  readonly eecu?: Omit<EecuOptions, 'project'>
}

export interface EarthEngineStats {
  readonly computeRequests: number
  readonly pixelRequests: number
  readonly retries: number
  readonly bytes: number
}

/** A pixel grid: size in pixels, and the affine transform to the units of its coordinate system. */
export interface PixelGrid {
  /** Default: EPSG:4326, in degrees. */
  readonly crs?: GridSystem['crs']
  readonly width: number
  readonly height: number
  readonly west: number
  readonly north: number
  readonly stepX: number
  readonly stepY: number
}

export interface EarthEngine {
  /** @throws InputError or ServiceError if the endpoint, the project or the credentials don't work */
  check(): Promise<void>
  /** `value:compute`. */
  compute(expression: Graph, signal?: AbortSignal): Promise<unknown>
  /** `image:computePixels` of an image with four bytes per pixel; returns height x width x 4 bytes. */
  pixels(expression: Graph, grid: PixelGrid, signal?: AbortSignal): Promise<Buffer>
  /** The asset's type, `IMAGE` or `IMAGE_COLLECTION`; null if it does not exist. */
  assetType(id: string): Promise<string | null>
  /** Ids of the assets in a folder of the public catalogue or of a project; empty if there is no such folder. */
  assetsIn(folder: string): Promise<string[]>
  stats(): EarthEngineStats
  /** What this client's requests cost, if it requests profiles. */
  eecuUse(): Promise<EecuUse>
  close(): Promise<void>
}

/** @throws InputError `bad-endpoint` */
export function createEarthEngine(options: EarthEngineOptions): EarthEngine {
  const base = checkEndpoint(options)
  const project = options.project ?? 'earthengine-legacy'
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS
  const token = createTokenSource(options.credentials, takesAmbientCredentials(options.endpoint) ? process.env : null)
  const limiter =
    options.limiter ?? createLimiter({ maxConcurrent: options.maxConcurrent, perSecond: EARTH_ENGINE_PER_SECOND })
  // The deadline of each attempt ends it.
  const agent = openAgent({
    connections: options.maxConcurrent,
    ...(options.proxies === 'none' && { proxies: 'none' }),
  })
  const stats = { computeRequests: 0, pixelRequests: 0, retries: 0, bytes: 0 }
  let ready: Promise<void> | undefined
  const meter =
    options.eecu &&
    createEecuMeter({ ...options.eecu, project }, async (ids) => {
      // Spelled out because the client library has no name for this function.
      const call = {
        functionName: PROFILES,
        arguments: { ids: { constantValue: ids }, format: { constantValue: 'text' } },
      }
      const expression = { result: '0', values: { 0: { functionInvocationValue: call } } }
      const answer = await json('other', `/v1/projects/${project}/value:compute`, { expression })
      return answer.result
    })

  /** When a response last said that the project is restricted; null while it isn't. */
  let restrictedAt: number | null = null
  const noteQuota = (header: string | string[] | undefined, began: number) => {
    const service = `${base.origin} ${project} quota`
    if (header?.includes(RESTRICTED)) {
      restrictedAt = performance.now()
      limiter.restricted(true)
      const text = `Earth Engine restricts project ${project}, which has used up its noncommercial quota of this month; asking for less at a time while that lasts.`
      options.outages?.notice({ service, text, isOver: false })
      return
    }
    // A response to a request sent before the restriction says nothing about now.
    if (restrictedAt === null || began < restrictedAt) return
    restrictedAt = null
    limiter.restricted(false)
    options.outages?.notice({ service, text: `Earth Engine no longer restricts project ${project}.`, isOver: true })
  }
  const outages = new Map<Kind, Outage>()
  const outageOf = (kind: Kind): Outage | undefined => {
    const outage =
      outages.get(kind) ??
      options.outages?.of(`${base.origin} ${project} ${kind}`, 'Earth Engine', options.patienceMs ?? 0)
    if (outage) outages.set(kind, outage)
    return outage
  }
  /** Parsing the response also decides whether the request is worth retrying, so that attempts are counted in one place. */
  const send = <T>(
    kind: Kind,
    path: string,
    body: unknown,
    read: (bytes: Buffer) => T,
    signal?: AbortSignal,
  ): Promise<T> =>
    withRetries(async (own) => read(await once(kind, path, body, own)), {
      attempts: kind === 'other' ? FIRST_ATTEMPTS : ATTEMPTS,
      signal,
      outage: outageOf(kind),
      onRetry: (error) => {
        stats.retries++
        if (error.status === 429) limiter.refused(error.retryAfterMs)
      },
    })

  /** Waits for a slot, then re-checks the budget: requests that waited less may have used it up. */
  const placeInBudget = async (signal?: AbortSignal): Promise<() => void> => {
    for (;;) {
      const release = await limiter.acquire(signal)
      try {
        if (!meter || (await meter.hasMore())) return release
      } catch (error) {
        release()
        throw error
      }
      // Fetching the open profiles takes a slot itself.
      release()
      await meter.settle()
    }
  }

  const once = async (kind: Kind, path: string, body: unknown, signal?: AbortSignal): Promise<Buffer> => {
    const bearer = await token()
    const release = await (kind === 'other' ? limiter.acquire(signal) : placeInBudget(signal))
    const deadline = AbortSignal.timeout(deadlineMs)
    const began = performance.now()
    try {
      if (kind === 'compute') stats.computeRequests++
      if (kind === 'pixels') stats.pixelRequests++
      const response = await agent.request({
        origin: base.origin,
        path: `${base.pathname.replace(/\/$/, '')}${path}`,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
          ...(options.project && { 'x-goog-user-project': options.project }),
          ...(meter && kind !== 'other' && { [PROFILE_REQUEST]: '1' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      })
      noteQuota(response.headers[QUOTA_STATUS], began)
      const bytes = await readBody(response)
      stats.bytes += bytes.length
      if (response.statusCode !== 200) {
        const error = errorOf(response, bytes, { kind, host: base.host, project })
        // Too many concurrent computations count as too many requests.
        if (response.statusCode === 429 && refusalOf(error) === 'too-much') limiter.refused(null)
        throw error
      }
      if (meter && kind !== 'other') {
        const profile = response.headers[PROFILE_ANSWER]
        meter.note(typeof profile === 'string' ? profile : null, pixelsAsked(body))
      }
      return bytes
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (error instanceof ServiceError || error instanceof InputError) throw error
      throw new ServiceError(
        deadline.aborted ? 'earth-engine-timeout' : 'earth-engine-unreachable',
        `Earth Engine at ${base.host} did not answer (${deadline.aborted ? `not within ${deadlineMs / 1000} s` : reasonOf(error)}); check imagery.earthEngine.endpoint and the network.`,
        { retry: true, cause: error },
      )
    } finally {
      release()
    }
  }

  const json = (
    kind: 'compute' | 'other',
    path: string,
    body: unknown,
    signal?: AbortSignal,
  ): Promise<Record<string, unknown>> => send(kind, path, body, (bytes) => objectOf(bytes, base.host), signal)

  const initialise = () => {
    ready ??= json('other', `/v1/projects/${project}/algorithms?prettyPrint=false`, undefined)
      .then((answer) => registerAlgorithms(answer))
      .catch((error) => {
        ready = undefined
        throw error
      })
    return ready
  }

  return {
    check: initialise,
    async compute(expression, signal) {
      await initialise()
      const answer = await json(
        'compute',
        `/v1/projects/${project}/value:compute`,
        { expression: expression() },
        signal,
      )
      return answer.result
    },
    async pixels(expression, grid, signal) {
      await initialise()
      const body = {
        expression: expression(),
        fileFormat: 'NPY',
        grid: {
          dimensions: { width: grid.width, height: grid.height },
          affineTransform: {
            scaleX: grid.stepX,
            shearX: 0,
            translateX: grid.west,
            shearY: 0,
            scaleY: -grid.stepY,
            translateY: grid.north,
          },
          crsCode: 'EPSG:4326',
        },
      }
      const read = (bytes: Buffer) => parseNpy(bytes, grid.width, grid.height)
      return send('pixels', `/v1/projects/${project}/image:computePixels`, body, read, signal)
    },
    async assetType(id) {
      const answer = await ifThere(json('other', `/v1/${assetName(id)}`, undefined))
      return typeof answer?.type === 'string' ? answer.type : null
    },
    async assetsIn(folder) {
      const answer = await ifThere(json('other', `/v1/${assetName(folder)}:listAssets`, undefined))
      const assets = Array.isArray(answer?.assets) ? (answer.assets as { name?: unknown }[]) : []
      return assets.flatMap(({ name }) => (typeof name === 'string' ? [name.replace(PUBLIC, '')] : []))
    },
    stats: () => ({ ...stats }),
    async eecuUse() {
      await meter?.settle()
      return meter?.use ?? { eecuSeconds: 0, requests: 0, pixels: 0 }
    },
    async close() {
      try {
        await meter?.settle()
      } finally {
        await agent.close()
      }
    },
  }
}

/** The public catalogue. */
const PUBLIC = 'projects/earthengine-public/assets/'

/** Assets of a project, also those that the catalogue lists, are named in full by their ids. */
const assetName = (id: string) => (id.startsWith('projects/') ? id : `${PUBLIC}${id}`)

async function ifThere<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ServiceError && error.status === 404) return null
    throw error
  }
}

function pixelsAsked(body: unknown): number {
  const { grid } = body as { grid?: { dimensions: { width: number; height: number } } }
  return grid ? grid.dimensions.width * grid.dimensions.height : 0
}

function checkEndpoint({ endpoint, credentials }: EarthEngineOptions): URL {
  const wrong = (why: string) =>
    new InputError('bad-endpoint', `imagery.earthEngine.endpoint ${redact(endpoint)} ${why}.`)
  if (!URL.canParse(endpoint)) throw wrong('is not a URL')
  const url = new URL(endpoint)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw wrong('must be http or https')
  if (isRefusedHost(url.hostname)) throw wrong('is a link-local address or a metadata service')
  if (url.protocol === 'http:' && credentials !== null && !isLoopback(url.hostname))
    throw wrong('would send a token unencrypted; use https')
  return url
}

async function readBody(response: Dispatcher.ResponseData): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += (chunk as Buffer).length
    if (length > MAX_BODY)
      throw new ServiceError('earth-engine-bad-answer', `Earth Engine sent more than ${MAX_BODY} bytes.`, {
        retry: false,
      })
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

/** @throws ServiceError if a response with status 200 is not JSON of the API: empty, or a proxy's page */
function objectOf(bytes: Buffer, host: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof answer === 'object' && answer !== null) return answer as Record<string, unknown>
  } catch {}
  throw new ServiceError(
    'earth-engine-bad-answer',
    `Earth Engine at ${host} answered with something other than JSON; check imagery.earthEngine.endpoint.`,
    { retry: true },
  )
}

function errorOf(
  response: Dispatcher.ResponseData,
  body: Buffer,
  request: { readonly kind: string; readonly host: string; readonly project: string },
): Error {
  const error = earthEngineError(response.statusCode, redact(sentenceOf(body)).slice(0, 300), request)
  if (error instanceof ServiceError) error.retryAfterMs = retryAfterOf(response.headers)
  return error
}

function sentenceOf(body: Buffer): string {
  const text = body.toString('utf8')
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    if (typeof error?.message === 'string') return error.message
  } catch {
    // Not Earth Engine's own error; a proxy in front of it said something else.
  }
  return text.startsWith('<') ? 'a web page' : text.slice(0, 120)
}
