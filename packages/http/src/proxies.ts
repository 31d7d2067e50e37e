import { InputError, isLoopback } from '@skyscript/core'

export interface ProxySettings {
  /** The proxy for http and for https URLs; null: none. */
  readonly http: string | null
  readonly https: string | null
  /** Hosts that are reached without one, as NO_PROXY lists them. */
  readonly bypass: string
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxies of the environment: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or the same in lower case, which comes first as
 * it does in curl. This machine is bypassed, unless the proxy runs on it too: another machine's `localhost` is not ours.
 *
 * @throws InputError `bad-proxy`
 */
export function proxySettings(env: Environment = process.env): ProxySettings {
  const [http, https] = [proxyOf('HTTP_PROXY', env), proxyOf('HTTPS_PROXY', env)]
  const elsewhere = [http, https].some((proxy) => proxy !== null && !isLoopback(new URL(proxy).hostname))
  const listed = env.no_proxy ?? env.NO_PROXY ?? ''
  return { http, https, bypass: elsewhere ? `${listed},localhost,127.0.0.1,[::1]` : listed }
}

/** The same for clients that read an environment, such as Node's own `http.Agent` with `proxyEnv`. */
export function proxyEnvironment(env: Environment = process.env): Record<string, string> {
  const { http, https, bypass } = proxySettings(env)
  return { ...(http && { HTTP_PROXY: http }), ...(https && { HTTPS_PROXY: https }), NO_PROXY: bypass }
}

function proxyOf(name: string, env: Environment): string | null {
  const text = env[name.toLowerCase()] ?? env[name] ?? ''
  if (text === '') return null
  // curl and others take an address without a scheme.
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new InputError('bad-proxy', `${name} must be the URL of an http proxy, such as http://proxy.example:3128.`)
  return url.href
}
