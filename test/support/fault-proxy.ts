/** An HTTP proxy in front of a server that spoils the requests a test wants spoiled. */
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * `ok` passes a request on; a number is answered as a status without passing it on; `hang` never answers; `cut-request`
 * drops the connection while the body comes in; `cut-answer` sends half of the answer; `lose-answer` passes the request on
 * and drops the connection without an answer.
 */
export type Fault = 'ok' | number | 'hang' | 'cut-request' | 'cut-answer' | 'lose-answer'

export interface FaultProxy {
  readonly url: string
  /** Requests that came in so far. */
  readonly requests: readonly string[]
  stop(): Promise<void>
}

export async function startFaultProxy(
  target: string,
  choose: (request: IncomingMessage) => Fault,
): Promise<FaultProxy> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    const fault = choose(request)
    if (typeof fault === 'number') {
      request.resume()
      request.once('end', () => response.writeHead(fault).end())
      return
    }
    if (fault === 'hang') {
      request.resume()
      return
    }
    if (fault === 'cut-request') {
      request.once('data', () => request.socket.destroy())
      request.once('end', () => request.socket.destroy())
      return
    }
    const upstream = httpRequest(new URL(request.url ?? '/', target), {
      method: request.method,
      headers: request.headers,
    })
    upstream.on('error', () => response.destroy())
    upstream.on('response', async (answer) => {
      const chunks: Buffer[] = await Array.fromAsync(answer)
      if (fault === 'lose-answer') {
        response.destroy()
        return
      }
      const body = Buffer.concat(chunks)
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      if (fault === 'cut-answer') response.write(body.subarray(0, body.length >> 1), () => response.destroy())
      else response.end(body)
    })
    request.pipe(upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
