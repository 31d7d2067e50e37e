/** Reads what a build needs to know of a web service: its capabilities, and a picture. */
import { InputError, POLITE_REQUESTS } from '@skyscript/core'
import { hostOf } from '../http.ts'
import { createHosts, type HostOptions } from './hosts.ts'
import { type RequestLimits, TILE_BYTES, type TilePlace, type TileSource } from './tile-source.ts'

/** A document that describes a service is smaller, even where it lists thousands of layers. */
const DOCUMENT_BYTES = 64 * 2 ** 20

export interface Service {
  /** @throws ServiceError or InputError where it can't be read */
  document(address: string, requests: RequestLimits | undefined): Promise<string>
  /** The bytes of a tile of a source; null where it has none. */
  tile(source: TileSource, place: TilePlace): Promise<Buffer | null>
}

export interface OpenService extends Service {
  close(): Promise<void>
}

export function openService(options: HostOptions): OpenService {
  const hosts = createHosts(options)
  return {
    async document(address, requests = POLITE_REQUESTS) {
      const { http, url } = await hosts.open(address, requests)
      const bytes = await http.document(url, { shown: hostOf(address), most: DOCUMENT_BYTES })
      // Services repeat their own address, with the key that it was asked with.
      return placeholders(address).reduce((text, name) => {
        const secret = options.fillIn(name)
        return formsOf(secret).reduce((rest, form) => rest.replaceAll(form, name), text)
      }, textOf(bytes))
    },
    async tile(source, place) {
      const shown = source.addressOf(place, source.pictures.at(-1)!)
      const { http, url } = await hosts.open(shown, source.requests)
      return http.file(url, { shown, most: TILE_BYTES })
    },
    close: () => hosts.close(),
  }
}

/** Text of a document, in the encoding that its XML declares; UTF-8 where it declares none that is known. */
function textOf(bytes: Buffer): string {
  const declared = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)/.exec(bytes.toString('latin1', 0, 200))?.[1]
  try {
    return new TextDecoder(declared ?? 'utf-8').decode(bytes)
  } catch {
    return bytes.toString('utf8')
  }
}

/** A secret as the environment has it, and as a server may write or read it in an address. */
function formsOf(secret: string): readonly string[] {
  const forms = [secret, encodeURIComponent(secret)]
  try {
    return [...forms, decodeURIComponent(secret), decodeURIComponent(secret.replaceAll('+', ' '))]
  } catch {
    return forms
  }
}

/** What stands for secrets in an address. */
const placeholders = (address: string): readonly string[] => address.match(/\$\{\w+\}/g) ?? []

/**
 * An address with these parameters in its query, in this order at its end; others of the same names, in whatever case,
 * are replaced.
 */
export function withQuery(address: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const [base = '', query = ''] = address.split(/\?(.*)/s)
  const own = new Set(Object.keys(parameters).map((name) => name.toLowerCase()))
  const kept = query.split('&').filter((each) => each !== '' && !own.has(each.split('=')[0]!.toLowerCase()))
  const added = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [`${name}=${encodeURIComponent(value).replace(/%(?:2C|2F|3A|7B|7D|24)/g, decodeURIComponent)}`],
  )
  return `${base}?${[...kept, ...added].join('&')}`
}

/** An address in a document, which may be relative to that of the document; placeholders in it are kept. */
export function absoluteOf(address: string, document: string): string {
  const [, base = document] = /^([^?#]*)/.exec(document) ?? []
  const [origin = '', scheme = ''] = /^(https?:)\/\/[^/]*/i.exec(base) ?? []
  if (address === '') return base
  if (/^https?:\/\//i.test(address)) return address
  if (address.startsWith('//')) return scheme + address
  return address.startsWith('/') ? origin + address : base.replace(/[^/]*$/, '') + address
}

/** Faults of a source's settings that its service shows. */
export const faultOf = ({ alias, url }: { readonly alias: string; readonly url: string }) => {
  const [address] = url.split('?')
  return (what: string) => new InputError('imagery-settings', `${alias}: ${address} ${what}.`)
}

export type Fault = ReturnType<typeof faultOf>

/** The object that a JSON document holds; null for anything else. */
export function jsonObject<T extends object>(text: string): T | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? (value as T | null) : null
  } catch {
    return null
  }
}

/** How many names a message lists. */
const NAMES = 12

/** Names that there are, for a message about one that isn't. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const more = names.length - NAMES
  return `${names.slice(0, NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Settings with what a service says, and the conditions that it states for its use. */
export interface Completed<S> {
  readonly settings: S
  readonly terms: readonly string[]
}
