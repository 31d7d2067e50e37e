/**
 * The pixels of one part of a larger image, as a copy.
 *
 * @param pixels red, green, blue, state: one byte each, pixel after pixel, row after row
 * @returns `width` x `height` x 4 bytes in the same layout, starting at (x, y) from the north-west
 */
export function cutOut(
  pixels: Uint8Array,
  gridWidth: number,
  { x, y }: { readonly x: number; readonly y: number },
  { width, height }: { readonly width: number; readonly height: number },
): Buffer {
  const from = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.length)
  const part = Buffer.allocUnsafeSlow(width * height * 4)
  for (let line = 0; line < height; line++) {
    const start = ((y + line) * gridWidth + x) * 4
    from.copy(part, line * width * 4, start, start + width * 4)
  }
  return part
}

/**
 * Only red, green and blue: an encoder is 25 % faster on three bytes per pixel than when it has to skip the fourth.
 * Copies four pixels at a time as 32-bit integers; assumes a little-endian processor, like all that Node supports.
 *
 * @param part the result of `cutOut`
 */
export function coloursOf(part: Buffer): Buffer {
  const count = part.length / 4
  const colours = Buffer.allocUnsafeSlow(count * 3)
  const fours = count >> 2
  const from = new Uint32Array(part.buffer, part.byteOffset, fours * 4)
  const to = new Uint32Array(colours.buffer, colours.byteOffset, fours * 3)
  for (let i = 0, j = 0; j < to.length; i += 4, j += 3) {
    const b = from[i + 1]!
    const c = from[i + 2]!
    to[j] = (from[i]! & 0xffffff) | (b << 24)
    to[j + 1] = ((b >>> 8) & 0xffff) | (c << 16)
    to[j + 2] = ((c >>> 16) & 0xff) | (from[i + 3]! << 8)
  }
  for (let pixel = fours * 4; pixel < count; pixel++) part.copy(colours, pixel * 3, pixel * 4, pixel * 4 + 3)
  return colours
}
