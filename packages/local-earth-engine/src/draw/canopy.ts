/**
 * Crowns of woods seen from above, as tables that repeat over the Earth. They take 67 MB and most of a second, so each is
 * made when it is first needed, in memory that threads share.
 */
import { fraction2, hashText } from './hash.ts'
import { mottle } from './noise.ts'

/** The tables of a canopy at one resolution. */
export interface CanopyLevel {
  readonly size: number
  readonly texelsPerMetre: number
  /** East and south slope of the crown's surface, -1 to 1: what faces the sun is bright. */
  readonly slopeX: Float32Array
  readonly slopeY: Float32Array
  /** 0 in the gaps between crowns, 1 on top. */
  readonly height: Float32Array
  /** Which tree it is, as a number 0 to 1 that thins out and tints; below 0 there is none. */
  readonly tree: Float32Array
}

const METRES = 128
const FINEST_TEXELS = 8
/** Each level is half as fine as the one before it. */
const LEVELS = 8

interface CanopySettings {
  /** Trees a side of the table, each in a cell of its own. */
  readonly cells: number
  /** Mean radius of a crown in cells. */
  readonly reach: number
  readonly top: 'round' | 'pointed'
  /** Whether crowns stay within their cells, so that each is whole when others are left out. */
  readonly apart: boolean
}

/** Broad crowns of 4 to 9 m that close, needle trees of 3 to 5 m with pointed tops, and broad crowns that stand apart. */
const CANOPIES = {
  broad: { cells: 20, reach: 0.78, top: 'round', apart: false },
  needle: { cells: 30, reach: 0.66, top: 'pointed', apart: false },
  scattered: { cells: 15, reach: 0.42, top: 'round', apart: true },
} as const satisfies Record<string, CanopySettings>

/** Which canopy a wood is drawn from. */
export type CanopyKind = keyof typeof CANOPIES

/** Memory for each canopy: a state, then the tables of all levels. Pages that are never written take no memory. */
export type CanopyMemory = Readonly<Record<CanopyKind, SharedArrayBuffer>>

const [UNMADE, BEING_MADE, MADE] = [0, 1, 2]
const STATE_BYTES = 8
const TEXELS = Array.from({ length: LEVELS }, (_, level) => ((METRES * FINEST_TEXELS) >> level) ** 2)

/** Memory for canopies that nobody has made yet. */
export function canopyMemory(): CanopyMemory {
  const bytes = STATE_BYTES + TEXELS.reduce((sum, texels) => sum + 16 * texels, 0)
  const room = () => new SharedArrayBuffer(bytes)
  return { broad: room(), needle: room(), scattered: room() }
}

let memory: CanopyMemory | undefined
const opened = new Map<CanopyKind, readonly CanopyLevel[]>()

/** Makes this thread use the canopies of others. Call it before anything is drawn. */
export function shareCanopies(shared: CanopyMemory): void {
  memory = shared
  opened.clear()
}

/** A canopy's tables for images of a GSD in metres. */
export function canopyLevel(kind: CanopyKind, gsd: number): CanopyLevel {
  const levels = opened.get(kind) ?? openCanopy(kind)
  const level = Math.round(Math.log2(Math.max(1, gsd * FINEST_TEXELS)))
  return levels[Math.min(level, levels.length - 1)]!
}

/** Index of a position in a level's tables. */
export function canopyIndex({ size, texelsPerMetre }: CanopyLevel, x: number, y: number): number {
  const column = Math.floor(x * texelsPerMetre) & (size - 1)
  const row = Math.floor(y * texelsPerMetre) & (size - 1)
  return row * size + column
}

