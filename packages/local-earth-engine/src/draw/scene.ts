/** What drawing is given and what it gives. */
import type { Position } from '@skyscript/core'

/**
 * The pixels asked for: rows `top` .. `top + height` of a grid whose row 0 starts at `north`. Pixel (column, row) is
 * centred on (west + (column + 0.5) stepX, north + (row + 0.5) stepY), in degrees; stepY is usually negative. Large
 * grids are drawn in strips of rows, each a grid of its own.
 */
export interface PixelGrid {
  readonly width: number
  readonly height: number
  readonly top: number
  readonly west: number
  readonly north: number
  readonly stepX: number
  readonly stepY: number
}

/** What an instrument and its processing do to a picture. */
export interface Sensor {
  /** Factors of red, green and blue. */
  readonly cast: readonly [number, number, number]
  /** Share of the light that is haze, on a usual day. */
  readonly haze: number
  /** Standard deviation of the noise, of 255. */
  readonly noise: number
  /** 1 leaves contrast as it is. */
  readonly contrast: number
}

/** One image to draw: where, when and how it was taken. */
export interface Scene {
  readonly source: {
    readonly id: string
    /** Flown in leaf and put together of strips. */
    readonly aerial: boolean
    readonly sensor: Sensor
  }
  /** `system:index`, the last part of the image's id. */
  readonly index: string
  /** Convex, closed, counter-clockwise. Outside of it there is no data. */
  readonly footprint: readonly Position[]
  /** Milliseconds since 1970 UTC; null where the source has no time. */
  readonly time: number | null
  /** Metres per native pixel. */
  readonly gsd: number
  /** Share of the scene under clouds, 0 to 1. */
  readonly clouds: number
  /** Whether a mosaic has no data at a place within its footprint. */
  isGap?(longitude: number, latitude: number): boolean
}

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

/** Draws scenes. */
export interface Painter {
  /** The same pixel of the Earth on the same scene always looks the same, whatever grid it is asked for on. */
  paint(scene: Scene, grid: PixelGrid): Picture
}
