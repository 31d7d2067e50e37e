import type { Box } from '@skyscript/core'
import { createCanvas } from './canvas.ts'
import { type Features, openFeatures } from './feature-store.ts'
import { footprintMask } from './footprint.ts'
import { landPainter } from './land.ts'
import { BELTS_PER_DEGREE, type Patch, patchesOf, type Window } from './lattice.ts'
import { lightOf } from './light.ts'
import type { Painter, Picture, PixelGrid, Scene } from './scene.ts'
import { expose } from './sensor.ts'

/** Draws scenes from features: the land is painted on native pixels, then seen through the scene's sky and sensor. */
export function createPainter(features: Features): Painter {
  const paintLand = landPainter(openFeatures(features))
  return {
    paint(scene: Scene, grid: PixelGrid): Picture {
      const size = grid.width * grid.height
      const picture = {
        red: new Float32Array(size),
        green: new Float32Array(size),
        blue: new Float32Array(size),
        infrared: new Float32Array(size),
        clouds: scene.clouds > 0 ? new Float32Array(size) : null,
        shadows: scene.clouds > 0 ? new Float32Array(size) : null,
        valid: footprintMask(scene, grid),
      }
      if (picture.valid?.every((value) => value === 0)) return picture
      for (const patch of patchesOf(scene.gsd, grid)) {
        const canvas = createCanvas(patch.window, lightOf(scene, (patch.window.belt + 0.5) / BELTS_PER_DEGREE))
        paintLand(canvas, boxOfWindow(patch.window))
        const sky = expose(scene, canvas)
        sample(canvas.red, picture.red, patch, grid.width)
        sample(canvas.green, picture.green, patch, grid.width)
        sample(canvas.blue, picture.blue, patch, grid.width)
        sample(canvas.infrared, picture.infrared, patch, grid.width)
        if (sky && picture.clouds) sample(sky.clouds, picture.clouds, patch, grid.width)
        if (sky && picture.shadows) sample(sky.shadows, picture.shadows, patch, grid.width)
      }
      return picture
    },
  }
}

/** Nearest native pixels onto the grid. */
function sample(
  from: Float32Array,
  to: Float32Array,
  { window, columns, rows, from: first, to: end }: Patch,
  gridWidth: number,
): void {
  for (let y = first; y < end; y++) {
    const source = rows[y - first]! * window.width
    const target = y * gridWidth
    for (let x = 0; x < gridWidth; x++) to[target + x] = from[source + columns[x]!]!
  }
}

function boxOfWindow({ left, top, width, height, degreesX, degreesY }: Window): Box {
  return [left * degreesX, 90 - (top + height) * degreesY, (left + width) * degreesX, 90 - top * degreesY]
}
