import { createHash } from 'node:crypto'
import { encodeId } from '@skyscript/core'
import { idOfImage } from '../names.ts'

const [QUOTE, COMMA, LINE_FEED] = [0x22, 0x2c, 0x0a]

/**
 * Reads the ids of the pairs in a CSV, as sorted codes. In each row the path of an image comes first and is never quoted;
 * texts with line feeds are. Memory: 8 bytes a row.
 *
 * @returns the codes, and the sha256 of the file
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
        const id = idOfImage(field)
        // The header has none.
        if (id !== null) codes.push(encodeId(id))
        field = null
      } else if (field !== null) field += String.fromCharCode(byte)
    }
  }
  return { codes: Float64Array.from(codes).sort(), sha256: digest.digest('hex') }
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
