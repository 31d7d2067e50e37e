import { createHash, hash } from 'node:crypto'

/** Lower-case hex sha256 of bytes or of a text's UTF-8. */
export function sha256(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex')
}

/** The same over a stream, for what doesn't fit in memory. */
export async function sha256OfStream(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of chunks) digest.update(chunk)
  return digest.digest('hex')
}

/**
 * A name for everything that decides an output: equal inputs give an equal name on every machine. Keys are sorted, so
 * the order in which an object was built doesn't matter; `undefined` members are left out, as in JSON.
 *
 * @returns 32 hex digits; at 128 bits a collision among a billion shards has a chance of about 1e-21
 */
export function fingerprint(...parts: readonly unknown[]): string {
  return sha256(canonicalJson(parts)).slice(0, 32)
}

/** JSON with sorted keys: one text for one value. Throws on what JSON can't hold exactly (functions, NaN, cycles). */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON text, so it can't be part of a fingerprint.`)
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
    return `{${members.join(',')}}`
  }
  throw new TypeError(`A ${typeof value} can't be part of a fingerprint.`)
}
