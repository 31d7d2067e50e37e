/**
 * The lines of UTF-8 text that comes in pieces, without their line ends. Only `\n` ends a line, and a `\r` before it is
 * removed: node:readline also splits at `\r`, U+2028 and U+2029, which JSON strings may hold as they are. A byte order
 * mark at the start is removed. A line end at the end of the text starts no further line.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const withoutReturn = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line)
  /** The start of a line whose end has not come yet. Kept in pieces: lines may be long, chunks short. */
  let open: string[] = []
  for await (const chunk of chunks) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      open.push(text.slice(start, end))
      yield withoutReturn(open.join(''))
      open = []
      start = end + 1
    }
    if (start < text.length) open.push(text.slice(start))
  }
  open.push(decoder.decode())
  const last = open.join('')
  if (last !== '') yield withoutReturn(last)
}
