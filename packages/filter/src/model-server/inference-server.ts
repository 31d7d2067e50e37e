import { InputError, redactAnswer, retrying, ServiceError, SkyscriptError } from '@skyscript/core'
import { type HttpInit, httpFetch, isPassing, type Response, reasonOf } from '@skyscript/http'
import { modelLogin } from './model-login.ts'

/** A server that sends nothing for this many ms counts as unreachable; a shared GPU may queue requests. */
const SILENCE = 60_000
const TRIES = 5
/** Milliseconds before the second attempt; doubled before each later one. */
const PAUSE = 300
/** Maximum response size; our responses hold a few embeddings. */
const LARGEST_ANSWER = 1 << 28

/** From the protocol's "model metadata": a dimension below 0 is variable. */
export interface RemoteTensor {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
}

export interface RemoteModel {
  readonly name: string
  readonly versions: readonly string[]
  readonly platform: string
  readonly inputs: readonly RemoteTensor[]
  readonly outputs: readonly RemoteTensor[]
  /** Maximum rows per request; null if the server doesn't say. */
  readonly maxBatch: number | null
}

/** The data for one input. */
export interface Feed extends RemoteTensor {
  readonly data: Float32Array | BigInt64Array
}

/**
 * A server of the Open Inference Protocol, version 2, over HTTP
 * (https://github.com/kserve/open-inference-protocol). Tensors are sent as bytes if the server lists the extension
 * `binary_tensor_data`, else as JSON.
 */
export interface InferenceServer {
  /** For messages; contains no secret. */
  readonly host: string
  model(name: string): Promise<RemoteModel>
  infer(
    model: string,
    feeds: readonly Feed[],
    output: string,
  ): Promise<{ readonly shape: readonly number[]; readonly data: Float32Array }>
}

/** @throws ServiceError `model-server-failed` if it is unreachable or not ready */
export async function openInferenceServer(address: string): Promise<InferenceServer> {
  const url = new URL(address)
  const { host } = url
  const headers = modelLogin(address)
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`

  const failed = (what: string, retry: boolean, cause?: unknown) =>
    new ServiceError(
      'model-server-failed',
      `The model server ${host} ${what}; check that it is running, then start again.`,
      { retry, cause },
    )

  /** Sends one request and reads the whole response. */
  const once = async (path: string, init: HttpInit): Promise<{ headers: Response['headers']; body: Buffer }> => {
    const signal = AbortSignal.timeout(SILENCE)
    let response: Response
    let body: Buffer
    try {
      response = await httpFetch(base + path, { ...init, headers: { ...headers, ...init.headers }, signal })
      if (Number(response.headers.get('content-length') ?? 0) > LARGEST_ANSWER)
        throw new Error('its answer is too long')
      body = Buffer.from(await response.arrayBuffer())
    } catch (error) {
      if (error instanceof SkyscriptError) throw error
      throw failed(`does not answer (${reasonOf(error)})`, true, error)
    }
    if (response.ok) return { headers: response.headers, body }
    const { status } = response
    if (status === 401 || status === 403)
      throw new InputError(
        'model-server-login',
        `The model server ${host} requires a login (HTTP ${status}); set SKYSCRIPT_MODEL_LOGIN=${url.protocol}//user:password@${host}.`,
      )
    throw failed(`answers HTTP ${status} to ${path}: ${redactAnswer(told(body), address)}`, isPassing(status))
  }
  const ask = (path: string, init: HttpInit = {}) => retrying(() => once(path, init), { tries: TRIES, pauseMs: PAUSE })
  const json = (path: string, body: Uint8Array): Record<string, unknown> => {
    try {
      const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
      if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
    } catch {
      // Falls through to the one message below.
    }
    throw failed(`does not answer ${path} with JSON, so it is not a server of the Open Inference Protocol`, false)
  }

  await ask('/v2/health/ready')
  const { extensions } = json('/v2', (await ask('/v2')).body)
  const binary = Array.isArray(extensions) && extensions.includes('binary_tensor_data')

  return {
    host,
    async model(name) {
      const path = `/v2/models/${name}`
      const { inputs, outputs, versions, platform } = json(path, (await ask(path)).body)
      if (!isTensors(inputs) || !isTensors(outputs)) throw failed(`does not say what ${name} takes and gives`, false)
      // Not part of the protocol, but Triton's way to say it; others answer 404.
      const config = await once(`${path}/config`, {}).then(
        ({ body }) => json(path, body),
        () => ({}) as Record<string, unknown>,
      )
      const most = config.max_batch_size
      return {
        name,
        versions: Array.isArray(versions) ? versions.map(String) : [],
        platform: String(platform ?? ''),
        inputs,
        outputs,
        maxBatch: typeof most === 'number' && most > 0 ? most : null,
      }
    },
    async infer(model, feeds, output) {
      const path = `/v2/models/${model}/infer`
      const tensors = feeds.map((feed) => ({ ...feed, raw: rawOf(feed) }))
      const request = {
        inputs: tensors.map(({ name, shape, datatype, raw, data }) => ({
          ...{ name, shape, datatype },
          ...(binary
            ? { parameters: { binary_data_size: raw.length } }
            : { data: Array.from(data as Float32Array, Number) }),
        })),
        outputs: [{ name: output, ...(binary && { parameters: { binary_data: true } }) }],
      }
      const head = Buffer.from(JSON.stringify(request))
      const answer = await ask(path, {
        method: 'POST',
        headers: binary
          ? { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) }
          : { 'content-type': 'application/json' },
        body: binary ? Buffer.concat([head, ...tensors.map(({ raw }) => raw)]) : head,
      })
      return readOutput(answer, output, (bytes) => json(path, bytes), failed)
    },
  }
}

