import { isPassing } from '@skyscript/http'

/**
 * What a service means that sends something else than a picture: exceptions of OGC's services
 * (https://docs.ogc.org/is/06-121r9, table 27; WMS 1.3.0, annex E; WMTS 1.0.0, table 22), errors of ArcGIS and of others as
 * JSON, and sentences. Many send them with status 200.
 *
 * - `absent`: it has no picture there
 * - `settings`: it knows no such layer, system or format, and never will
 * - `denied`: the key, or lack of one
 * - `quota`: too many requests
 * - `image`: it refuses this picture for good
 * - `later`: anything else, also web pages: a proxy, or maintenance
 */
export type Meaning = 'absent' | 'settings' | 'denied' | 'quota' | 'image' | 'later'

/** Codes of OGC's exceptions. */
const OF_THE_SETTINGS =
  /^(?:Layer|Style|LayerId|TileMatrix(?:Set)?)?Not(?:Defined|Supported|Queryable|Recognized)$|^Invalid(?:CRS|SRS|Format|Style)$|^(?:Operation|Option|Version)Not(?:Supported|Negotiated)$|^VersionNegotiationFailed$|^MissingParameterValue$/i
const OUT_OF_RANGE = /^(?:Tile|Coordinate|Point\w*)OutOfRange$/i
const SAYS_ABSENT =
  /out(?:side)? of (?:the )?(?:\w+ )?(?:range|bounds|extent)|outside (?:the |of )|\bno (?:such )?(?:tile|image|imagery|data|coverage|picture|map)s?\b|(?:tile|image|imagery|data) (?:is |was )?not (?:found|available|there|covered)|does not (?:intersect|cover|overlap)|not covered/i
const SAYS_DENIED =
  /\b(?:api[ _-]?key|key|token|credentials?|password|subscription|referer)\b.*\b(?:invalid|missing|required|expired|wrong|unknown|unauthori[sz]ed|not (?:valid|allowed|found))|\b(?:invalid|missing|no|bad|wrong|expired|unknown) (?:api[ _-]?key|key|(?:access )?token|credentials?|subscription)\b|unauthori[sz]ed|not authori[sz]ed|(?:access|permission) (?:is )?denied|forbidden/i
const SAYS_QUOTA = /too many requests|rate limit|quota (?:is )?(?:exceeded|used)|limit (?:of requests )?exceeded/i
const SAYS_LATER = /time[d ]?-? ?out|busy|overload|temporar|try (?:it )?again|unavailable|maintenance/i

/** @param status of the answer, from 200 */
export function meaningOf(body: string, status: number): Meaning {
  const text = body.replace(/^[\s\uFEFF]+/, '')
  const own = ofException(text) ?? ofJson(text)
  if (own !== null) return own
  // Of a web page nobody knows who sent it: its words may be about anything.
  const said = text.startsWith('<') || status >= 500 ? null : bySaying(text)
  return said ?? (isFinal(status) ? 'image' : 'later')
}

/** Statuses that say that the same request will be refused again. */
const isFinal = (status: number): boolean =>
  status >= 400 && status < 500 && ![401, 403, 404, 410].includes(status) && !isPassing(status)

function ofException(text: string): Meaning | null {
  if (!/^<(?:\?xml|[\w:]*(?:ServiceException|ExceptionReport|Exception)\b)/.test(text)) return null
  if (!/<[\w:]*(?:ServiceException|ExceptionReport)\b/.test(text)) return null
  const code = /\b(?:exceptionCode|code)\s*=\s*["']([^"']*)["']/.exec(text)?.[1] ?? ''
  const words = text.replace(/<[^>]*>?/g, ' ')
  const said = bySaying(words)
  if (OUT_OF_RANGE.test(code) || said === 'absent') return 'absent'
  if (OF_THE_SETTINGS.test(code)) return 'settings'
  return said ?? (/^InvalidParameterValue$|^InvalidDimensionValue$/i.test(code) ? 'image' : 'later')
}

function ofJson(text: string): Meaning | null {
  if (!/^[{[]/.test(text)) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const answer = (value ?? {}) as { error?: { code?: unknown }; code?: unknown; status?: unknown }
  const code = Number(answer.error?.code ?? answer.code ?? answer.status)
  const said = bySaying(text)
  // https://developers.arcgis.com/rest/users-groups-and-items/working-with-errors/: 498 and 499 are of tokens.
  if ([401, 403, 498, 499].includes(code)) return 'denied'
  if (code === 404 || code === 410 || said === 'absent') return 'absent'
  if (code === 429) return 'quota'
  return said ?? (isFinal(code) ? 'image' : 'later')
}

function bySaying(words: string): Meaning | null {
  if (SAYS_QUOTA.test(words)) return 'quota'
  if (SAYS_LATER.test(words)) return 'later'
  if (SAYS_DENIED.test(words)) return 'denied'
  return SAYS_ABSENT.test(words) ? 'absent' : null
}
