import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import sharp from 'sharp'
import { SIDE } from './visual-words.ts'

/** CLIP's means and standard deviations of red, green and blue. */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const
export const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const

const PREFIX = 'a satellite image of '

/** One row of a dataset's CSV. */
export interface Pair {
  /** Absolute. */
  readonly path: string
  readonly title: string
}

/** Phrases that say how a thing is, not what it is. */
const ATTRIBUTE =
  /^(surface|smoothness|roof|leaf|oneway|lanes|light|bridge|tunnel|material|electrified|voltage|location|crop|sport|tracktype|intermittent|cables|segregated|denotation|sidewalk|service|parking|colour|tower type|width|floating|length|content|resource|trees|meadow)( |$)/

/**
 * The main phrase of a title: the first that says what the thing is.
 *
 * @example
 * classOf('a satellite image of surface of gravel, road of track') // 'road of track'
 */
export function classOf(title: string): string {
  const phrases = title.slice(title.startsWith(PREFIX) ? PREFIX.length : 0).split(', ')
  return phrases.find((phrase) => !ATTRIBUTE.test(phrase)) ?? phrases[0]!
}

/** All pairs of a dataset folder: of every CSV in it with the columns `filepath` and `title`, each image once, by path. */
export function readPairs(folder: string): Pair[] {
  const pairs = new Map<string, Pair>()
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.csv')) continue
    const rows = parse(readFileSync(join(folder, name)), { columns: true }) as Record<string, string>[]
    for (const { filepath, title } of rows) {
      if (filepath && title) pairs.set(filepath, { path: join(folder, filepath), title })
    }
  }
  return [...pairs.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** A picture as CLIP sees it: shortest edge to 224, middle square, normalised; 3 x 224 x 224. */
export async function loadPicture(path: string): Promise<Float32Array> {
  const pixels = await sharp(path)
    .resize(SIDE, SIDE, { fit: 'cover', kernel: 'cubic' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer()
  const picture = new Float32Array(3 * SIDE * SIDE)
  for (let at = 0; at < SIDE * SIDE; at++) {
    for (let channel = 0; channel < 3; channel++) {
      picture[channel * SIDE * SIDE + at] = (pixels[at * 3 + channel]! / 255 - CLIP_MEAN[channel]!) / CLIP_STD[channel]!
    }
  }
  return picture
}

/** One of the eight ways to turn and mirror a picture: what is seen from above has no up. */
export function turned(picture: Float32Array, way: number): Float32Array {
  if (way === 0) return picture
  const out = new Float32Array(picture.length)
  for (let channel = 0; channel < 3; channel++) {
    const start = channel * SIDE * SIDE
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const [r, c] = way & 4 ? [column, row] : [row, column]
        const source = (way & 1 ? SIDE - 1 - r : r) * SIDE + (way & 2 ? SIDE - 1 - c : c)
        out[start + row * SIDE + column] = picture[start + source]!
      }
    }
  }
  return out
}
