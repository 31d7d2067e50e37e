/**
 * Cases where Pillow's RGB differs from libvips': CMYK JPEGs, which libvips converts with a colour profile, and 16-bit
 * grey PNGs, which Pillow clips to 8 bits. Reproduced bit for bit.
 */
export type PillowMode = 'CMYK' | 'I;16' | 'other'

/** The mode in which Pillow opens a JPEG or PNG, as far as it matters here. */
export function pillowMode(bytes: Uint8Array): PillowMode {
  if (bytes[0] === 0xff) return jpegComponents(bytes) === 4 ? 'CMYK' : 'other'
  const [depth, colourType] = [bytes[24], bytes[25]]
  return bytes[0] === 0x89 && depth === 16 && colourType === 0 ? 'I;16' : 'other'
}

/** Number of JPEG components from its frame header; null if none is found. */
function jpegComponents(bytes: Uint8Array): number | null {
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return null
    const marker = bytes[at + 1]!
    if (marker === 0xff) {
      at++
      continue
    }
    // SOF0 to SOF15; DHT, JPG and DAC in that range are not frames.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return bytes[at + 9]!
    at += 2 + bytes[at + 2]! * 256 + bytes[at + 3]!
  }
  return null
}

/** `cmyk2rgb` of Pillow's `src/libImaging/Convert.c`; both take a JPEG's CMYK to be inverted, as Adobe writes it. */
export function rgbOfCmyk(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3)
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    const light = 255 - cmyk[from + 3]!
    for (let channel = 0; channel < 3; channel++) {
      const product = cmyk[from + channel]! * light + 128
      rgb[to++] = light - (((product >> 8) + product) >> 8)
    }
  }
  return rgb
}

/**
 * 16-bit grey is clipped at 255, not scaled.
 *
 * @param samples `channels` per pixel, the first of them grey
 */
export function rgbOfGrey16(samples: Uint16Array, channels: number): Uint8Array {
  const rgb = new Uint8Array((samples.length / channels) * 3)
  for (let from = 0, to = 0; from < samples.length; from += channels, to += 3) {
    rgb.fill(Math.min(samples[from]!, 255), to, to + 3)
  }
  return rgb
}
