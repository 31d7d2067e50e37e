/** HTTP servers and proxies on loopback. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Running {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

async function listen(server: Server, scheme: string): Promise<Running> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const serve = (answer: RequestListener): Promise<Running> => listen(createServer(answer), 'http')

/** With the certificate of `makeCertificate`. */
export const serveSecurely = (pair: { key: string; cert: string }, answer: RequestListener): Promise<Running> =>
  listen(createSecureServer(pair, answer) as unknown as Server, 'https')

/** A key, and a certificate that it signed itself, for some names that lead nowhere. */
export async function makeCertificate(names: readonly string[]): Promise<{ key: string; cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = [
    '-subj',
    '/CN=test.invalid',
    '-addext',
    `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`,
  ]
  const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-keyout', key, '-out', cert]
  execFileSync('openssl', [...make, ...subject], { stdio: 'ignore' })
  const pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  await rm(folder, { recursive: true })
  return pair
}

export interface TestProxy extends Running {
  /** What it was asked, in order: `GET http://host/path` or `CONNECT host:443`. */
  readonly asked: string[]
  /** `Proxy-Authorization` of the last request. */
  login(): string | undefined
}

/** A forwarding proxy that knows where names lead: it looks them up itself, as real ones do. */
export async function serveProxy(ports: Readonly<Record<string, number>>): Promise<TestProxy> {
  const asked: string[] = []
  let last: IncomingMessage | undefined
  const server = createServer((from, to) => {
    asked.push(`${from.method} ${from.url}`)
    last = from
    const { hostname, pathname, search } = new URL(from.url!)
    const port = ports[hostname]
    if (port === undefined) {
      to.writeHead(502).end('no such host')
      return
    }
    const { 'proxy-authorization': _, ...headers } = from.headers
    const onward = request(
      { host: '127.0.0.1', port, method: from.method, path: pathname + search, headers },
      (answer) => {
        to.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(to)
      },
    )
    onward.on('error', () => to.destroy())
    from.pipe(onward)
  })
  server.on('connect', (from: IncomingMessage, client: Socket, head: Buffer) => {
    asked.push(`CONNECT ${from.url}`)
    last = from
    const port = ports[from.url!.replace(/:\d+$/, '')]
    client.on('error', () => {})
    if (port === undefined) {
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
      return
    }
    const onward = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      onward.write(head)
      onward.pipe(client)
      client.pipe(onward)
    })
    onward.on('error', () => client.destroy())
  })
  return { ...(await listen(server, 'http')), asked, login: () => last?.headers['proxy-authorization'] }
}
