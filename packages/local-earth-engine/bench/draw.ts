/**
 * Images that one thread draws in a second of processor time, at places of features all over a file.
 *
 *   npm start -- extract --all-tagged andorra.osm.pbf > andorra.geojsonl
 *   npm run bench:draw -- andorra.geojsonl [--sources ES,S2] [--pixels 400] [--images 60]
 */
import { parseArgs } from 'node:util'
import { METRES_PER_DEGREE_LATITUDE } from '@skyscript/core'
import { createCatalogue } from '../src/catalogue/catalogue.ts'
import { loadFeatures, UNITS_PER_DEGREE } from '../src/draw/feature-store.ts'
import { createPainter } from '../src/draw/scene-painter.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sources: { type: 'string', default: 'ES,S2' },
    pixels: { type: 'string', default: '400' },
    images: { type: 'string', default: '60' },
  },
})
const [side, images] = [Number(values.pixels), Number(values.images)]
const features = await loadFeatures(positionals)
const painter = createPainter(features)
const { sources } = createCatalogue({ brandenburg: 'image' })

for (const alias of values.sources.split(',')) {
  const source = sources.find((each) => each.alias === alias)
  if (!source) throw new Error(`No source ${alias}; use one of ${sources.map((each) => each.alias).join(', ')}.`)
  const step = source.gsd / METRES_PER_DEGREE_LATITUDE
  let drawn = 0
  const before = process.cpuUsage()
  for (let i = 0; i < images; i++) {
    const feature = (i * 7919) % features.count
    const at = features.pointStart[features.lineStart[feature]!]! * 2
    const [x, y] = [features.positions[at]! / UNITS_PER_DEGREE, features.positions[at + 1]! / UNITS_PER_DEGREE]
    const scene = [...source.scenes([x, y, x, y], source.start, source.end)].at(-1)
    if (!scene) continue
    const [west, north] = [x - (step * side) / 2, y + (step * side) / 2]
    painter.paint(scene, { width: side, height: side, top: 0, west, north, stepX: step, stepY: -step })
    drawn++
  }
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  const megapixels = (drawn * side * side) / 1e6
  process.stdout.write(
    `${alias}: ${drawn} images, ${(drawn / seconds).toFixed(1)} a second, ${(megapixels / seconds).toFixed(2)} megapixels a second\n`,
  )
}
