import { InputError } from '@skyscript/core'
import { loginOf } from '@skyscript/http'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The header that logs in at a model server: with the login of its URL, else with that of SKYSCRIPT_MODEL_LOGIN, which
 * is `user:password` for the only server of the settings, or one `https://user:password@host` or several, with blanks
 * between, each for its own host, scheme and port.
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
 * Sees to it that a login goes to no server that it was not given for.
 *
 * @throws InputError `model-server-login` where `user:password` could be for several servers
 */
export function checkModelLogin(addresses: readonly string[], env: Environment = process.env): void {
  if (loginsOf(env).plain === null) return
  const urls = addresses.map((address) => new URL(address))
  const open = new Set(urls.filter(({ username }) => username === '').map(({ origin }) => origin))
  if (open.size < 2) return
  throw new InputError(
    'model-server-login',
    `SKYSCRIPT_MODEL_LOGIN does not say which of ${[...open].join(', ')} it is for; write it as https://user:password@host.`,
  )
}

function loginsOf(env: Environment): { plain: string | null; bound: URL[] } {
  const text = env.SKYSCRIPT_MODEL_LOGIN?.trim() ?? ''
  if (!/^https?:\/\//i.test(text)) return { plain: text === '' ? null : text, bound: [] }
  const bound = text.split(/\s+/).map((entry) => URL.parse(entry))
  if (bound.every((url) => url !== null)) return { plain: null, bound }
  throw new InputError(
    'model-server-login',
    'SKYSCRIPT_MODEL_LOGIN must be https://user:password@host, or several with blanks between; percent-encode special characters.',
  )
}
