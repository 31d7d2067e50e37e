import { SkyscriptError, systemReason } from '@skyscript/core'
import { type Dispatcher, fetch, type RequestInit, type Response } from 'undici'
import { openAgent } from './agent.ts'
import { proxySettings } from './proxies.ts'

export type { Response } from 'undici'

export interface HttpInit extends Omit<RequestInit, 'dispatcher' | 'headers'> {
  readonly headers?: Readonly<Record<string, string>>
  /** Other connections than the ones that all requests share. */
  readonly dispatcher?: Dispatcher
}

/** A server that says nothing for so long is gone. */
const SILENCE_MS = 60_000

let shared: { readonly settings: string; readonly agent: Dispatcher } | undefined

/** Connections that all requests of a process share. */
function sharedAgent(): Dispatcher {
  const proxies = proxySettings()
  const settings = JSON.stringify(proxies)
  if (shared?.settings !== settings) shared = { settings, agent: openAgent({ silenceMs: SILENCE_MS, proxies }) }
  return shared.agent
}

/**
 * `fetch` as the standard has it, through `openAgent`. A login in the URL becomes an `Authorization` header, which, like
 * one that was given, is left out where a redirect leads to another origin.
 *
 * @throws ServiceError `refused-address`, else what `fetch` throws: `reasonOf` says why in words
 */
export async function httpFetch(address: string | URL, init: HttpInit = {}): Promise<Response> {
  const url = new URL(address)
  const login = loginOf(url)
  url.username = ''
  url.password = ''
  const dispatcher = init.dispatcher ?? sharedAgent()
  try {
    return await fetch(url, { ...init, headers: { ...login, ...init.headers }, dispatcher })
  } catch (error) {
    throw ours(error) ?? error
  }
}

/** Why a request failed, without secrets: the innermost cause that says something. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (error instanceof Error && error.cause instanceof Error) return reasonOf(error.cause)
  const { code } = (error ?? {}) as { code?: unknown }
  return systemReason(error) || (typeof code === 'string' ? code : 'no reason given')
}

/** An error of ours that `fetch` wrapped. */
function ours(error: unknown): SkyscriptError | null {
  if (error instanceof SkyscriptError) return error
  return error instanceof Error && error.cause !== undefined ? ours(error.cause) : null
}

/** The header that a login in a URL stands for; none without one. */
export function loginOf({ username, password }: URL): { readonly authorization?: string } {
  if (username === '' && password === '') return {}
  const login = `${decoded(username)}:${decoded(password)}`
  return { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
