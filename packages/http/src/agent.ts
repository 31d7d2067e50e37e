import { lookup as lookUp } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isRefusedAddress, isRefusedHost, ServiceError } from '@skyscript/core'
import { Agent, Dispatcher, EnvHttpProxyAgent } from 'undici'
import { type ProxySettings, proxySettings } from './proxies.ts'

const CONNECT_MS = 10_000

export interface AgentOptions {
  /** Connections to one host at a time; no limit by default. */
  readonly connections?: number
  /** Milliseconds without a byte before an answer counts as broken off; 0, the default, leaves that to the caller. */
  readonly silenceMs?: number
  /** `none` for a server that this process started itself; default: those of the environment. */
  readonly proxies?: ProxySettings | 'none'
}

/**
 * Connections to other hosts, for undici's `agent.request`. Requests to link-local and metadata addresses fail with
 * ServiceError `refused-address`: each request is checked, so each redirect too, and each address that a name is looked
 * up to, at the moment of connecting. With a proxy the proxy looks names up, so only addresses in URLs are checked.
 *
 * @throws InputError `bad-proxy`
 */
export function openAgent({ connections, silenceMs = 0, proxies = proxySettings() }: AgentOptions = {}): Dispatcher {
  const options = {
    ...(connections !== undefined && { connections }),
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    connectTimeout: CONNECT_MS,
    connect: { timeout: CONNECT_MS, lookup: checkedLookup },
  }
  const direct = new Agent(options)
  if (proxies === 'none' || (proxies.http ?? proxies.https) === null) return new CheckedDispatcher(direct, direct)
  const { http, https, bypass: noProxy } = proxies
  const proxied = new EnvHttpProxyAgent({ ...options, httpProxy: http ?? '', httpsProxy: https ?? '', noProxy })
  // Without HTTPS_PROXY, https URLs are asked directly, as curl does; undici would take HTTP_PROXY for them.
  return new CheckedDispatcher(proxied, https === null ? direct : proxied)
}

/** Sends requests on by their scheme, and none to a refused host. */
class CheckedDispatcher extends Dispatcher {
  readonly #plain: Dispatcher
  readonly #secure: Dispatcher

  constructor(plain: Dispatcher, secure: Dispatcher) {
    super()
    this.#plain = plain
    this.#secure = secure
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { protocol, hostname } = new URL(options.origin ?? '')
    if (isRefusedHost(hostname)) throw refusal(hostname)
    return (protocol === 'https:' ? this.#secure : this.#plain).dispatch(options, handler)
  }

  override async close(): Promise<void> {
    await Promise.all([...new Set([this.#plain, this.#secure])].map((each) => each.close()))
  }

  override async destroy(): Promise<void> {
    await Promise.all([...new Set([this.#plain, this.#secure])].map((each) => each.destroy()))
  }
}

/** `dns.lookup` that fails where any of a name's addresses is refused, so that what is checked is what is connected to. */
export const checkedLookup: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '')
    const [first] = addresses
    if (first === undefined || addresses.some(({ address }) => isRefusedAddress(address)))
      return callback(refusal(hostname) as NodeJS.ErrnoException, '')
    if (options.all) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}

const refusal = (hostname: string) =>
  new ServiceError(
    'refused-address',
    `${hostname} is a link-local address or a metadata service, where no request is sent; correct the URL.`,
    { retry: false },
  )
