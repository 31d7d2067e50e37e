/**
 * Writes packages/gee-fetch/tables/datum-shifts.txt: of the shifts to WGS84 in proj4-list those that put every place that
 * was tried within three metres of where PROJ puts it, by the operation that PROJ chooses there. Needs gdal-bin.
 *
 * npm exec -- node scripts/datum-shifts.ts
 */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import type { Position } from '@skyscript/core'
import proj4 from 'proj4'
import { shiftIn } from '../packages/gee-fetch/src/crs/epsg.ts'

const MOST_METRES = 3
/** Systems of each shift that are tried, and places in the area of each, as shares of its sides. */
const SYSTEMS = 6
const PLACES = [
  [0.5, 0.5],
  [0.2, 0.2],
  [0.8, 0.2],
  [0.2, 0.8],
  [0.8, 0.8],
] as const

interface System {
  readonly code: number
  readonly definition: string
  readonly bbox: readonly [north: number, west: number, south: number, east: number]
}

const load = createRequire(import.meta.url)
const run = promisify(execFile)

const systems = Object.entries(load('proj4-list') as Record<string, [string, string]>).flatMap(
  ([name, [, definition]]): System[] => {
    const code = Number(/^EPSG:(\d+)$/.exec(name)?.[1])
    const shift = shiftIn(definition)
    if (!(code < 32767) || shift === null || /^0,0,0/.test(shift) || /geocent|NAD27/.test(definition)) return []
    try {
      const { bbox } = load(`epsg-index/s/${code}.json`) as { bbox: System['bbox'] | null }
      return bbox ? [{ code, definition, bbox }] : []
    } catch {
      return []
    }
  },
)

/** Metres between our places and PROJ's, at most. */
async function distanceOf({ code, definition, bbox: [north, west, south, east] }: System): Promise<number> {
  const width = (east < west ? east + 360 : east) - west
  const places = PLACES.map(([u, v]): Position => [west + u * width, south + v * (north - south)])
  const asking = run('gdaltransform', ['-s_srs', 'EPSG:4326', '-t_srs', `EPSG:${code}`, '-output_xy'])
  asking.child.stdin!.end(places.map((each) => each.join(' ')).join('\n'))
  const lines = (await asking).stdout.trim().split('\n')
  const { forward } = proj4('WGS84', definition)
  const metres = /longlat/.test(definition) ? 111_320 : 1
  return Math.max(
    ...places.map((place, i) => {
      const [x, y] = lines[i]!.split(' ').map(Number) as [number, number]
      const ours = forward(place, true)
      const distance = Math.hypot(ours[0] - x, ours[1] - y) * metres
      return Number.isFinite(distance) ? distance : Number.POSITIVE_INFINITY
    }),
  )
}

const good: string[] = []
for (const [shift, all] of Map.groupBy(systems, ({ definition }) => shiftIn(definition)!)) {
  const step = Math.max(1, (all.length - 1) / (SYSTEMS - 1))
  const some = all.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step))
  const distances = await Promise.all(some.map((each) => distanceOf(each).catch(() => Number.POSITIVE_INFINITY)))
  if (Math.max(...distances) < MOST_METRES) good.push(shift)
}
await writeFile(
  new URL('../packages/gee-fetch/tables/datum-shifts.txt', import.meta.url),
  `${good.sort().join('\n')}\n`,
)
process.stderr.write(`${good.length} shifts\n`)
