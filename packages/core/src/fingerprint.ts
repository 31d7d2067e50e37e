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
  return fingerprintOf(canonicalJson(parts))
}

/** The same, given the canonical JSON of the list of parts. */
export function fingerprintOf(canonical: string): string {
  return sha256(canonical).slice(0, 32)
}

const constants = new WeakSet<object>()
/** Texts of constants that were part of a fingerprint. */
const texts = new WeakMap<object, string>()

/**
 * Declares that a value never changes, so that fingerprints write its text only once: a table of thousands of rows takes
 * longer than all else that a small build does.
 */
export function constant<T extends object>(value: T): T {
  constants.add(value)
  return value
}

/** JSON with sorted keys: one text for one value. Throws on what JSON can't hold exactly (functions, NaN, cycles). */
export function canonicalJson(value: unknown): string {
  return textOf(value, new Map())
}

/** @param known texts of objects: tags are the same object around many images */
function textOf(value: unknown, known: Map<object, string>): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      if (Number.isFinite(value)) return String(value)
      throw new TypeError(`${value} has no JSON text, so it can't be part of a fingerprint.`)
    case 'object':
      if (value === null) return 'null'
      return constants.has(value) ? textOfConstant(value) : textOfAny(value, known)
    default:
      throw new TypeError(`A ${typeof value} can't be part of a fingerprint.`)
  }
}

function textOfAny(value: object, known: Map<object, string>): string {
  return Array.isArray(value) ? textOfArray(value, known) : textOfObject(value as Record<string, unknown>, known)
}

function textOfConstant(value: object): string {
  const before = texts.get(value)
  if (before !== undefined) return before
  const text = textOfAny(value, new Map())
  texts.set(value, text)
  return text
}

function textOfArray(items: readonly unknown[], known: Map<object, string>): string {
  let text = '['
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ','
    text += items[i] === undefined ? 'null' : textOf(items[i], known)
  }
  return `${text}]`
}

function textOfObject(object: Readonly<Record<string, unknown>>, known: Map<object, string>): string {
  const before = known.get(object)
  if (before !== undefined) return before
  let text = '{'
  for (const key of Object.keys(object).sort()) {
    const member = object[key]
    if (member === undefined) continue
    if (text.length > 1) text += ','
    text += `${JSON.stringify(key)}:${textOf(member, known)}`
  }
  text += '}'
  known.set(object, text)
  return text
}
