import { fraction, fraction2, mix } from '../hash.ts'
import { mottle } from './noise.ts'
import { acrossOf, alongOf, blend, brighten, type PatternFactory, shown, stroke, toNearest } from './pattern-tools.ts'

/** Crops: colour, how strongly rows show, spacing of the rows. */
const CROPS = [
  { colour: [118, 140, 72, 200], rows: 7, spacing: 1.6 },
  { colour: [198, 178, 116, 150], rows: 6, spacing: 1.2 },
  { colour: [134, 108, 82, 100], rows: 10, spacing: 1.4 },
  { colour: [92, 122, 62, 190], rows: 9, spacing: 1.5 },
  { colour: [176, 160, 112, 130], rows: 8, spacing: 2.2 },
  { colour: [150, 160, 88, 190], rows: 6, spacing: 1.8 },
] as const
const RAPE = { colour: [206, 200, 74, 210], rows: 3, spacing: 1.5 } as const
const TRAMLINES = 21

const field: PatternFactory = ({ seed, frame, light, gsd, base }) => {
  // The crop changes from year to year, and so from scene to scene.
  const draw = fraction(mix(seed, light.seed), 4)
  const crop = light.ripeness < 0.25 && draw > 0.88 ? RAPE : CROPS[Math.floor(draw * CROPS.length)]!
  const wear = (1 - light.leaves) * 0.7
  const soil = [140, 120, 94, 105]
  for (let i = 0; i < 4; i++)
    base[i] = crop.colour[i]! + (soil[i]! - crop.colour[i]!) * wear + (fraction(seed, 5) - 0.5) * 14
  const strength = crop.rows * shown(crop.spacing, gsd)
  const tram = 15 * shown(2.4, gsd * 0.6)
  return (ink, x, y) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    brighten(
      ink,
      strength * Math.sin((across / crop.spacing) * 2 * Math.PI) + 5 * mottle(along * 0.25, across * 3, 1 / 30),
    )
    if (tram > 0) {
      const track = Math.max(
        stroke(toNearest(across, TRAMLINES) - 0.9, 0.3, gsd),
        stroke(toNearest(across, TRAMLINES) + 0.9, 0.3, gsd),
      )
      if (track > 0) brighten(ink, -tram * track)
    }
  }
}

const swaths =
  (period: number, strength: number): PatternFactory =>
  ({ frame, gsd }) => {
    const shownStrength = strength * shown(period, gsd)
    return (ink, x, y) => {
      const across = acrossOf(frame, x, y)
      const phase = across / period
      brighten(ink, Math.floor(phase) % 2 === 0 ? shownStrength : -shownStrength)
    }
  }

/** Trees planted in a square, as dark discs with their shadows. */
const planted =
  (spacing: number, radius: number, colour: readonly [number, number, number, number]): PatternFactory =>
  ({ frame, light, gsd, seed }) => {
    const leaves = 0.4 + 0.6 * light.leaves
    const shadowX = -light.sunX * light.shadow * radius * 1.1
    const shadowY = -light.sunY * light.shadow * radius * 1.1
    const disc = (x: number, y: number): [cover: number, facing: number] => {
      const along = alongOf(frame, x, y)
      const across = acrossOf(frame, x, y)
      const column = Math.round(along / spacing)
      const row = Math.round(across / spacing)
      if (fraction2(seed, column, row) < 0.05) return [0, 0]
      const own = radius * (0.75 + 0.4 * fraction2(seed + 1, column, row))
      const du = along - column * spacing
      const dv = across - row * spacing
      const distance = Math.hypot(du, dv)
      return [Math.max(0, Math.min(1, 0.5 + (own - distance) / gsd)), distance / own]
    }
    return (ink, x, y) => {
      const [shade] = disc(x - shadowX, y - shadowY)
      if (shade > 0) for (let i = 0; i < 4; i++) ink[i]! *= 1 - 0.4 * shade
      const [cover, out] = disc(x, y)
      if (cover === 0) return
      const along = alongOf(frame, x, y)
      const across = acrossOf(frame, x, y)
      const side =
        toNearest(along, spacing) * (frame.ux * light.sunX + frame.uy * light.sunY) +
        toNearest(across, spacing) * (frame.ux * light.sunY - frame.uy * light.sunX)
      const lit = 1.08 - 0.28 * out * out + (0.22 * side) / radius + 0.25 * mottle(x, y, 1 / 2.5)
      blend(ink, cover * (0.35 + 0.65 * leaves), colour[0] * lit, colour[1] * lit, colour[2] * lit, colour[3] * lit)
    }
  }

const vines: PatternFactory = ({ frame, light, gsd }) => {
  const spacing = 2.2
  const strength = Math.min(1, shown(spacing, gsd) + 0.25)
  const green = 0.45 + 0.55 * light.leaves
  return (ink, x, y) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    const gap = toNearest(across, spacing)
    const ragged = 0.55 + 0.2 * mottle(along * 2, across, 1 / 5)
    const row = gsd < spacing ? stroke(gap, ragged, gsd) : 0.4
    blend(ink, row * strength * green, 70, 98, 50, 185)
    if (gsd < 1) blend(ink, stroke(gap + 0.75, 0.25, gsd) * 0.35, 60, 60, 50, 60)
  }
}

const beds: PatternFactory = ({ frame, seed, gsd }) => {
  const colours = [
    [92, 122, 66, 180],
    [126, 142, 78, 185],
    [158, 136, 104, 130],
    [70, 98, 58, 165],
    [196, 196, 186, 150],
  ] as const
  return (ink, x, y) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    const bed = Math.floor(across / 5)
    const part = Math.floor(along / 24)
    const [red, green, blue, infrared] = colours[Math.floor(fraction2(seed, bed, part) * colours.length)]!
    const inside = Math.abs(toNearest(across - 2.5, 5)) < 2 && Math.abs(toNearest(along - 12, 24)) < 11
    if (!inside) return
    blend(ink, 0.8, red, green, blue, infrared)
    brighten(ink, 9 * shown(1, gsd) * Math.sin(across * 2 * Math.PI))
  }
}

const plots: PatternFactory = ({ frame, seed, gsd }) => {
  const colours = [
    [104, 136, 70, 180],
    [136, 112, 84, 110],
    [84, 112, 62, 180],
    [150, 144, 92, 150],
    [118, 150, 84, 185],
  ] as const
  const length = 18
  const width = 11
  return (ink, x, y) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    const column = Math.floor(along / length)
    const row = Math.floor(across / width)
    const inU = along - column * length
    const inV = across - row * width
    if (inU < 1.1 || inV < 0.7) return blend(ink, 0.85, 176, 162, 132, 140)
    // A hut with a pale roof in one corner, beds beside it.
    const own = fraction2(seed, column, row)
    if (inU > 13.5 && inU < 17 && inV > 2 && inV < 5)
      return blend(ink, 0.95, 120 + 70 * own, 104 + 60 * own, 92 + 60 * own, 110)
    const bed = Math.floor(inU / 2.6)
    const [red, green, blue, infrared] = colours[Math.floor(fraction2(mix(seed, column), row, bed) * colours.length)]!
    blend(ink, 0.75, red, green, blue, infrared)
    brighten(ink, 8 * shown(0.8, gsd) * Math.sin(inV * 8))
  }
}

export const FARM_PATTERNS: Readonly<Record<string, PatternFactory>> = {
  field,
  mown: swaths(5.5, 4),
  stripes: swaths(9, 9),
  orchard: planted(5.5, 2, [72, 104, 52, 190]),
  olive: planted(8.5, 2.3, [98, 110, 84, 150]),
  vines,
  beds,
  plots,
}
