/**
 * Decompresses one LZ4 block, https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 *
 * @returns the bytes written, or -1 where the input is not a block of at most `output.length` bytes
 */
export function decompressLz4(input: Uint8Array, output: Uint8Array): number {
  let [from, to] = [0, 0]
  const extended = (length: number): number => {
    let total = length
    if (length === 15) {
      let byte = 255
      while (byte === 255) {
        if (from >= input.length) return -1
        byte = input[from++]!
        total += byte
      }
    }
    return total
  }
  while (from < input.length) {
    const token = input[from++]!
    const literals = extended(token >> 4)
    if (literals < 0 || from + literals > input.length || to + literals > output.length) return -1
    output.set(input.subarray(from, from + literals), to)
    from += literals
    to += literals
    if (from === input.length) return to
    if (from + 2 > input.length) return -1
    const offset = input[from]! | (input[from + 1]! << 8)
    from += 2
    const match = extended(token & 15)
    if (match < 0 || offset === 0 || offset > to || to + match + 4 > output.length) return -1
    // Byte by byte: source and target may overlap, which is how runs are written.
    for (let i = 0; i < match + 4; i++, to++) output[to] = output[to - offset]!
  }
  return to
}
