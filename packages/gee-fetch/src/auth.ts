import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, isLoopback, once, ServiceError, SkyscriptError, systemReason } from '@skyscript/core'
import { httpFetch, isPassing, reasonOf } from '@skyscript/http'
import type { AuthClient, IdentityPoolClientOptions, OAuth2ClientOptions } from 'google-auth-library'

/** Returns the bearer token for a request; null if no token is needed. */
export type TokenSource = () => Promise<string | null>

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Whether ambient credentials may be used for an endpoint: only for Google's own hosts, over https. Any other endpoint
 * gets credentials only if the settings name them.
 */
export function takesAmbientCredentials(endpoint: string): boolean {
  const url = URL.parse(endpoint)
  return url?.protocol === 'https:' && /^(?:[\w-]+\.)*googleapis\.com\.?$/.test(url.hostname)
}

/** Whether the environment names a credentials file: GOOGLE_APPLICATION_CREDENTIALS, else a `gcloud` login. */
export const hasAmbientCredentials = (env: Environment = process.env): boolean => ambientFile(env) !== null

function ambientFile(env: Environment): string | null {
  if (env.GOOGLE_APPLICATION_CREDENTIALS) return env.GOOGLE_APPLICATION_CREDENTIALS
  const { CLOUDSDK_CONFIG, APPDATA, HOME } = env
  const folder = CLOUDSDK_CONFIG ?? (APPDATA ? join(APPDATA, 'gcloud') : HOME ? join(HOME, '.config', 'gcloud') : null)
  if (folder === null) return null
  // Written by `gcloud auth application-default login`.
  const login = join(folder, 'application_default_credentials.json')
  return existsSync(login) ? login : null
}

/** Earth Engine only, so a leaked token opens no bucket. A `gcloud` login keeps the scopes it was created with. */
const SCOPE = 'https://www.googleapis.com/auth/earthengine'
const GOOGLE_TOKEN_URL = 'https://oauth2.googleapis.com/token'
/** Tokens are renewed this long before they expire, so that no request starts with a token about to expire. */
const RENEW_BEFORE_MS = 5 * 60_000
const TIMEOUT_MS = 30_000
const ADVICE =
  'give a JSON key of a service account that is registered for Earth Engine, or another file of Google credentials'

/**
 * Access tokens from a service account key, a workload identity federation configuration, or a `gcloud` login.
 *
 * @param path credentials file; null: the file the environment names, else the machine's account in Google Cloud, else no token
 * @param env null: ignore the environment
 */
export function createTokenSource(path: string | null, env: Environment | null = process.env): TokenSource {
  const file = path ?? (env && ambientFile(env))
  if (file === null && env === null) return async () => null
  const client = once(async () => (file === null ? machineClient(env!) : fileClient(file)))
  return async () => {
    const opened = await client()
    if (opened === null) return null
    try {
      const { token } = await opened.getAccessToken()
      if (token) return token
    } catch (error) {
      throw asOurs(error, file ?? 'the metadata server')
    }
    throw unreachable('was answered without a token')
  }
}

const options = (tokenUrl = GOOGLE_TOKEN_URL): OAuth2ClientOptions => ({
  eagerRefreshThresholdMillis: RENEW_BEFORE_MS,
  transporterOptions: {
    // All requests use our own transport, and token requests go to the endpoint that the file names.
    async fetchImplementation(address, init) {
      const url = String(address) === GOOGLE_TOKEN_URL ? tokenUrl : String(address)
      const { method, body, headers } = init ?? {}
      const answer = await httpFetch(url, {
        ...(method && { method }),
        ...(body != null && { body: String(body) }),
        headers: Object.fromEntries(new Headers(headers)),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      })
      return answer as unknown as Response
    },
  },
})

/** Client for the service account that a machine in Google Cloud runs as; null elsewhere. */
async function machineClient(env: Environment): Promise<AuthClient | null> {
  const { Compute, gcpMetadata } = await import('google-auth-library')
  if (!env.GCE_METADATA_HOST && !gcpMetadata.getGCPResidency()) return null
  return new Compute({ scopes: SCOPE, eagerRefreshThresholdMillis: RENEW_BEFORE_MS })
}

async function fileClient(file: string): Promise<AuthClient> {
  const wrong = (why: string) =>
    new InputError('bad-credentials', `imagery.earthEngine.credentials: ${file} ${why}; ${ADVICE}.`)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw wrong(`can't be read (${systemReason(error)})`)
  })
  let json: Record<string, unknown>
  try {
    json = Object(JSON.parse(text))
  } catch {
    throw wrong('is not JSON')
  }
  for (const name of ['token_uri', 'token_url', 'service_account_impersonation_url']) {
    const url = json[name] === undefined ? null : URL.parse(String(json[name]))
    if (json[name] !== undefined && url?.protocol !== 'https:' && !(url && isLoopback(url.hostname)))
      throw wrong(`names a ${name} that is not https`)
  }
  const has = (...names: string[]) => names.every((name) => typeof json[name] === 'string')
  const member = (name: string) => json[name] as string
  const tokenUrl = has('token_uri') ? member('token_uri') : GOOGLE_TOKEN_URL
  const { IdentityPoolClient, JWT, UserRefreshClient } = await import('google-auth-library')
  if (json.type === 'authorized_user' && has('client_id', 'client_secret', 'refresh_token'))
    return new UserRefreshClient({
      ...options(tokenUrl),
      clientId: member('client_id'),
      clientSecret: member('client_secret'),
      refreshToken: member('refresh_token'),
    })
  // Its subject token comes from a file or a URL; AWS and executables are other kinds.
  if (json.type === 'external_account' && has('audience', 'subject_token_type', 'token_url'))
    return new IdentityPoolClient({ ...(json as unknown as IdentityPoolClientOptions), ...options(), scopes: [SCOPE] })
  if (!has('client_email', 'private_key', 'token_uri'))
    throw wrong('is neither a service account key, nor a workload identity configuration, nor a gcloud login')
  return new JWT({
    ...options(tokenUrl),
    email: member('client_email'),
    key: member('private_key'),
    ...(has('private_key_id') && { keyId: member('private_key_id') }),
    scopes: SCOPE,
    additionalClaims: { aud: tokenUrl },
  })
}

const unreachable = (what: string, status?: number) =>
  new ServiceError('token-unreachable', `The request for a token ${what}; check the network and try again later.`, {
    retry: true,
    ...(status !== undefined && { status }),
  })

/** The library's error without its request, which holds secrets. */
function asOurs(error: unknown, file: string): Error {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof SkyscriptError) return cause
  const { response, code } = error as { response?: { status: number; data?: unknown }; code?: unknown }
  if (typeof code === 'string' && code.startsWith('ERR_OSSL'))
    return new InputError(
      'bad-credentials',
      `imagery.earthEngine.credentials: the private key in ${file} can't be read; download the key file again.`,
    )
  if (!response) return unreachable(`failed (${reasonOf(error)})`)
  const { status } = response
  const said = errorIn(response.data)
  // Only a 4xx whose body names an error (RFC 6749, 5.2) rejects the account; anything else may be temporary.
  if (status >= 400 && !isPassing(status) && said !== null)
    return new InputError(
      'bad-credentials',
      `The account of ${file} was refused (${said}); check that the key or login is not revoked and the clock is right.`,
    )
  return unreachable(`was answered ${status}`, status)
}

function errorIn(data: unknown): string | null {
  try {
    const { error } = Object(typeof data === 'string' ? JSON.parse(data) : data)
    return error === undefined ? null : (typeof error === 'string' ? error : 'no reason given').slice(0, 60)
  } catch {
    return null
  }
}
