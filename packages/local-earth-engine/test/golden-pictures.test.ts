/**
 * Pictures of every style, as hashes in golden-pictures.json. Where one differs, raise DRAWING_VERSION, so that builds
 * draw their images again, and write the file anew: SKYSCRIPT_GOLDEN=write npm test -- golden-pictures
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { METRES_PER_DEGREE_LATITUDE, type OsmObject } from '@skyscript/core'
import { expect, test } from 'vitest'
import { createCatalogue } from '../src/catalogue/catalogue.ts'
import { featureBuilder } from '../src/draw/feature-store.ts'
import { DRAWING_VERSION } from '../src/draw/reach.ts'
import type { Scene } from '../src/draw/scene.ts'
import { createPainter } from '../src/draw/scene-painter.ts'
import { readTable } from '../src/draw/styles/table.ts'

const FILE = new URL('golden-pictures.json', import.meta.url)
const SIDE = 64
/** Collections of fine, middling and coarse pixels with a place of each. */
const PLACES = { CH: [7.45, 46.72], US: [-73.85, 40.74], S2: [24.94, 60.17] } as const

/** Tags that fit each row of a table: its key and first value, and the first condition. */
const tagsOf = (table: string): OsmObject['tags'][] =>
  readTable(table).map(({ key, value, when = '' }) => {
    const [, condition, wanted] = /^([^!=~/]+)[^!=~]*[=~]([^|]+)/.exec(when) ?? []
    return {
      ...(table === 'roofs' && { building: 'yes' }),
      [key!]: value!.split('|')[0]!,
      ...(condition && wanted && { [condition]: wanted }),
    }
  })

function objectOf(
  table: string,
  id: number,
  tags: OsmObject['tags'],
  [x, y]: readonly [number, number],
  metres: number,
) {
  const d = metres / METRES_PER_DEGREE_LATITUDE
  const line: [number, number][] = [[x - d, y - d / 2], [x, y], [x + d / 3, y + d], [x + d, y + d / 2]] // biome-ignore format: one line
  const ring: [number, number][] = [[x - d, y - d], [x + d, y - d / 2], [x + d, y + d / 2], [x - d, y + d / 3], [x - d, y - d]] // biome-ignore format: one ring
  const geometry: OsmObject['geometry'] =
    table === 'points'
      ? { type: 'Point', coordinates: [x, y] }
      : table === 'lines'
        ? { type: 'LineString', coordinates: line }
        : { type: 'Polygon', coordinates: [ring] }
  return { id: `${table[0]}${id}`, tags, geometry, version: 1, timestamp: null }
}

const { sources } = createCatalogue({ brandenburg: 'image' })

/** Bytes as an image has them: what differs less is no other picture. */
function hashOf(scene: Scene, objects: readonly OsmObject[], [x, y]: readonly [number, number]): string {
  const store = featureBuilder()
  for (const object of objects) store.add(object)
  const step = scene.gsd / METRES_PER_DEGREE_LATITUDE
  const [west, north] = [x - (SIDE / 2) * step, y + (SIDE / 2) * step]
  const grid = { width: SIDE, height: SIDE, top: 0, west, north, stepX: step, stepY: -step }
  const { red, green, blue, infrared } = createPainter(store.build()).paint(scene, grid)
  const hash = createHash('sha256')
  for (const plane of [red, green, blue, infrared]) hash.update(Uint8ClampedArray.from(plane))
  return hash.digest('hex').slice(0, 16)
}

test('every style is drawn as under the same version before', () => {
  const pictures: Record<string, string> = {}
  for (const [alias, place] of Object.entries(PLACES)) {
    const source = sources.find((each) => each.alias === alias)!
    const scene = [...source.scenes([...place, ...place], source.start, source.end)].find(
      ({ isGap }) => !isGap?.(place[0], place[1]),
    )!
    for (const table of ['areas', 'lines', 'points', 'roofs']) {
      const hashes = tagsOf(table).map((tags, i) => {
        const object = objectOf(table, i, tags, place, SIDE * source.gsd * 0.35)
        return hashOf(scene, [object], place)
      })
      pictures[`${alias} ${table}`] = createHash('sha256').update(hashes.join()).digest('hex').slice(0, 16)
    }
  }
  const made = { version: DRAWING_VERSION, pictures }
  if (process.env.SKYSCRIPT_GOLDEN === 'write') writeFileSync(FILE, `${JSON.stringify(made, null, 2)}\n`)
  expect(made).toEqual(JSON.parse(readFileSync(FILE, 'utf8')))
})
