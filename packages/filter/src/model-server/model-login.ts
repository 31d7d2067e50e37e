import { InputError } from '@skyscript/core'
import { loginOf } from '@skyscript/http'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The authorization header for a model server, from its URL's login, else from SKYSCRIPT_MODEL_LOGIN: either
 * `user:password` if the settings have only one server, or one or more `https://user:password@host`, separated by
 * spaces, each for its own scheme, host and port.
 */
export function modelLogin(address: string, env: Environment = process.env): { readonly authorization?: string } {
  const url = new URL(address)
  const own = loginOf(url)
  if (own.authorization !== undefined) return own
  const { plain, bound } = loginsOf(env)
  const [match] = bound.filter(({ origin }) => origin === url.origin)
  if (match !== undefined) return loginOf(match)
  return plain === null ? {} : { authorization: `Basic ${Buffer.from(plain).toString('base64')}` }
}

/**
 * Checks that no login would be sent to a server it was not meant for.
 *
 * @throws InputError `model-server-login` if `user:password` could belong to several servers
 */
export function checkModelLogin(addresses: readonly string[], env: Environment = process.env): void {
  if (loginsOf(env).plain === null) return
  const urls = addresses.map((address) => new URL(address))
  const open = new Set(urls.filter(({ username }) => username === '').map(({ origin }) => origin))
  if (open.size < 2) return
  throw new InputError(
    'model-server-login',
    `SKYSCRIPT_MODEL_LOGIN does not say which server it is for (${[...open].join(', ')}); write it as https://user:password@host.`,
  )
}

function loginsOf(env: Environment): { plain: string | null; bound: URL[] } {
  const text = env.SKYSCRIPT_MODEL_LOGIN?.trim() ?? ''
  if (!/^https?:\/\//i.test(text)) return { plain: text === '' ? null : text, bound: [] }
  const bound = text.split(/\s+/).map((entry) => URL.parse(entry))
  if (bound.every((url) => url !== null)) return { plain: null, bound }
  throw new InputError(
    'model-server-login',
    'SKYSCRIPT_MODEL_LOGIN must be https://user:password@host, or several of these separated by spaces; percent-encode special characters.',
  )
}
