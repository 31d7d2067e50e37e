/** Everything on the ground of a window, layer by layer. */
import type { Box } from '@skyscript/core'
import { addBuildingShadow, type Building, isSpeck, paintRoof, paintSpeckBuilding } from './buildings.ts'
import { addRing, type Canvas, paint, paintAll, paintShadow, paintSpeck, pathsOf } from './canvas.ts'
import { type FeatureStore, UNITS_PER_DEGREE } from './feature-store.ts'
import { frameOf } from './frame.ts'
import { groundShader, openGround } from './ground.ts'
import { paintLine } from './lines.ts'
import { grownBox, reachOf } from './reach.ts'
import type { Way } from './recipes.ts'
import { paintBridgeShadow, paintRailway, paintRoad, paintRoadEdges, paintRunway } from './roads.ts'
import { seaPainter } from './sea.ts'
import { paintSpot, type RoadBeside } from './spots.ts'
import { segmentsInView } from './strokes.ts'
import { LAYERS, type Style } from './styles/style.ts'
import { isWater, waterShader } from './water.ts'

/** Areas smaller than this many pixels become a speck. */
const SPECK_PIXELS = 0.5
/** Lines thinner than this share of a pixel don't show. */
const THINNEST = 0.07
/** From here on, lines of one style are painted at once: their own differences no longer show. */
const BATCH_GSD = 2
const SHADOW_DEPTH = 0.5
/** From here on shadows of houses are part of the speck. */
const SHADOW_GSD = 6
/** A node counts as on a road within this distance, in metres. */
const ON_ROAD = 3