const isTensors = (value: unknown): value is RemoteTensor[] =>
  Array.isArray(value) &&
  value.every(
    (each) =>
      typeof each?.name === 'string' &&
      typeof each.datatype === 'string' &&
      Array.isArray(each.shape) &&
      each.shape.every(Number.isInteger),
  )

/** Little-endian, as the extension requires. */
function rawOf({ datatype, data }: Feed): Buffer {
  const array =
    datatype === 'FP16'
      ? Float16Array.from(data as Float32Array)
      : datatype === 'INT32'
        ? Int32Array.from(data as BigInt64Array, Number)
        : data
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength)
}

/** A response is JSON, possibly followed by the tensors as bytes. */
function readOutput(
  { headers, body }: { readonly headers: Response['headers']; readonly body: Buffer },
  wanted: string,
  json: (bytes: Uint8Array) => Record<string, unknown>,
  failed: (what: string, retry: boolean) => ServiceError,
): { shape: readonly number[]; data: Float32Array } {
  const length = headers.get('inference-header-content-length')
  const head = length === null ? body : body.subarray(0, Number(length))
  const { outputs } = json(head)
  const list = Array.isArray(outputs) ? (outputs as Record<string, unknown>[]) : []
  let at = head.length
  for (const { name, shape, datatype, parameters, data } of list) {
    const size = (parameters as { binary_data_size?: unknown } | undefined)?.binary_data_size
    const bytes = typeof size === 'number' ? body.subarray(at, at + size) : null
    at += bytes?.length ?? 0
    if (name !== wanted) continue
    if (!Array.isArray(shape) || (datatype !== 'FP32' && datatype !== 'FP16'))
      throw failed(`gives ${wanted} as ${String(datatype)}, not as FP32 or FP16`, false)
    if (bytes === null)
      return { shape, data: Float32Array.from((data as unknown[]) ?? [], (value) => Number(value ?? Number.NaN)) }
    // Copied for alignment: the bytes may start at any offset.
    const { buffer } = Uint8Array.from(bytes)
    return { shape, data: datatype === 'FP32' ? new Float32Array(buffer) : Float32Array.from(new Float16Array(buffer)) }
  }
  throw failed(`gives no output ${wanted}`, false)
}

/** The server's description of its error: the protocol's `{"error": "..."}`, or the start of a page. */
function told(body: Buffer): string {
  const text = body.toString('utf8')
  const match = /"error"\s*:\s*"([^"]{0,200})/.exec(text)
  return (match?.[1] ?? text.slice(0, 100)).replace(/\s+/g, ' ').trim() || 'nothing more'
}
