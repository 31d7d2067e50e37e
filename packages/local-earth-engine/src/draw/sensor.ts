import type { Canvas } from './canvas.ts'
import { fraction, fraction2, hashText } from './hash.ts'
import { grain, mottle } from './noise.ts'
import type { Scene } from './scene.ts'
import { type Sky, skyOf } from './sky.ts'

/** Colour of haze and of clouds, and of what light is left under a cloud. */
const HAZE = [188, 200, 214] as const
const CLOUD = 268
const UNDER_CLOUD = 0.48
/** Flight strips that a mosaic is put together from, in metres. */
const STRIP = { width: 3400, height: 2100 }

/** Turns the painted ground into what the scene's instrument recorded. Changes the canvas in place. */
export function expose(scene: Scene, canvas: Canvas): Sky | null {
  const { sensor } = scene.source
  const seed = hashText(`${scene.source.id}/${scene.index}`)
  const sky = skyOf(scene, canvas)
  const haze = sensor.haze * (0.5 + fraction(seed, 11))
  const exposure = 0.95 + 0.1 * fraction(seed, 12)
  const warmth = (fraction(seed, 13) - 0.5) * 0.05
  const gains = [
    sensor.cast[0] * exposure * (1 + warmth),
    sensor.cast[1] * exposure,
    sensor.cast[2] * exposure * (1 - warmth),
  ]
  const seams = scene.source.aerial
  const { width, height, window, pixelX, gsd, red, green, blue, infrared } = canvas
  const { noise, contrast } = sensor
  const shift = seed & 0xffff
  const lifted = 112 * (1 - contrast)
  // Haze and contrast as one factor and one offset for each band.
  const factors = gains.map((gain) => gain * contrast * (1 - haze))
  const offsets = gains.map((gain, band) => gain * lifted * (1 - haze) + HAZE[band]! * haze)
  const [redFactor, greenFactor, blueFactor] = factors as [number, number, number]
  const [redOffset, greenOffset, blueOffset] = offsets as [number, number, number]
  for (let y = 0, i = 0; y < height; y++) {
    const metresY = (window.top + y + 0.5) * gsd
    const row = window.top + y + shift
    for (let x = 0; x < width; x++, i++) {
      const strip = seams ? stripTone(seed, (window.left + x + 0.5) * pixelX, metresY) : 0
      const dark = sky ? 1 - (1 - UNDER_CLOUD) * sky.shadows[i]! : 1
      const tone = dark * (1 + strip)
      const cloud = sky ? sky.clouds[i]! : 0
      const clear = 1 - cloud
      const white = CLOUD * cloud
      const column = window.left + x + shift
      red[i] = (red[i]! * redFactor * tone + redOffset) * clear + white + noise * grain(column, row)
      green[i] = (green[i]! * greenFactor * tone + greenOffset) * clear + white + noise * grain(column + 131, row)
      blue[i] =
        (blue[i]! * blueFactor * dark * (1 + 0.6 * strip) + blueOffset) * clear +
        white +
        noise * grain(column + 262, row)
      infrared[i] = infrared[i]! * dark * clear + white + noise * grain(column + 393, row)
    }
  }
  return sky
}

/** How much brighter or darker a mosaic's strip is; strips meet along ragged lines. */
function stripTone(seed: number, x: number, y: number): number {
  const ragged = 90 * mottle(x, y, 1 / 400)
  const [column, row] = [Math.floor((x + ragged) / STRIP.width), Math.floor((y - ragged) / STRIP.height)]
  if (column !== lastColumn || row !== lastRow || seed !== lastSeed) {
    lastTone = (fraction2(seed, column, row) - 0.5) * 0.09
    lastColumn = column
    lastRow = row
    lastSeed = seed
  }
  return lastTone
}
// Neighbouring pixels nearly always lie in the same strip.
let [lastColumn, lastRow, lastSeed, lastTone] = [Number.NaN, 0, 0, 0]