/** Makes the painter of the ground: of all that features show in the box of a canvas. */
export function landPainter(features: FeatureStore): (canvas: Canvas, box: Box) => void {
  const paintSea = seaPainter(features)
  const styleAt = (feature: number): Style => features.styles[features.style[feature]!]!

  return (canvas, box) => {
    paintAll(canvas, openGround(canvas))
    paintSea(canvas)
    // What is thinner than a pixel is drawn a pixel wide.
    const found = features.find(grownBox(box, 2 * canvas.gsd))
    for (let from = 0; from < found.length; ) {
      const { layer } = styleAt(found[from]!)
      let to = from + 1
      while (to < found.length && styleAt(found[to]!).layer === layer) to++
      paintLayer(canvas, layer, found.subarray(from, to))
      from = to
    }
  }

  function paintLayer(canvas: Canvas, layer: number, found: Uint32Array): void {
    if (layer === LAYERS.road || layer === LAYERS.bridge || layer === LAYERS.path) return paintWays(canvas, found)
    if (layer === LAYERS.building) return paintBuildings(canvas, found)
    if (layer === LAYERS.structure || layer === LAYERS.tree) castShadows(canvas, found)
    for (const feature of found) paintFeature(canvas, feature)
  }

  function paintFeature(canvas: Canvas, feature: number): void {
    const style = styleAt(feature)
    if (style.shape === 'area') return paintArea(canvas, feature, style)
    if (style.shape === 'point') return paintPoint(canvas, feature, style)
    for (const way of waysOf(canvas, feature, style)) {
      if (style.look === 'railway') paintRailway(canvas, way)
      else if (style.look === 'runway' || style.look === 'taxiway') paintRunway(canvas, way)
      else paintLine(canvas, way)
    }
  }

  function paintArea(canvas: Canvas, feature: number, { look }: Style): void {
    const { gsd } = canvas
    const [seed, area] = [features.seed[feature]!, features.area[feature]!]
    const paths = pathsOf(features, feature, canvas.window)
    const shader = isWater(look)
      ? waterShader(look, seed, canvas)
      : groundShader(AREA_LOOKS[look] ?? look, seed, frameOf(paths), canvas)
    if (area < SPECK_PIXELS * gsd * gsd) {
      const [x, y] = [paths[0]![0]!, paths[0]![1]!]
      shader(speck, x, y, 0, 0)
      return paintSpeck(canvas, x, y, area / (gsd * gsd), speck)
    }
    for (const path of paths) addRing(canvas, path)
    paint(canvas, shader)
  }

  function paintPoint(canvas: Canvas, feature: number, style: Style): void {
    if (style.width < canvas.gsd * 0.2) return
    const [x, y] = pathsOf(features, feature, canvas.window)[0]! as unknown as [number, number]
    const road = style.look === 'zebra' || style.look === 'shelter' ? roadAt(canvas, feature, x, y) : null
    paintSpot(canvas, { style, seed: features.seed[feature]!, x, y, road })
  }

  /** The road that a node is on. */
  function roadAt(canvas: Canvas, feature: number, x: number, y: number): RoadBeside | null {
    const at = features.pointStart[features.lineStart[feature]!]! * 2
    const [longitude, latitude] = [at, at + 1].map((i) => features.positions[i]! / UNITS_PER_DEGREE) as [number, number]
    let nearest: RoadBeside | null = null
    let least = ON_ROAD
    for (const other of features.find(grownBox([longitude, latitude, longitude, latitude], ON_ROAD))) {
      const { layer, width, shape } = styleAt(other)
      if ((layer !== LAYERS.road && layer !== LAYERS.bridge) || shape !== 'line') continue
      for (const path of pathsOf(features, other, canvas.window)) {
        for (let i = 2; i < path.length; i += 2) {
          const [x0, y0] = [path[i - 2]!, path[i - 1]!]
          const [dx, dy] = [path[i]! - x0, path[i + 1]! - y0]
          const length = Math.hypot(dx, dy)
          if (length === 0) continue
          const along = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / (length * length)))
          const distance = Math.hypot(x - x0 - dx * along, y - y0 - dy * along)
          if (distance >= least) continue
          least = distance
          nearest = { direction: [dx / length, dy / length], width }
        }
      }
    }
    return nearest
  }

  function waysOf(canvas: Canvas, feature: number, style: Style): Way[] {
    if (style.width < canvas.gsd * THINNEST && style.look !== 'wires') return []
    return pathsOf(features, feature, canvas.window).flatMap((path) => {
      const segments = segmentsInView(canvas, path, reachOf(style) + canvas.gsd)
      return segments.length === 0 ? [] : [{ style, seed: features.seed[feature]!, segments }]
    })
  }

  function paintWays(canvas: Canvas, found: Uint32Array): void {
    const ways: Way[] = []
    for (const feature of found) {
      const style = styleAt(feature)
      if (style.shape === 'line') ways.push(...waysOf(canvas, feature, style))
      else paintFeature(canvas, feature)
    }
    const painted = canvas.gsd >= BATCH_GSD ? batched(ways) : ways
    const isPlain = (way: Way) => way.style.height === 0 || canvas.gsd > SHADOW_GSD
    for (const way of painted) if (isPlain(way)) paintRoadEdges(canvas, way)
    for (const way of painted) {
      if (!isPlain(way)) paintBridgeShadow(canvas, way)
      if (way.style.look === 'railway') paintRailway(canvas, way)
      else if (way.style.look === 'monorail') paintLine(canvas, way)
      else paintRoad(canvas, way)
    }
  }

  function paintBuildings(canvas: Canvas, found: Uint32Array): void {
    const drawn: Building[] = []
    for (const feature of found) {
      const paths = pathsOf(features, feature, canvas.window)
      const building = { style: styleAt(feature), seed: features.seed[feature]!, area: features.area[feature]!, paths }
      if (isSpeck(building.area, canvas.gsd)) paintSpeckBuilding(canvas, building)
      else drawn.push(building)
    }
    if (canvas.gsd < SHADOW_GSD) {
      for (const building of drawn) addBuildingShadow(canvas, building)
      paintShadow(canvas, SHADOW_DEPTH)
    }
    for (const building of drawn) paintRoof(canvas, building)
  }

  /** Shadows of areas that stand up but are no buildings. */
  function castShadows(canvas: Canvas, found: Uint32Array): void {
    if (canvas.gsd >= SHADOW_GSD) return
    for (const feature of found) {
      const style = styleAt(feature)
      if (style.shape !== 'area' || style.height === 0) continue
      const paths = pathsOf(features, feature, canvas.window)
      addBuildingShadow(canvas, { style, area: features.area[feature]!, paths })
    }
    paintShadow(canvas, SHADOW_DEPTH)
  }
}

const speck = new Float32Array(5)

/** Looks of areas that are made of another material. */
const AREA_LOOKS: Readonly<Record<string, string>> = {
  'tree-group': 'broad-wood',
  bleachers: 'concrete',
  dam: 'concrete',
  'tower-base': 'concrete',
  tank: 'concrete',
}

/** Ways of one style as one; the order of styles is that of their sizes and names. */
function batched(ways: readonly Way[]): Way[] {
  const groups = new Map<Style, { style: Style; seed: number; segments: Way['segments'][number][] }>()
  for (const { style, segments } of ways) {
    const group = groups.get(style)
    if (group) group.segments.push(...segments)
    else groups.set(style, { style, seed: style.width * 1000, segments: [...segments] })
  }
  return [...groups.values()].sort(
    ({ style: a }, { style: b }) =>
      a.width - b.width || a.height - b.height || compareText(a.look, b.look) || compareText(a.detail, b.detail),
  )
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
