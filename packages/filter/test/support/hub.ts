import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sha256 } from '@skyscript/core'
import { onTestFinished } from 'vitest'

export const COMMIT = '0123456789abcdef0123456789abcdef01234567'
export const ID = 'owner/tiny-clip'

export interface Request {
  readonly path: string
  readonly range: string | undefined
  readonly authorization: string | undefined
}

/** What goes wrong: a status, a page in place of the answer, silence, or a body that ends after a number of bytes. */
export type Fault =
  | { readonly status: number; readonly retryAfter?: string }
  | { readonly html: string }
  | { readonly bytes: Uint8Array }
  | { readonly cutAfter: number }
  | { readonly hangAfter: number }

export interface Hub {
  readonly url: string
  /** All requests so far, including those to the file server. */
  readonly requests: Request[]
  /** Called before every response. */
  fault: (request: Request) => Fault | null
  /** The model's files at the hub. */
  files: Record<string, Uint8Array | string>
  commit: string
}

/** Models are in large file storage, on a server with another address, like at the hub. */
const isLarge = (name: string) => name.startsWith('onnx/')

/** A model hub on loopback: the two calls of the hub's API that a download needs, redirects and ranges. */
export async function startHub(files: Readonly<Record<string, Uint8Array | string>>): Promise<Hub> {
  const requests: Request[] = []
  const answer = (handle: (path: string, response: ServerResponse, request: IncomingMessage) => void) =>
    listen((incoming, response) => {
      const { range, authorization } = incoming.headers
      const request = { path: incoming.url!, range, authorization }
      requests.push(request)
      const fault = hub.fault(request)
      if (fault && 'status' in fault)
        response
          .writeHead(fault.status, fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter })
          .end('{"error":"refused"}')
      else if (fault && 'html' in fault) response.writeHead(200, { 'content-type': 'text/html' }).end(fault.html)
      else if (fault && 'bytes' in fault) response.writeHead(200).end(fault.bytes)
      else handle(request.path, fault ? spoiled(response, fault) : response, incoming)
    })
  const storage = await answer((path, response, request) => send(hub.files[path.slice(1)], request, response))
  const url = await answer((path, response, request) => {
    if (path === `/api/models/${ID}/revision/main?blobs=true`) return respondJson(response, infoOf(hub))
    const prefix = `/${ID}/resolve/${hub.commit}/`
    const name = path.slice(prefix.length)
    const content = path.startsWith(prefix) ? hub.files[name] : undefined
    if (content !== undefined && isLarge(name)) {
      response.writeHead(302, { location: `${storage}/${name}` }).end()
    } else send(content, request, response)
  })
  const hub: Hub = { url, requests, fault: () => null, files: { ...files }, commit: COMMIT }
  return hub
}

/** The answer to `GET /api/models/{id}/revision/{revision}?blobs=true`. */
function infoOf({ commit, files }: Hub): unknown {
  const siblings = Object.entries(files).map(([rfilename, content]) => {
    const bytes = Buffer.from(content as string)
    const blobId = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
    const lfs = { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 }
    return isLarge(rfilename)
      ? { rfilename, size: bytes.length, blobId: 'f'.repeat(40), lfs }
      : { rfilename, size: bytes.length, blobId }
  })
  return { id: ID, sha: commit, private: false, tags: ['onnx'], siblings }
}

function respondJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

function send(content: Uint8Array | string | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (content === undefined) {
    response.writeHead(404).end('Entry not found')
    return
  }
  const bytes = Buffer.from(content as string)
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const range = from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from, ...range })
  response.end(bytes.subarray(from))
}

/** A response that breaks off or stalls within its body. */
function spoiled(response: ServerResponse, fault: { cutAfter: number } | { hangAfter: number }): ServerResponse {
  const after = 'cutAfter' in fault ? fault.cutAfter : fault.hangAfter
  const end = (body: Uint8Array | string = '') => {
    response.write(Buffer.from(body as string).subarray(0, after), () => {
      if ('cutAfter' in fault) response.destroy()
    })
    return response
  }
  response.end = end as typeof response.end
  return response
}

/** Starts a server that ends with the test; returns its address. */
async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
