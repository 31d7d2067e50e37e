/** A loopback service with the test's responses, and a token endpoint. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Service {
  readonly url: string
  /** Paths that were asked for, with queries. */
  readonly asked: string[]
  /** Request bodies, in order. */
  readonly bodies: readonly string[]
  /** Number of connections opened. */
  readonly connections: () => number
  close(): Promise<void>
}

export async function startService(
  answer: (request: IncomingMessage, response: ServerResponse, number: number, body: string) => unknown,
): Promise<Service> {
  const asked: string[] = []
  const bodies: string[] = []
  let connections = 0
  const server = createServer(async (request, response) => {
    asked.push(request.url!)
    const chunks: Buffer[] = await Array.fromAsync(request)
    const body = Buffer.concat(chunks).toString()
    bodies.push(body)
    answer(request, response, bodies.length, body)
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    bodies,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value))
}

export const apiError = (code: number, message: string) => ({ error: { code, message, status: 'ERROR' } })
