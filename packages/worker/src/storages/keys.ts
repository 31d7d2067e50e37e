import { InputError } from '@skyscript/core'

/** S3's limit, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024

/**
 * Refuses a key that could leave the dataset (absolute, `..`), that not every storage can hold (control characters,
 * backslashes, empty parts) or whose place in `list` would depend on the storage (characters above U+FFFF: buckets sort
 * by UTF-8, folders here by UTF-16).
 *
 * @throws InputError `bad-key`
 */
export function checkKey(key: string): void {
  const parts = key.split('/')
  const isOrdinary = parts.every((part) => part !== '' && part !== '.' && part !== '..')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  if (!isOrdinary || /[\u0000-\u001f\u007f\\\ud800-\udfff]/.test(key) || Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new InputError('bad-key', `${JSON.stringify(key.slice(0, 80))} can't be a key in a storage.`)
  }
}

/** Chunks are gathered until they have this many bytes: a CSV comes row by row, and each write costs a system call. */
const GATHER_BYTES = 1 << 18

/** The bytes of a value to be stored, in pieces of a useful size. */
export async function* bytesOf(value: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = []
  let size = 0
  // A text may be cut between the two halves of a surrogate pair; each half would become U+FFFD.
  let half = ''
  for await (const piece of value) {
    let chunk: Uint8Array
    if (typeof piece === 'string') {
      const text = half + piece
      half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : ''
      chunk = Buffer.from(half ? text.slice(0, -1) : text, 'utf8')
    } else chunk = piece
    gathered.push(chunk)
    size += chunk.length
    if (size < GATHER_BYTES) continue
    yield Buffer.concat(gathered)
    gathered = []
    size = 0
  }
  if (half) gathered.push(Buffer.from(half, 'utf8'))
  const rest = Buffer.concat(gathered)
  if (rest.length > 0) yield rest
}

/** The pieces, and afterwards how many bytes they were. */
export function counted(pieces: AsyncIterable<Uint8Array>): {
  readonly pieces: AsyncIterable<Uint8Array>
  total(): number
} {
  let total = 0
  return {
    pieces: (async function* () {
      for await (const piece of pieces) {
        total += piece.length
        yield piece
      }
    })(),
    total: () => total,
  }
}
