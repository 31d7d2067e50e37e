import type { Box } from '@skyscript/core'
import type { PixelGrid } from '../band.ts'
import type { Scene } from '../catalogue/scene.ts'
import { mix } from '../hash.ts'
import { addEdge, coverageBuffer, flush } from './coverage.ts'
import { type FeatureStore, UNITS_PER_DEGREE } from './feature-store.ts'
import { patchesOf, type Window } from './lattice.ts'
import type { Painter, Picture } from './painter.ts'

export function createPainter(features: FeatureStore): Painter {
  return {
    paint(scene: Scene, grid: PixelGrid): Picture {
      const size = grid.width * grid.height
      const picture = {
        red: new Float32Array(size),
        green: new Float32Array(size),
        blue: new Float32Array(size),
        infrared: new Float32Array(size),
        clouds: null,
        shadows: null,
        valid: null,
      }
      for (const patch of patchesOf(scene.gsd, grid)) {
        const { window } = patch
        const canvas = paintWindow(features, window)
        for (let y = patch.from; y < patch.to; y++) {
          for (let x = 0; x < grid.width; x++) {
            const from = (patch.rows[y - patch.from]! * window.width + patch.columns[x]!) * 3
            const to = y * grid.width + x
            picture.red[to] = canvas[from]!
            picture.green[to] = canvas[from + 1]!
            picture.blue[to] = canvas[from + 2]!
          }
        }
      }
      return picture
    },
  }
}

function paintWindow(features: FeatureStore, window: Window): Float32Array {
  const canvas = new Float32Array(window.width * window.height * 3).fill(110)
  const buffer = coverageBuffer(window.width, window.height)
  const box: Box = [
    window.left * window.degreesX,
    90 - (window.top + window.height) * window.degreesY,
    (window.left + window.width) * window.degreesX,
    90 - window.top * window.degreesY,
  ]
  const scaleX = 256 / (window.degreesX * UNITS_PER_DEGREE)
  const scaleY = 256 / (window.degreesY * UNITS_PER_DEGREE)
  const { positions, pointStart, lineStart } = features
  for (const feature of features.find(box)) {
    if (features.styles[features.style[feature]!]!.shape !== 'area') continue
    for (let line = lineStart[feature]!; line < lineStart[feature + 1]!; line++) {
      let [px, py] = [0, 0]
      for (let i = pointStart[line]!; i < pointStart[line + 1]!; i++) {
        const x = Math.round(positions[2 * i]! * scaleX) - window.left * 256
        const y = Math.round((90 * UNITS_PER_DEGREE - positions[2 * i + 1]!) * scaleY) - window.top * 256
        if (i > pointStart[line]!) addEdge(buffer, px, py, x, y)
        ;[px, py] = [x, y]
      }
    }
    const h = mix(7, features.style[feature]!)
    flush(buffer, (y, from, to) => {
      for (let x = from; x < to; x++) {
        const c = buffer.row[x]!
        const at = (y * window.width + x) * 3
        for (let k = 0; k < 3; k++) canvas[at + k]! += (((h >>> (8 * k)) & 255) - canvas[at + k]!) * c
      }
    })
  }
  return canvas
}
