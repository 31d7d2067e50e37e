/**
 * The one way out to other hosts over HTTP: through the proxies of the environment, never to link-local or metadata
 * addresses, and with downloads that resume. Every package that makes requests uses it; Node's own `fetch` is not used
 * (its parser can crash the process when a server closes a connection, and it knows neither proxies nor our filter).
 *
 * @example
 * import { download, httpFetch, openAgent } from '@skyscript/http'
 * const response = await httpFetch('https://huggingface.co/api/models/Xenova/clip-vit-base-patch32')
 * const agent = openAgent({ connections: 40 }) // for undici's `agent.request`
 */
export type { Dispatcher } from 'undici'
export { type AgentOptions, checkedLookup, openAgent } from './agent.ts'
export { type Download, type Downloaded, download, type Validators } from './download.ts'
export { type HttpInit, httpFetch, loginOf, type Response, reasonOf } from './fetch.ts'
export { claimPartial, leavePartial, type Partial } from './partials.ts'
export { type ProxySettings, proxyEnvironment, proxySettings } from './proxies.ts'
export { BodyFault, type ReadAhead, readAhead } from './read-ahead.ts'
export { retryAfterOf } from './retry-after.ts'
export { isPassing } from './status.ts'
