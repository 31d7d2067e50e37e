import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { onTestFinished } from 'vitest'

/** What goes wrong with a request. */
export type ServerFault = 'die' | 'unavailable' | 'html' | 'shape' | 'nan' | 'other-type'

export interface TestServer {
  readonly url: string
  readonly requests: { path: string; rows: number }[]
  /** Called before every answer of `infer`. */
  fault: () => ServerFault | null
  /** Maximum number of concurrent requests so far. */
  peak: number
  stop(): Promise<void>
}

interface ServerOptions {
  /** Whether tensors may be sent as bytes. */
  readonly binary?: boolean
  /** The declared type of images: FP32, or FP16, which it then requires. */
  readonly imageType?: 'FP32' | 'FP16'
  readonly maxBatch?: number
  readonly inputName?: string
}

interface InferRequest {
  readonly inputs: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly datatype: string
    readonly data?: readonly number[]
    readonly parameters?: { readonly binary_data_size: number }
  }[]
}

/** A loopback server of the Open Inference Protocol, version 2, which runs a folder's models with onnxruntime. */
export async function startInferenceServer(folder: string, options: ServerOptions = {}): Promise<TestServer> {
  const { binary = true, imageType = 'FP32', maxBatch, inputName = 'pixel_values' } = options
  const sessions = {
    vision: await InferenceSession.create(join(folder, 'onnx', 'vision_model.onnx')),
    text: await InferenceSession.create(join(folder, 'onnx', 'text_model.onnx')),
  }
  const metadata = {
    vision: {
      name: 'vision',
      versions: ['3'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: inputName, datatype: imageType, shape: [-1, 3, 224, 224] }],
      outputs: [{ name: 'image_embeds', datatype: 'FP32', shape: [-1, -1] }],
    },
    text: {
      name: 'text',
      versions: ['3'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'input_ids', datatype: 'INT64', shape: [-1, -1] }],
      outputs: [{ name: 'text_embeds', datatype: 'FP32', shape: [-1, -1] }],
    },
  }
  let working = 0
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url!
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
    const json = (value: unknown, status = 200) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (path === '/v2/health/ready') return void response.writeHead(200).end()
    if (path === '/v2') return json({ name: 'test', version: '1', extensions: binary ? ['binary_tensor_data'] : [] })
    const match = /^\/v2\/models\/(vision|text)(\/infer|\/config)?$/.exec(path)
    if (match === null) return json({ error: `unknown model ${path}` }, 404)
    const name = match[1] as 'vision' | 'text'
    if (match[2] === undefined) return json(metadata[name])
    if (match[2] === '/config') return maxBatch === undefined ? json({}, 404) : json({ max_batch_size: maxBatch })

    const fault = server.fault()
    if (fault === 'die') return void request.socket.destroy()
    if (fault === 'unavailable') return json({ error: 'the model is being loaded' }, 503)
    if (fault === 'html') return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>login</html>')
    const length = Number(request.headers['inference-header-content-length'] ?? body.length)
    const [input] = (JSON.parse(body.subarray(0, length).toString()) as InferRequest).inputs
    server.requests.push({ path, rows: input!.shape[0]! })
    const values = input!.data ?? valuesOf(input!.datatype, body.subarray(length))
    const tensor =
      name === 'vision'
        ? new Tensor('float32', Float32Array.from(values as number[], Number), input!.shape)
        : new Tensor('int64', BigInt64Array.from(values as number[], BigInt), input!.shape)
    const session = sessions[name]
    const output = session.outputNames.includes(metadata[name].outputs[0]!.name)
      ? metadata[name].outputs[0]!.name
      : session.outputNames[0]!
    const result = (await session.run({ [session.inputNames[0]!]: tensor }, [output]))[output]!
    const data = Float32Array.from(result.data as Float32Array)
    if (fault === 'nan') data.fill(Number.NaN)
    const shape = fault === 'shape' ? [1, ...result.dims] : [...result.dims]
    const told = { name: metadata[name].outputs[0]!.name, shape, datatype: fault === 'other-type' ? 'BYTES' : 'FP32' }
    if (!binary) return json({ model_name: name, outputs: [{ ...told, data: Array.from(data) }] })
    const head = Buffer.from(
      JSON.stringify({ model_name: name, outputs: [{ ...told, parameters: { binary_data_size: data.byteLength } }] }),
    )
    response
      .writeHead(200, { 'inference-header-content-length': String(head.length) })
      .end(Buffer.concat([head, Buffer.from(data.buffer)]))
  }
  const http = createServer((request, response) => {
    server.peak = Math.max(server.peak, ++working)
    handle(request, response)
      .catch((error: unknown) => response.writeHead(500).end(String(error)))
      .finally(() => working--)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const server: TestServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests: [],
    fault: () => null,
    peak: 0,
    async stop() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
  onTestFinished(() => server.stop())
  return server
}

function valuesOf(datatype: string, bytes: Buffer): ArrayLike<number | bigint> {
  const { buffer } = Uint8Array.from(bytes)
  if (datatype === 'FP16') return new Float16Array(buffer)
  return datatype === 'INT64' ? new BigInt64Array(buffer) : new Float32Array(buffer)
}
