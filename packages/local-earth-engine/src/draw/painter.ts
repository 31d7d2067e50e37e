import type { PixelGrid } from '../band.ts'
import type { Scene } from '../catalogue/scene.ts'

/** What a scene shows on a grid, row-major. Colours and infrared are 0 to 255, more where it is brighter than white. */
export interface Picture {
  readonly red: Float32Array
  readonly green: Float32Array
  readonly blue: Float32Array
  readonly infrared: Float32Array
  /** Opacity of clouds and of their shadows, 0 to 1; null where the sky is clear. */
  readonly clouds: Float32Array | null
  readonly shadows: Float32Array | null
  /** 0 where the scene has no data; null where it has data everywhere. */
  readonly valid: Float32Array | null
}

export interface Painter {
  /** The same pixel of the Earth on the same scene always looks the same, whatever grid it is asked for on. */
  paint(scene: Scene, grid: PixelGrid): Picture
}
