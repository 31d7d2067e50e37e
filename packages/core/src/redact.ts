const HIDDEN = '***'

// Each pattern begins with something rare and its quantifiers have limits, so that hostile text costs linear time.

/** An address in running text, from behind its scheme on. */
const ADDRESS = /:\/\/[^\s"'<>`\\]*/g
/** A query outside an address, as in `/search?key=abc`. */
const QUERY_VALUE = /([?&][\w.~%[\]-]{1,64}=)[^&#\s"'<>`\\]+/g
/** `Authorization: Basic dXNlcjpwYXNz`, also as JSON or as an object that was printed. */
const AUTHORIZATION =
  /(authorization["']?\s{0,4}[:=]\s{0,4}["']?)(?:(?:digest|aws4|goog4|negotiate|ntlm|oauth)\b[^\r\n]*|(?:\w{1,16}\s{1,8})?[^"'\s,]+)/gi
const BEARER = /(bearer\s{1,8})[\w.~+/=-]+/gi
const BASIC = /(basic\s{1,8})([\w+/-]{4,}={0,2})/gi
/** `password=abc`, `"api_key": "abc"`, `x-api-key: abc`, `AWS_SECRET_ACCESS_KEY=abc`. */
const NAMED =
  /((?:passw(?:or)?d|secret|api[-_]?key|access[-_]?key|access[-_]?token|session[-_]?token|auth[-_]?token|signature)[\w-]{0,32}["']?\s{0,4}[:=]\s{0,4}["']?)[^\s"'&,;]{2,}/gi
/** Tokens that say what they are: of Amazon, Google, GitHub, the model hub, and JWTs. */
const TOKEN =
  /\b(?:A[KS]IA[A-Z\d]{16}|AIza[\w-]{30,}|ya29\.[\w.-]+|gh[a-z]_\w{20,}|hf_[A-Za-z\d]{16,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*)/g
const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g

/**
 * The text without what may be secret: logins and all query values in addresses (a query may be a signature, whatever
 * its names), authorization headers, bearer tokens, values named like secrets, tokens of known forms, private keys.
 * Takes time linear in the text's length.
 */
export function redact(text: string): string {
  return text
    .replace(PRIVATE_KEY, HIDDEN)
    .replace(ADDRESS, redactAddress)
    .replace(QUERY_VALUE, `$1${HIDDEN}`)
    .replace(AUTHORIZATION, `$1${HIDDEN}`)
    .replace(BEARER, `$1${HIDDEN}`)
    .replace(BASIC, (all, name: string, login: string) => (isLogin(login) ? `${name}${HIDDEN}` : all))
    .replace(NAMED, `$1${HIDDEN}`)
    .replace(TOKEN, HIDDEN)
}

/**
 * The same for the answer of a server, which may quote the login, the query values and the path of the address requested.
 *
 * @param shown the address as messages show it: parts of the path that are not in it are hidden
 */
export function redactAnswer(text: string, asked: string, shown = asked): string {
  const steps = asked.split(/[/?#]/).filter((step) => step.length >= SHORTEST_PART && !shown.includes(step))
  return redact([...partsOf(asked), ...steps].reduce((rest, part) => rest.replaceAll(part, HIDDEN), text))
}

/** Too short a part would hide what is no secret, such as the 1 of `v=1`. */
const SHORTEST_PART = 4

/** Login and query values of an address, as they are written and decoded. */
function partsOf(address: string): string[] {
  const url = URL.parse(address)
  if (url === null) return []
  const written = [url.username, url.password, ...url.search.slice(1).split('&')].flatMap((part) => [
    part,
    part.slice(part.indexOf('=') + 1),
  ])
  const decoded = [...url.searchParams.values(), ...written.map(decode)]
  return [...new Set([...written, ...decoded])]
    .filter((part) => part.length >= SHORTEST_PART)
    .sort((a, b) => b.length - a.length)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const isLogin = (text: string) => Buffer.from(text, 'base64').toString('latin1').includes(':')

function redactAddress(match: string, at: number, text: string): string {
  const scheme = text.slice(Math.max(0, at - 6), at)
  const rest = match.slice(3)
  // An address within another: `https://proxy/https://user:password@host`.
  const inner = rest.indexOf('://')
  if (inner === -1) return `://${redactRest(scheme, rest)}`
  const [outer, within] = [rest.slice(0, inner), rest.slice(inner + 3)]
  const hidden = within.includes('://') ? HIDDEN : redactRest(outer.slice(-6), within)
  return `://${redactRest(scheme, outer)}://${hidden}`
}

/** What follows the `://` of one address. */
function redactRest(scheme: string, rest: string): string {
  const from = afterLogin(scheme, rest)
  const place = rest.slice(from)
  const query = place.search(/[?#]/)
  const shown = query === -1 ? place : place.slice(0, query) + redactQuery(place.slice(query))
  return from === 0 ? shown : `${HIDDEN}@${shown}`
}

/** Where the host begins. A password with an `@`, `/`, `?` or `#` that nobody encoded ends at the last `@`. */
function afterLogin(scheme: string, rest: string): number {
  const end = rest.search(/[/?#]/)
  const authority = end === -1 ? rest : rest.slice(0, end)
  const isHost = /^(?:[^:@]+|\[[\da-f:.%]+\])(?::\d*)?$/i.test(authority)
  return isHost && !/rediss?$/i.test(scheme) ? 0 : rest.lastIndexOf('@') + 1
}

/** Names stay, for people to see what was asked; so does an anchor. */
function redactQuery(query: string): string {
  return query.replace(/([?&#;])([^?&#;]+)/g, (all, mark: string, pair: string) => {
    const equals = pair.indexOf('=')
    if (equals !== -1) return `${mark}${pair.slice(0, equals)}=${HIDDEN}`
    return mark === '#' ? all : `${mark}${HIDDEN}`
  })
}

/** Query parameters that sign a link: of Amazon, Google, Azure, CloudFront and others. */
const SIGNING =
  /^(?:x-(?:amz|goog)-.*|awsaccesskeyid|googleaccessid|signature|sig|expires|policy|key-pair-id|(?:access_?)?token|api_?key|subscription-key)$/i
/** Of Azure's shared access signatures; so short that they mean something else elsewhere. */
const AZURE = /^(?:s[verpits]|srt|spr|sip|sdd|sk[a-z]{1,3}|skoid|sktid|saoid|suoid|scid|r[a-z]{3})$/

/** A URL without login, fragment and signature: the same for a link that is signed anew. */
export function unsignedUrl(address: string): string {
  const url = URL.parse(address)
  if (url === null) return address
  url.username = ''
  url.password = ''
  url.hash = ''
  const isAzure = url.searchParams.has('sig') && url.searchParams.has('sv')
  const kept = [...url.searchParams].filter(([name]) => !SIGNING.test(name) && !(isAzure && AZURE.test(name)))
  url.search = new URLSearchParams(kept).toString()
  return url.href
}
