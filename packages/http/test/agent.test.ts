/** What requests may reach, by which way, and who gets a login. */
import dns, { type LookupAddress } from 'node:dns'
import type { IncomingHttpHeaders } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import tls from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { httpFetch, openAgent, proxySettings, reasonOf } from '../src/index.ts'
import { makeCertificate, type Running, serve, serveProxy, serveSecurely, type TestProxy } from './servers.ts'

let plain: Running
let secure: Running
let proxy: TestProxy
/** Headers of the last request at either server. */
let headers: IncomingHttpHeaders
const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']

beforeAll(async () => {
  const pair = await makeCertificate(['secure.invalid'])
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), pair.cert])
  const answer: Parameters<typeof serve>[0] = (request, response) => {
    headers = request.headers
    const to = new URL(request.url!, 'http://x').searchParams.get('to')
    if (to === null) response.end('hello')
    else response.writeHead(307, { location: to }).end()
  }
  plain = await serve(answer)
  secure = await serveSecurely(pair, answer)
  proxy = await serveProxy({
    'plain.invalid': plain.port,
    'other.invalid': plain.port,
    'secure.invalid': secure.port,
    'metadata-by-name.invalid': plain.port,
  })
})
afterAll(async () => {
  for (const each of [plain, secure, proxy]) await each.close()
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  proxy.asked.length = 0
})

function setProxies(settings: Readonly<Record<string, string>>): void {
  for (const name of PROXY_VARIABLES) vi.stubEnv(name, settings[name])
}
const text = async (url: string, init = {}) => (await httpFetch(url, init)).text()

describe('proxies of the environment', () => {
  test('carry http requests as they are and https ones through a tunnel, and look names up themselves', async () => {
    setProxies({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url })
    expect(await text('http://plain.invalid/a?b=c')).toBe('hello')
    expect(await text('https://secure.invalid/a')).toBe('hello')
    expect(proxy.asked).toEqual(['GET http://plain.invalid/a?b=c', 'CONNECT secure.invalid:443'])
  })

  test('are named in lower case too, which comes first, and without a scheme', async () => {
    setProxies({ HTTP_PROXY: 'http://127.0.0.1:1', http_proxy: `127.0.0.1:${proxy.port}`, https_proxy: proxy.url })
    expect(await text('http://plain.invalid/')).toBe('hello')
    expect(await text('https://secure.invalid/')).toBe('hello')
  })

  test('are each for their own scheme', async () => {
    setProxies({ HTTP_PROXY: proxy.url })
    await expect(text('https://secure.invalid/')).rejects.toThrow()
    setProxies({ HTTPS_PROXY: proxy.url })
    await expect(text('http://plain.invalid/')).rejects.toThrow()
    expect(proxy.asked).toEqual([])
  })

  test('get the login of their URL, and the server does not', async () => {
    setProxies({ HTTP_PROXY: proxy.url.replace('//', '//user:p%40ss@') })
    await text('http://plain.invalid/')
    expect(proxy.login()).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
    expect(headers['proxy-authorization']).toBeUndefined()
  })

  test('are left out for the hosts of NO_PROXY', async () => {
    for (const name of ['NO_PROXY', 'no_proxy']) {
      setProxies({ HTTP_PROXY: proxy.url, [name]: 'example.org, 127.0.0.1' })
      expect(await text(`${plain.url}/`)).toBe('hello')
    }
    expect(proxy.asked).toEqual([])
  })

  test('on another machine are left out for this one, whose loopback is not theirs', async () => {
    setProxies({ HTTP_PROXY: 'http://192.0.2.1:3128' })
    expect(await text(`${plain.url}/`)).toBe('hello')
    expect(proxySettings({ HTTP_PROXY: proxy.url }).bypass).toBe('')
  })

  test('that are no URL of an http proxy are refused by the name of their variable, without their password', () => {
    for (const value of ['socks5://user:hunter2@host', 'http://user:hunter2@host:port']) {
      expect(() => proxySettings({ HTTPS_PROXY: value })).toThrow(/^HTTPS_PROXY must be the URL of an http proxy/)
      expect(() => proxySettings({ HTTPS_PROXY: value })).not.toThrow(/hunter2/)
    }
  })

  test('are not asked for link-local addresses and metadata services either', async () => {
    setProxies({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url })
    for (const host of ['169.254.169.254', 'metadata.google.internal', '[::ffff:169.254.1.1]'])
      await expect(text(`http://${host}/`)).rejects.toMatchObject({ code: 'refused-address' })
    await expect(text('http://plain.invalid/?to=http://169.254.169.254/')).rejects.toMatchObject({
      code: 'refused-address',
    })
    expect(proxy.asked).toEqual(['GET http://plain.invalid/?to=http://169.254.169.254/'])
  })

  test('that refuse are named in the reason', async () => {
    setProxies({ HTTPS_PROXY: proxy.url })
    const error = await text('https://unknown.invalid/').catch((reason) => reason)
    expect(reasonOf(error)).toMatch(/502/)
  })
})

describe('addresses', () => {
  /** Names lead where `addresses` says, through the system's own look-up. */
  function lookUpAs(addresses: readonly string[]): void {
    vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, options: { all?: boolean }, done: unknown) => {
      const found: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
      const callback = done as (error: null, found: unknown, family?: number) => void
      if (options.all) callback(null, found)
      else callback(null, found[0]!.address, found[0]!.family)
    }) as typeof dns.lookup)
    syncBuiltinESMExports()
  }

  test('are checked after names are looked up, all of them', async () => {
    setProxies({})
    const asked = async (addresses: readonly string[]) => {
      lookUpAs(addresses)
      return text(`http://rebound.invalid:${plain.port}/`).catch((error) => error.code)
    }
    expect(await asked(['127.0.0.1'])).toBe('hello')
    expect(await asked(['169.254.169.254'])).toBe('refused-address')
    expect(await asked(['127.0.0.1', 'fe80::1'])).toBe('refused-address')
    expect(await asked(['64:ff9b::a9fe:a9fe'])).toBe('refused-address')
  })

  test('are checked on redirects', async () => {
    setProxies({})
    for (const to of ['http://169.254.0.1/', 'http://[fd00:ec2::254]/', 'https://[fe80::1]/'])
      await expect(text(`${plain.url}/?to=${encodeURIComponent(to)}`)).rejects.toMatchObject({
        code: 'refused-address',
      })
  })

  test('are checked for requests of an agent too, whose error names the host', async () => {
    setProxies({})
    const agent = openAgent({ connections: 2 })
    const ask = agent.request({ origin: 'http://169.254.10.10', path: '/', method: 'GET' })
    await expect(ask).rejects.toThrow(/^169\.254\.10\.10 is a link-local address/)
    lookUpAs(['169.254.169.254'])
    const byName = agent.request({ origin: 'http://name.invalid', path: '/', method: 'GET' })
    await expect(byName).rejects.toMatchObject({ code: 'refused-address' })
    await agent.close()
  })
})

describe('a login', () => {
  test('in a URL is sent as a header and stays with its origin on redirects', async () => {
    setProxies({ HTTP_PROXY: proxy.url })
    await text('http://user:p%40ss@plain.invalid/')
    expect(headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
    await text('http://user:pass@plain.invalid/?to=/again')
    expect(headers.authorization).toBeDefined()
    await text('http://user:pass@plain.invalid/?to=http://other.invalid/')
    expect(headers.host).toBe('other.invalid')
    expect(headers.authorization).toBeUndefined()
    await text('http://plain.invalid/?to=http://other.invalid/', { headers: { authorization: 'Bearer abc' } })
    expect(headers.authorization).toBeUndefined()
  })
})
