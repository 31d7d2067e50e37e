import { type Band, band, type Plane, TYPES, unionType } from './band.ts'
import type { ImageValue } from './values.ts'

/** Images over each other, the last on top; its masked pixels show the one below. Bands are those of the first image. */
export function mosaic(images: readonly ImageValue[]): ImageValue {
  const [base] = images
  const bands = (base?.bands ?? []).map(({ name, gsd }): Band => {
    const layers = images.flatMap((image) => image.bands.find((each) => each.name === name) ?? [])
    const type = layers.map((layer) => layer.type).reduce(unionType, layers[0]?.type ?? TYPES.float)
    return band(name, type, gsd, (grid): Plane => {
      const size = grid.width * grid.height
      const values = new Float32Array(size)
      const mask = new Float32Array(size)
      let missing = size
      for (const layer of layers.toReversed()) {
        if (missing === 0) break
        const plane = layer.plane(grid)
        for (let i = 0; i < size; i++) {
          if (mask[i] !== 0) continue
          const valid = plane.mask === null ? 1 : plane.mask[i]!
          if (valid === 0) continue
          values[i] = plane.values[i]!
          mask[i] = valid
          missing--
        }
      }
      return { values, mask: missing === 0 ? null : mask }
    })
  })
  return { kind: 'image', id: null, bands, properties: new Map() }
}