/** Makes a canopy, or waits for the thread that is making it. */
function openCanopy(kind: CanopyKind): readonly CanopyLevel[] {
  memory ??= canopyMemory()
  const state = new Int32Array(memory[kind], 0, 1)
  const levels = levelsIn(memory[kind])
  if (Atomics.compareExchange(state, 0, UNMADE!, BEING_MADE!) === UNMADE) {
    growCanopy(levels[0]!, hashText(kind), CANOPIES[kind])
    for (let level = 1; level < LEVELS; level++) halve(levels[level - 1]!, levels[level]!)
    Atomics.store(state, 0, MADE!)
    Atomics.notify(state, 0)
  } else while (Atomics.load(state, 0) !== MADE) Atomics.wait(state, 0, BEING_MADE!)
  opened.set(kind, levels)
  return levels
}

function levelsIn(buffer: SharedArrayBuffer): CanopyLevel[] {
  let at = STATE_BYTES
  return TEXELS.map((texels, level) => {
    const table = () => {
      const view = new Float32Array(buffer, at, texels)
      at += 4 * texels
      return view
    }
    return {
      size: Math.sqrt(texels),
      texelsPerMetre: FINEST_TEXELS / 2 ** level,
      slopeX: table(),
      slopeY: table(),
      height: table(),
      tree: table(),
    }
  })
}

function growCanopy(level: CanopyLevel, seed: number, { cells, reach, top, apart }: CanopySettings): void {
  level.tree.fill(-1)
  const cell = level.size / cells
  for (let i = 0; i < cells * cells; i++) {
    const [column, row] = [i % cells, Math.floor(i / cells)]
    const radius = cell * reach * (apart ? 0.55 + 0.6 * fraction2(seed, i, 3) : 0.6 + 0.55 * fraction2(seed, i, 3))
    const room = apart ? Math.max(0, 1 - (2.2 * radius) / cell) : 0.8
    const x = (column + 0.5 + (fraction2(seed, i, 1) - 0.5) * room) * cell
    const y = (row + 0.5 + (fraction2(seed, i, 2) - 0.5) * room) * cell
    growCrown(level, x, y, radius, top, fraction2(seed, i, 4))
  }
}

/** Adds a crown to a table where it rises above the others. */
function growCrown(
  { size, slopeX, slopeY, height, tree }: CanopyLevel,
  x: number,
  y: number,
  radius: number,
  top: 'round' | 'pointed',
  which: number,
): void {
  const reached = Math.ceil(radius * 1.1)
  for (let dy = -reached; dy <= reached; dy++) {
    for (let dx = -reached; dx <= reached; dx++) {
      if (dx * dx + dy * dy > reached * reached) continue
      const px = Math.floor(x) + dx
      const py = Math.floor(y) + dy
      const rough = mottle(px / 8, py / 8, 1 / 4)
      // Edges of crowns are ragged.
      const distance = Math.hypot(px - x, py - y) / (radius * (1 + 0.14 * rough))
      if (distance >= 1) continue
      const at = (py & (size - 1)) * size + (px & (size - 1))
      const lift = (top === 'round' ? Math.sqrt(1 - distance * distance) : 1 - distance) * (0.75 + 0.25 * which)
      if (lift <= height[at]!) continue
      height[at] = lift
      const steep = top === 'round' ? distance : 0.8
      const outward = distance === 0 ? 0 : steep / radius / distance
      slopeX[at] = (px - x) * outward + 0.35 * rough
      slopeY[at] = (py - y) * outward - 0.35 * rough
      tree[at] = which
    }
  }
}

/** Fills a level with the means of four texels of the finer one. */
function halve(finer: CanopyLevel, level: CanopyLevel): void {
  for (const name of ['slopeX', 'slopeY', 'height', 'tree'] as const) {
    const [from, to] = [finer[name], level[name]]
    for (let y = 0, i = 0; y < level.size; y++) {
      for (let x = 0; x < level.size; x++, i++) {
        const at = 2 * y * finer.size + 2 * x
        to[i] = (from[at]! + from[at + 1]! + from[at + finer.size]! + from[at + finer.size + 1]!) / 4
      }
    }
  }
}
