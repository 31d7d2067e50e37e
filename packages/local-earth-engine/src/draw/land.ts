import type { Box } from '@skyscript/core'
import { addBuildingShadow, type Building, isSpeck, paintRoof, paintSpeckBuilding } from './buildings.ts'
import { addRing, type Canvas, paint, paintAll, paintShadow, paintSpeck, pathsOf } from './canvas.ts'
import { type FeatureStore, UNITS_PER_DEGREE } from './feature-store.ts'
import { frameOf } from './frame.ts'
import { groundShader, openGround } from './ground.ts'
import { paintLine } from './lines.ts'
import { grownBox, reachOf } from './reach.ts'
import { paintBridgeShadow, paintRailway, paintRoad, paintRoadEdges, paintRunway, type Way } from './roads.ts'
import { seaPainter } from './sea.ts'
import { segmentsInView } from './strokes.ts'
import { LAYERS, type Style } from './style.ts'
import { paintSpot } from './symbols.ts'
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

type PaintLand = (canvas: Canvas, box: Box) => void

/** Paints everything on the ground of a window. */
export function landPainter(features: FeatureStore): PaintLand {
  const paintSea = seaPainter(features)
  const styleAt = (feature: number): Style => features.styles[features.style[feature]!]!

  return (canvas, box) => {
    paintAll(canvas, openGround(canvas.light, canvas.gsd))
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
    switch (layer) {
      case LAYERS.road:
      case LAYERS.bridge:
      case LAYERS.path:
        return paintWays(canvas, found)
      case LAYERS.building:
        return paintBuildings(canvas, found)
      default:
        if (layer === LAYERS.structure || layer === LAYERS.tree) castShadows(canvas, found)
        for (const feature of found) paintFeature(canvas, feature)
    }
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
    const { gsd, light } = canvas
    const [seed, area] = [features.seed[feature]!, features.area[feature]!]
    const paths = pathsOf(features, feature, canvas.window)
    const shader = isWater(look)
      ? waterShader(look, seed, light, gsd)
      : groundShader(AREA_LOOKS[look] ?? look, seed, frameOf(paths), light, gsd)
    if (area < SPECK_PIXELS * gsd * gsd) {
      const [x, y] = [paths[0]![0]!, paths[0]![1]!]
      shader(speck, x, y, 0, 0)
      return paintSpeck(canvas, x, y, area / (gsd * gsd), speck[0]!, speck[1]!, speck[2]!, speck[3]!)
    }
    for (const path of paths) addRing(canvas, path)
    paint(canvas, shader)
  }

  function paintPoint(canvas: Canvas, feature: number, style: Style): void {
    if (style.width < canvas.gsd * 0.2) return
    const [x, y] = pathsOf(features, feature, canvas.window)[0]!
    const beside = style.look === 'zebra' || style.look === 'shelter' ? roadAt(canvas, feature, x!, y!) : null
    paintSpot(canvas, { style, seed: features.seed[feature]!, x: x!, y: y!, road: beside })
  }

  /** The road that a node lies on. */
  function roadAt(
    canvas: Canvas,
    feature: number,
    x: number,
    y: number,
  ): { ux: number; uy: number; width: number } | null {
    const at = features.pointStart[features.lineStart[feature]!]! * 2
    const [longitude, latitude] = [
      features.positions[at]! / UNITS_PER_DEGREE,
      features.positions[at + 1]! / UNITS_PER_DEGREE,
    ]
    let nearest: { ux: number; uy: number; width: number } | null = null
    let least = 3
    for (const other of features.find(grownBox([longitude, latitude, longitude, latitude], 3))) {
      const { layer, width } = styleAt(other)
      if (layer !== LAYERS.road && layer !== LAYERS.bridge) continue
      if (styleAt(other).shape !== 'line') continue
      for (const path of pathsOf(features, other, canvas.window)) {
        for (let i = 2; i < path.length; i += 2) {
          const [dx, dy] = [path[i]! - path[i - 2]!, path[i + 1]! - path[i - 1]!]
          const length = Math.hypot(dx, dy)
          if (length === 0) continue
          const along = Math.max(
            0,
            Math.min(1, ((x - path[i - 2]!) * dx + (y - path[i - 1]!) * dy) / (length * length)),
          )
          const distance = Math.hypot(x - path[i - 2]! - dx * along, y - path[i - 1]! - dy * along)
          if (distance < least) {
            least = distance
            nearest = { ux: dx / length, uy: dy / length, width }
          }
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
    const { gsd } = canvas
    const drawn: Building[] = []
    for (const feature of found) {
      const [area, style] = [features.area[feature]!, styleAt(feature)]
      const building = { style, seed: features.seed[feature]!, area, paths: pathsOf(features, feature, canvas.window) }
      if (isSpeck(area, gsd)) paintSpeckBuilding(canvas, building)
      else drawn.push(building)
    }
    if (gsd < SHADOW_GSD) {
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
      addBuildingShadow(canvas, {
        style,
        seed: 0,
        area: features.area[feature]!,
        paths: pathsOf(features, feature, canvas.window),
      })
    }
    paintShadow(canvas, SHADOW_DEPTH)
  }
}

const speck = new Float32Array(5)

/** Looks of areas that are made of another material. */
const AREA_LOOKS: Readonly<Record<string, string>> = {
  'tree-group': 'broad-wood',
  clearing: 'clearing',
  bleachers: 'concrete',
  dam: 'concrete',
  'tower-base': 'concrete',
  tank: 'concrete',
}

/** Ways of one style as one; the order of styles is that of their first ways in painting order. */
function batched(ways: readonly Way[]): Way[] {
  const groups = new Map<Style, Way>()
  for (const { style, segments } of ways) {
    const group = groups.get(style)
    if (group) (group.segments as Way['segments'][number][]).push(...segments)
    else groups.set(style, { style, seed: style.width * 1000, segments: [...segments] })
  }
  return [...groups.values()].sort(
    (a, b) =>
      a.style.width - b.style.width ||
      a.style.height - b.style.height ||
      compareText(a.style.look, b.style.look) ||
      compareText(a.style.detail, b.style.detail),
  )
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
