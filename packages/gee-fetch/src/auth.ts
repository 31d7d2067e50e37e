import { createSign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { InputError, isLoopback, ServiceError, SkyscriptError, systemReason } from '@skyscript/core'
import { httpFetch, type Response, reasonOf } from '@skyscript/http'

/** Gives the bearer token for a request; null where none is needed. */
export type TokenSource = () => Promise<string | null>

/**
 * Whether GOOGLE_APPLICATION_CREDENTIALS of the environment may be used for an endpoint: only for Google's own hosts,
 * encrypted. Another endpoint gets credentials only where the settings name them.
 */
export function takesAmbientCredentials(endpoint: string): boolean {
  const url = URL.parse(endpoint)
  return url?.protocol === 'https:' && /^(?:[\w-]+\.)*googleapis\.com\.?$/.test(url.hostname)
}

interface ServiceAccountKey {
  readonly client_email: string
  readonly private_key: string
  readonly private_key_id?: string
  readonly token_uri: string
}

/** Nothing but Earth Engine: a token that leaks opens no bucket. */
const SCOPE = 'https://www.googleapis.com/auth/earthengine'
/** Renewed this long before it ends, so that no request starts with a token about to end. */
const RENEW_BEFORE_MS = 5 * 60_000
const LIFETIME_S = 3600
const TIMEOUT_MS = 30_000

/**
 * Tokens of a service account by the JWT bearer grant (RFC 7523), from the key file's own `token_uri`.
 *
 * @param path of the key file; null takes GOOGLE_APPLICATION_CREDENTIALS, and without that gives no token
 */
export function createTokenSource(
  path: string | null,
  env: Readonly<Record<string, string | undefined>> = process.env,
): TokenSource {
  const file = path ?? env.GOOGLE_APPLICATION_CREDENTIALS ?? null
  if (file === null) return async () => null
  let current: { token: string; until: number } | undefined
  let renewing: Promise<string> | undefined
  return async () => {
    if (current && Date.now() < current.until) return current.token
    renewing ??= fetchToken(file)
      .then(({ token, seconds }) => {
        current = { token, until: Date.now() + seconds * 1000 - RENEW_BEFORE_MS }
        return token
      })
      .finally(() => {
        renewing = undefined
      })
    return renewing
  }
}

async function readKey(file: string): Promise<ServiceAccountKey> {
  const wrong = (why: string) =>
    new InputError(
      'bad-credentials',
      `imagery.earthEngine.credentials: ${file} ${why}; download a JSON key of a service account that is registered for Earth Engine.`,
    )
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw wrong(`can't be read (${systemReason(error)})`)
  })
  let key: Partial<ServiceAccountKey>
  try {
    key = JSON.parse(text)
  } catch {
    throw wrong('is not JSON')
  }
  if (
    typeof key.client_email !== 'string' ||
    typeof key.private_key !== 'string' ||
    typeof key.token_uri !== 'string'
  ) {
    throw wrong('is not a service account key')
  }
  const uri = URL.canParse(key.token_uri) ? new URL(key.token_uri) : null
  if (!uri || (uri.protocol !== 'https:' && !isLoopback(uri.hostname)))
    throw wrong('names a token_uri that is not https')
  return key as ServiceAccountKey
}

async function fetchToken(file: string): Promise<{ token: string; seconds: number }> {
  const key = await readKey(file)
  const now = Math.floor(Date.now() / 1000)
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = part({ alg: 'RS256', typ: 'JWT', ...(key.private_key_id && { kid: key.private_key_id }) })
  const claims = part({ iss: key.client_email, scope: SCOPE, aud: key.token_uri, iat: now, exp: now + LIFETIME_S })
  let signature: string
  try {
    signature = createSign('RSA-SHA256').update(`${header}.${claims}`).sign(key.private_key, 'base64url')
  } catch {
    throw new InputError(
      'bad-credentials',
      `imagery.earthEngine.credentials: the private key in ${file} can't be read; download the key file again.`,
    )
  }
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: `${header}.${claims}.${signature}`,
  })
  let response: Response
  try {
    response = await httpFetch(key.token_uri, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    })
  } catch (error) {
    if (error instanceof SkyscriptError) throw error
    throw new ServiceError(
      'token-unreachable',
      `No token from ${new URL(key.token_uri).host} (${reasonOf(error)}); check the network.`,
      { retry: true },
    )
  }
  const { host } = new URL(key.token_uri)
  const answer = await response.text().then(parseAnswer, () => null)
  if (response.ok && typeof answer?.access_token === 'string')
    return {
      token: answer.access_token,
      seconds: typeof answer.expires_in === 'number' ? answer.expires_in : LIFETIME_S,
    }
  // Only a 4xx whose body names an error (RFC 6749, 5.2) is a verdict on the account; anything else may pass.
  if (isRefusal(response.status) && answer?.error !== undefined) {
    const why = typeof answer.error === 'string' ? answer.error.slice(0, 60) : `HTTP ${response.status}`
    throw new InputError(
      'bad-credentials',
      `The service account ${key.client_email} was refused (${why}); check that the key is not revoked and the clock is right.`,
    )
  }
  const said = response.ok ? 'without a token' : `${response.status}`
  throw new ServiceError('token-unreachable', `${host} answered ${said}; try again later.`, {
    retry: true,
    ...(!response.ok && { status: response.status }),
  })
}

interface TokenAnswer {
  readonly access_token?: unknown
  readonly expires_in?: unknown
  readonly error?: unknown
}

/** The object in an answer's body; null where it holds none, such as one that is empty or was cut. */
function parseAnswer(text: string): TokenAnswer | null {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' ? answer : null
  } catch {
    return null
  }
}

const isRefusal = (status: number) => status >= 400 && status < 500 && ![408, 425, 429].includes(status)
