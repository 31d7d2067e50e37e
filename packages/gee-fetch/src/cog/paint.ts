import { PIXEL_STATE } from '../pixel-state.ts'
import type { CogSource } from './cog-source.ts'

/** Whether every pixel is filled, so that no further sheet is needed. */
export function isFull(pixels: Buffer): boolean {
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i] === PIXEL_STATE.masked) return false
  return true
}

function isValid(valid: readonly Uint8Array[], i: number): boolean {
  for (let k = 0; k < valid.length; k++) if (valid[k]![i] !== 1) return false
  return true
}

/** Fills the pixels that no earlier sheet has filled. Stretched like Earth Engine's visualize: 256 steps, clamped to bytes. */
export function paint(
  { range: [black, white], cloudMask }: CogSource,
  values: readonly Float32Array[],
  valid: readonly Uint8Array[],
  marks: Float32Array | null,
  pixels: Buffer,
): void {
  const cloudy = new Set(cloudMask?.values)
  const shown = (value: number) =>
    Math.max(0, Math.min(255, Math.floor(256 * Math.max(0, (value - black) / (white - black)))))
  const [red, green, blue] = values as [Float32Array, Float32Array, Float32Array]
  for (let i = 0; i < red.length; i++) {
    if (pixels[4 * i + 3] !== PIXEL_STATE.masked || !isValid(valid, i)) continue
    pixels[4 * i] = shown(red[i]!)
    pixels[4 * i + 1] = shown(green[i]!)
    pixels[4 * i + 2] = shown(blue[i]!)
    const isBlack = red[i] === 0 && green[i] === 0 && blue[i] === 0
    pixels[4 * i + 3] =
      marks !== null && cloudy.has(marks[i]!) ? PIXEL_STATE.cloudy : isBlack ? PIXEL_STATE.black : PIXEL_STATE.clear
  }
}
