/**
 * Keeps logins and signatures of addresses out of what a build stores. A query may be a signature whatever its names, so
 * every address with a login or a query counts as private.
 */
import { readFileSync } from 'node:fs'
import { type Config, InputError, isUrl, mapPlaces, systemReason } from '@skyscript/core'

type Shared = Omit<Config, 'queue' | 'output'>
type Environment = Readonly<Record<string, string | undefined>>

/** Private addresses of the settings by their stored form. They never leave the process that read the settings. */
export type PrivateAddresses = Map<string, string>

/** Stands for a value of the environment, which every machine that needs it sets for itself. */
const PLACEHOLDER = /\$\{(SKYSCRIPT_SECRET_\w+)\}/g

/**
 * The settings as they may be stored.
 *
 * @param found takes the addresses that were shortened
 */
export function withoutSecrets(config: Shared, found: PrivateAddresses): Shared {
  return mapAddresses(config, (address) => {
    const stored = publicForm(address)
    if (stored !== address) found.set(stored, address)
    return stored
  })
}

/**
 * The settings as clients need them: private addresses put back, `${SKYSCRIPT_SECRET_...}` replaced by the environment's
 * values.
 *
 * @throws InputError `missing-secret`
 */
export function withSecrets<T extends Shared>(config: T, known?: PrivateAddresses, env: Environment = process.env): T {
  return mapAddresses(config, (address) => fillIn(known?.get(address) ?? address, env))
}

/** @throws InputError `private-address` where workers would need an address that is not stored */
export function refuseForWorkers(found: PrivateAddresses, { imagery }: Pick<Shared, 'imagery'>): void {
  const needed = new Set(imagery.sources.flatMap(addressesOf))
  const [first] = [...found.keys()].filter((stored) => needed.has(stored))
  if (first === undefined) return
  throw new InputError(
    'private-address',
    `imagery.sources names ${first} with a login or a query, which is not stored where workers would read it. Write \${SKYSCRIPT_SECRET_NAME} in place of the secret part and set that variable for the build and all workers, or use queue: embedded.`,
  )
}

/** An address without login, query and fragment; unchanged if its only private parts are placeholders. */
function publicForm(address: string): string {
  if (!isUrl(address)) return address
  const bare = address.replace(PLACEHOLDER, '')
  const [place = '', query = ''] = split(bare)
  const isPublic =
    !place.includes('@') &&
    query.split('&').every((pair) => pair.replace(/^[^=]*=?/, '') === '' && (pair === '' || pair.includes('=')))
  if (isPublic) return address
  const [shown = ''] = split(address)
  return shown.replace(/^([a-z][a-z\d+.-]*:\/\/)[^/]*@/i, '$1')
}

/** The place, and all behind its first `?` or `#`. */
function split(address: string): [string, string] {
  const end = address.search(/[?#]/)
  return end === -1 ? [address, ''] : [address.slice(0, end), address.slice(end + 1)]
}

/** @throws InputError `missing-secret` */
export function fillIn(address: string, env: Environment = process.env): string {
  return address.replace(PLACEHOLDER, (_, name: string) => {
    const value = secretOf(name, env)
    if (value === '')
      throw new InputError(
        'missing-secret',
        `${name} is not set; the region file uses it in an address. Set it, or ${name}_FILE to a file that holds it.`,
      )
    return value
  })
}

/** By path; secrets don't change while a process runs. */
const files = new Map<string, string>()

/** A variable of the environment, or the content of the file that `<name>_FILE` names; empty without either. */
function secretOf(name: string, env: Environment): string {
  const path = env[`${name}_FILE`]
  if (env[name] || !path) return env[name] ?? ''
  const known = files.get(path)
  if (known !== undefined) return known
  let content: string
  try {
    content = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new InputError('missing-secret', `${name}_FILE names ${path}, which can't be read (${systemReason(error)}).`)
  }
  files.set(path, content)
  return content
}

type SourceSetting = Shared['imagery']['sources'][number]

function addressesOf(source: SourceSetting): string[] {
  if (typeof source === 'string' || source.kind !== 'cog') return []
  return [...source.files, ...(source.stac === null ? [] : [source.stac])]
}

const mapAddresses = <T extends Shared>(config: T, change: (address: string) => string): T =>
  mapPlaces(config, (text, kind) => (kind === 'address' || kind === 'catalogue' ? change(text) : text))

/** The names of the environment that an address needs. */
export const secretsOf = (address: string): string[] => [...address.matchAll(PLACEHOLDER)].map(([, name]) => name!)

/** Those that are not set. */
export const missingSecrets = (address: string, env: Environment = process.env): string[] =>
  secretsOf(address).filter((name) => secretOf(name, env) === '')
