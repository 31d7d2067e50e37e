import sharp from 'sharp'

/** Artificial fields and texture that cost a decoder as much as aerial imagery: a JPEG of `side` pixels a side. */
export async function pictureOf(i: number, side: number): Promise<Buffer> {
  const pixels = Buffer.alloc(side * side * 3)
  for (let at = 0; at < pixels.length; at += 3) {
    const [x, y] = [(at / 3) % side, Math.floor(at / 3 / side)]
    const field = ((Math.floor(x / 37) * 7 + Math.floor(y / 23) * 13 + i) % 5) * 18
    const texture = ((x * 2654435761 + y * 40503) >>> 7) % 23
    for (const [channel, base] of [96, 112, 80].entries()) pixels[at + channel] = base + field + texture
  }
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality: 82 })
    .toBuffer()
}
