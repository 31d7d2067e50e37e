/** OSM PBF: a blob header is at most this long (OSM wiki, PBF Format, "File format"). */
const BLOB_HEADER_BYTES = 64 * 1024

/** Formats that map data comes in, or that servers send in its place, by their first bytes in hexadecimal digits. */
const MAGIC: readonly (readonly [kind: string, start: string])[] = [
  ['compressed by gzip', '1f8b'],
  ['compressed by bzip2', '425a68'],
  ['compressed by xz', 'fd377a585a'],
  ['compressed by zstd', '28b52ffd'],
  ['a zip archive', '504b0304'],
  ['an o5m file', 'ffe0046f356d32'],
]

/** The same by their first words. */
const WORDS: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['a web page', /^<(?:!doctype\s+html|html|head|body|title|script|!--)/i],
  ['OSM XML', /^(?:<\?xml[^>]*>\s*)?<osm(?:change)?\b/i],
  ['a web page', /^<\?xml[^>]*>\s*(?:<!doctype\s+html|<html)/i],
  ['an XML document', /^<(?:\?xml|[a-z])/i],
  ['JSON', /^[[{]/],
  ['a Git LFS pointer', /^version https:\/\/git-lfs/],
]

/** What change files may be by their beginning, which may be a comment; applying them reads the rest. */
export const CHANGE_KINDS: readonly string[] = ['compressed by gzip', 'OSM XML', 'an XML document']

/** What a file is, `OSM PBF` or something else, in words that end "it is ...". */
export function fileKind(head: Uint8Array, contentType: string | null = null): string {
  const bytes = Buffer.from(head)
  const length = bytes.length < 16 ? 0 : bytes.readUInt32BE(0)
  // A PBF begins with the length of a blob header whose type is OSMHeader.
  if (length > 0 && length <= BLOB_HEADER_BYTES && bytes.includes('OSMHeader', 4, 'latin1')) return 'OSM PBF'
  if (bytes.length === 0) return 'empty'
  const [packed] = MAGIC.find(([, start]) => bytes.toString('hex', 0, start.length / 2) === start) ?? []
  if (packed !== undefined) return packed
  const text = bytes.toString('latin1').replace(/^(?:\xef\xbb\xbf)?\s*/, '')
  const [kind] = WORDS.find(([, pattern]) => pattern.test(text)) ?? []
  if (kind !== undefined) return kind
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'a web page'
  return type.startsWith('text/') ? `a text (${type})` : 'something else'
}
