import { createHash } from 'node:crypto'
import { encodeId, IMAGE_PATH } from '@skyscript/core'

const [QUOTE, COMMA, LINE_FEED] = [0x22, 0x2c, 0x0a]

/**
 * The ids of the pairs in a CSV, as sorted codes, of its bytes: the path of an image comes first in a row and is never
 * quoted, and a text with line feeds is. Memory: 8 bytes a row.
 *
 * @returns with the file's sha256
 */
export async function readMembers(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly codes: Float64Array; readonly sha256: string }> {
  const codes: number[] = []
  const digest = createHash('sha256')
  /** Characters of the first field so far; null behind it. */
  let field: string | null = ''
  let isQuoted = false
  for await (const chunk of chunks) {
    digest.update(chunk)
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!
      if (byte === QUOTE) isQuoted = !isQuoted
      else if (isQuoted) continue
      else if (byte === LINE_FEED) field = ''
      else if (field !== null && byte === COMMA) {
        const code = codeOf(field)
        if (code !== null) codes.push(code)
        field = null
      } else if (field !== null) field += String.fromCharCode(byte)
    }
  }
  return { codes: Float64Array.from(codes).sort(), sha256: digest.digest('hex') }
}

/** Of the object that an image shows; null for a header. */
function codeOf(filepath: string): number | null {
  if (!IMAGE_PATH.test(filepath)) return null
  return encodeId(filepath.slice(filepath.indexOf('/') + 1, filepath.indexOf('_')))
}

/** The members of `these` that `others` lacks. Both are sorted. */
export function without(these: Float64Array, others: Float64Array): number[] {
  const rest: number[] = []
  let at = 0
  for (const code of these) {
    while (at < others.length && others[at]! < code) at++
    if (others[at] !== code) rest.push(code)
  }
  return rest
}
