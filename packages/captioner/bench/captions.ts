/**
 * Captions per second on one core, for real image boxes with 15 objects around, whose exact geometry decides whether
 * they are in the image. Beside it, on the same pairs, just the exact test as @turf/boolean-intersects does it.
 *
 *   npm run bench:captions -- [--rounds N] [file.osm.pbf]
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createCaptioner } from '@skyscript/captioner'
import {
  type Box,
  boxCenter,
  boxesIntersect,
  boxOf,
  geometryMeetsBox,
  type ImageRecord,
  type OsmObject,
} from '@skyscript/core'
import { extract } from '@skyscript/osm-extract'
import { booleanIntersects } from '@turf/boolean-intersects'

const AROUND = 15
const IMAGES = 20_000
const GSD = 0.2
/** Half a side of an image in degrees, 300 pixels of 0.2 m, some 60 m; and how many times as large it may be to have that many around. */
const [HALF_WIDTH, HALF_HEIGHT] = [0.0004, 0.00028]
const SIZES = [1, 2, 4, 8]
/** Objects of fewer degrees across are found by where they begin. */
const WIDE = 0.01
const DEMO = fileURLToPath(new URL('../../../examples/demo/town.osm.pbf', import.meta.url))

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '5' } },
  allowPositionals: true,
})
const [file = DEMO] = positionals

interface Case {
  readonly image: ImageRecord
  readonly focus: OsmObject
  readonly around: readonly OsmObject[]
}

const cases = await casesOf(file)
if (cases.length === 0) throw new Error(`${file} has no place with ${AROUND} objects around.`)
process.stdout.write(`${cases.length} images of ${file.split('/').at(-1)}, ${AROUND} objects around each, one core\n`)

const tests: Record<string, () => number> = {
  'captions, exact geometry': () => {
    const captioner = createCaptioner()
    return rate(({ image, focus, around }) => captioner.captionImage(image, focus, around))
  },
  'captions from tags only': () => {
    const captioner = createCaptioner()
    return rate(({ focus, around }) =>
      captioner.caption(
        focus.tags,
        around.map(({ tags }) => tags),
        { gsd: GSD },
      ),
    )
  },
  'with counts and directions': () => {
    const captioner = createCaptioner({ counts: true, directions: true })
    return rate(({ image, focus, around }) => captioner.captionImage(image, focus, around))
  },
  'turf: only the exact test': () =>
    rate(({ image, around }) => {
      const area = { type: 'Polygon' as const, coordinates: [cornersOf(image.box)] }
      return around.map(({ geometry }) => booleanIntersects(geometry as never, area))
    }),
}
for (const [name, run] of Object.entries(tests)) {
  const rates = Array.from({ length: Number(values.rounds) }, run).sort((a, b) => a - b)
  const median = Math.round(rates[rates.length >> 1]!).toLocaleString('en')
  process.stdout.write(`${name.padEnd(30)}${median.padStart(10)} a second\n`)
}

/** Images a second, over 20,000 of them. */
function rate(each: (one: Case) => unknown): number {
  const start = performance.now()
  for (let i = 0; i < IMAGES; i++) each(cases[i % cases.length]!)
  return (1000 * IMAGES) / (performance.now() - start)
}

function cornersOf([west, south, east, north]: Box): [number, number][] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
}

/** Boxes around objects that can be seen, with the first 15 others that are in them. */
async function casesOf(path: string): Promise<Case[]> {
  const captioner = createCaptioner()
  const objects: { object: OsmObject; box: Box }[] = []
  for await (const object of extract(path, { wanted: captioner.verdicts() })) {
    const seen = captioner.maxGsd(object.tags)
    if (seen !== null && seen >= GSD) objects.push({ object, box: boxOf(object.geometry) })
  }
  objects.sort((a, b) => a.box[0] - b.box[0])
  const [wide, narrow] = [true, false].map((isWide) => objects.filter(({ box }) => box[2] - box[0] > WIDE === isWide))
  const objectsIn = (box: Box, focus: OsmObject): OsmObject[] => {
    const around: OsmObject[] = []
    for (const other of [...wide!, ...narrow!.slice(firstFrom(narrow!, box[0] - WIDE), firstFrom(narrow!, box[2]))]) {
      if (around.length === AROUND) break
      const meets = other.object !== focus && boxesIntersect(other.box, box)
      if (meets && geometryMeetsBox(other.object.geometry, box)) around.push(other.object)
    }
    return around
  }
  const found: Case[] = []
  for (const { object: focus, box: of } of objects) {
    if (found.length === IMAGES) break
    const boxes = SIZES.map((size): Box => {
      const [x, y] = boxCenter(of)
      return [x - size * HALF_WIDTH, y - size * HALF_HEIGHT, x + size * HALF_WIDTH, y + size * HALF_HEIGHT]
    })
    const place = boxes
      .map((box) => ({ box, around: objectsIn(box, focus) }))
      .find(({ around }) => around.length === AROUND)
    if (place === undefined) continue
    const { box, around } = place
    const image: ImageRecord = {
      id: focus.id,
      filepath: `images2/${focus.id}_CH_21.jpg`,
      source: 'CH',
      imageId: 'x',
      origin: 'x',
      time: 0,
      gsd: GSD,
      box,
      width: 300,
      height: 300,
      bytes: 1,
      sha256: '',
    }
    found.push({ image, focus, around })
  }
  return found
}

/** The place of the first box that begins at a longitude or east of it. */
function firstFrom(objects: readonly { readonly box: Box }[], longitude: number): number {
  let [low, high] = [0, objects.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (objects[middle]!.box[0] < longitude) low = middle + 1
    else high = middle
  }
  return low
}
