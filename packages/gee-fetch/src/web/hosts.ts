import { createHttp, type Http } from '../http.ts'
import { createLimiter, type Limiter } from '../limiter.ts'
import type { Outages } from '../outages.ts'
import type { FileCache } from './file-cache.ts'
import type { RequestLimits } from './tile-source.ts'

export interface HostOptions {
  /** Puts secrets into an address. @throws InputError where one isn't set */
  fillIn(address: string): string
  /** Shared with other processes, by host; default: one for this process. */
  limiter?(host: string, requests: RequestLimits): Promise<Limiter | undefined>
  /** Attempts per request, default 5, and milliseconds per attempt, default 55,000. */
  readonly attempts?: number | undefined
  readonly deadlineMs?: number | undefined
  /** Waits up to `patienceMs` for servers that are down. */
  readonly outages?: Outages | undefined
  readonly patienceMs?: number | undefined
  /** E-mail address or URL that services are told. */
  readonly contact?: string | null | undefined
  /** Where files are kept that services have not changed. */
  readonly cache?: FileCache | undefined
}

/** HTTP clients of web services, one for each host. */
export interface Hosts {
  /**
   * The client of an address, and the address with its secrets.
   *
   * @param shown an address whose secrets are still placeholders
   */
  open(shown: string, requests: RequestLimits): Promise<{ readonly http: Http; readonly url: string }>
  close(): Promise<void>
}

export function createHosts({ fillIn, limiter, ...options }: HostOptions): Hosts {
  const clients = new Map<string, Promise<Http>>()
  const clientOf = (host: string, requests: RequestLimits) => {
    const known = clients.get(host)
    if (known) return known
    const opening = (async () => {
      const { concurrent: maxConcurrent, perSecond } = requests
      const shared = (await limiter?.(host, requests)) ?? createLimiter({ maxConcurrent, perSecond })
      return createHttp({ limiter: shared, maxConcurrent, ...options })
    })()
    clients.set(host, opening)
    return opening
  }
  return {
    async open(shown, requests) {
      const url = fillIn(shown)
      return { http: await clientOf(URL.parse(url)?.host ?? '', requests), url }
    },
    async close() {
      for (const each of clients.values()) await (await each).close()
    },
  }
}
