import type { Canvas } from './canvas.ts'
import { fraction, hashText } from './hash.ts'
import { mottle, mottleAbove } from './noise.ts'
import type { Scene } from './scene.ts'

/** Metres across the largest clouds. */
const CLOUD_METRES = 7000
/** How soft the rim of a cloud is, in the units of the noise it is cut from. */
const RIM = 0.11
const CLOUD_HEIGHT = 1400

export interface Sky {
  /** Opacity of clouds and darkness of their shadows, 0 to 1, per pixel of the window. */
  readonly clouds: Float32Array
  readonly shadows: Float32Array
}

/** Clouds that cover the scene's share of the sky, with their shadows; null where the sky is clear. */
export function skyOf(scene: Scene, canvas: Canvas): Sky | null {
  if (scene.clouds < 0.002) return null
  const seed = hashText(`${scene.source.id}/${scene.index}/sky`)
  const [shiftX, shiftY] = [fraction(seed, 1) * 1e5, fraction(seed, 2) * 1e5]
  // Half of the rim's opacity is outside the line that the share is measured at.
  const threshold = mottleAbove(scene.clouds)
  const { width, height, window, gsd, pixelX, light } = canvas
  const size = width * height
  const [clouds, shadows] = [new Float32Array(size), new Float32Array(size)]
  const [castX, castY] = [light.sunX * light.shadow * CLOUD_HEIGHT, light.sunY * light.shadow * CLOUD_HEIGHT]
  const density = (x: number, y: number) => {
    const value = mottle(x + shiftX, y + shiftY, 1 / CLOUD_METRES) - threshold
    const t = Math.max(0, Math.min(1, value / RIM + 0.5))
    return t * t * (3 - 2 * t)
  }
  let any = false
  for (let row = 0, i = 0; row < height; row++) {
    const y = (window.top + row + 0.5) * gsd
    for (let column = 0; column < width; column++, i++) {
      const x = (window.left + column + 0.5) * pixelX
      const cloud = density(x, y)
      clouds[i] = cloud
      const shadow = density(x + castX, y + castY)
      shadows[i] = shadow * (1 - cloud)
      if (cloud > 0 || shadow > 0) any = true
    }
  }
  return any ? { clouds, shadows } : null
}
