import type { Dice } from './dice.ts'

/** Metres east and north of the town's centre, on the plan (before the plan is bent and turned onto the map). */
export type Point = readonly [x: number, y: number]

/** An open list of corners, counter-clockwise. */
export type Ring = readonly Point[]

/** A rectangle with its sides in metres, turned counter-clockwise by `turn` radians. */
export function rectangle([x, y]: Point, width: number, height: number, turn = 0): Ring {
  const corners: Point[] = [
    [-width / 2, -height / 2],
    [width / 2, -height / 2],
    [width / 2, height / 2],
    [-width / 2, height / 2],
  ]
  return place(corners, [x, y], turn)
}

/** An L: a rectangle without its upper right quarter. */
export function elbow(at: Point, width: number, height: number, turn = 0): Ring {
  const [w, h] = [width / 2, height / 2]
  const corners: Point[] = [
    [-w, -h],
    [w, -h],
    [w, -h * 0.1],
    [w * 0.1, -h * 0.1],
    [w * 0.1, h],
    [-w, h],
  ]
  return place(corners, at, turn)
}

/** A cross, as churches are built: the nave along x, the transept across. */
export function cross(at: Point, length: number, width: number, turn = 0): Ring {
  const [l, w] = [length / 2, width / 2]
  const corners: Point[] = [
    [-l, -w / 2],
    [l * 0.1, -w / 2],
    [l * 0.1, -w],
    [l * 0.5, -w],
    [l * 0.5, -w / 2],
    [l, -w / 2],
    [l, w / 2],
    [l * 0.5, w / 2],
    [l * 0.5, w],
    [l * 0.1, w],
    [l * 0.1, w / 2],
    [-l, w / 2],
  ]
  return place(corners, at, turn)
}

export function ellipse([x, y]: Point, radiusX: number, radiusY: number, corners = 16, turn = 0): Ring {
  const ring = Array.from({ length: corners }, (_, index): Point => {
    const angle = (2 * Math.PI * index) / corners
    return [radiusX * Math.cos(angle), radiusY * Math.sin(angle)]
  })
  return place(ring, [x, y], turn)
}

/** An uneven round shape, as woods and lakes have: an ellipse whose radius wanders by up to `unevenness` of itself. */
export function blob(
  dice: Dice,
  [x, y]: Point,
  radiusX: number,
  radiusY: number,
  unevenness = 0.18,
  corners = 24,
): Ring {
  const waves = [2, 3, 5].map((count) => ({
    count,
    phase: dice.between(0, 2 * Math.PI),
    size: dice.between(0.3, 1) / count,
  }))
  const largest = waves.reduce((sum, { size }) => sum + size, 0)
  return Array.from({ length: corners }, (_, index): Point => {
    const angle = (2 * Math.PI * index) / corners
    const wander =
      waves.reduce((sum, { count, phase, size }) => sum + size * Math.sin(count * angle + phase), 0) / largest
    const radius = 1 + unevenness * (wander + dice.between(-0.25, 0.25))
    return [x + radiusX * radius * Math.cos(angle), y + radiusY * radius * Math.sin(angle)]
  })
}

/** The rectangle between two corners, with its corners moved by up to `jitter` metres: a parcel of land. */
export function parcel(dice: Dice, west: number, south: number, east: number, north: number, jitter: number): Ring {
  const move = () => dice.between(-jitter, jitter)
  const corners: Point[] = [
    [west + move(), south + move()],
    [east + move(), south + move()],
    [east + move(), north + move()],
    [west + move(), north + move()],
  ]
  return corners
}

/** A band of constant width along a line, such as a river's water. */
export function band(line: readonly Point[], width: number): Ring {
  const sides = line.map(([x, y], index): [Point, Point] => {
    const before = line[Math.max(0, index - 1)]!
    const after = line[Math.min(line.length - 1, index + 1)]!
    const [dx, dy] = [after[0] - before[0], after[1] - before[1]]
    const length = Math.hypot(dx, dy)
    const [nx, ny] = [(-dy / length) * (width / 2), (dx / length) * (width / 2)]
    return [
      [x + nx, y + ny],
      [x - nx, y - ny],
    ]
  })
  return [...sides.map(([, right]) => right), ...sides.map(([left]) => left).reverse()]
}

/** Points from one to the other, `step` metres apart or a little less, both ends included. */
export function along([x0, y0]: Point, [x1, y1]: Point, step: number): Point[] {
  const pieces = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / step))
  return Array.from({ length: pieces + 1 }, (_, index): Point => {
    const share = index / pieces
    return [x0 + (x1 - x0) * share, y0 + (y1 - y0) * share]
  })
}

export const closed = (ring: Ring): Point[] => [...ring, ring[0]!]

function place(corners: readonly Point[], [x, y]: Point, turn: number): Ring {
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
  return corners.map(([cx, cy]): Point => [x + cx * cos - cy * sin, y + cx * sin + cy * cos])
}
