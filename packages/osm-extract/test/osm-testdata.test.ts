import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Geometry, RELATION_AREA_OFFSET } from '@skyscript/core'
import { describe, expect, test } from 'vitest'
import { lacks } from '../../../test/support/needs.ts'
import { drawnExactly, readAll, SHARED, sharedData } from './files.ts'

interface Area {
  readonly from_type: 'way' | 'relation'
  readonly from_id: number
  readonly wkt: string
}

/** MULTIPOLYGON(((7.01 1.01,…))) to GeoJSON. */
function parseWkt(wkt: string): Geometry {
  const text = wkt
    .replace(/^MULTIPOLYGON\s*/, '')
    .replaceAll('(', '[')
    .replaceAll(')', ']')
    .replace(/(-?[\d.]+) (-?[\d.]+)/g, '[$1,$2]')
  return { type: 'MultiPolygon', coordinates: JSON.parse(text) }
}

const isMissing = lacks(sharedData('osm-testdata'))
const names = isMissing ? [] : readdirSync(join(SHARED, 'osm-testdata')).sort()
const suite = names.map((name) => ({
  name,
  ...(JSON.parse(readFileSync(join(SHARED, 'osm-testdata', name, 'test.json'), 'utf8')) as {
    description: string
    areas?: Record<string, Area[]>
  }),
}))

describe.skipIf(isMissing)('the test suite of OSM data', () => {
  test('has tests of areas', () => {
    expect(suite.filter(({ areas }) => areas).length).toBeGreaterThan(10)
  })

  test.each(suite)('$name: $description', async ({ name, areas }) => {
    const { objects, report } = await readAll(join(SHARED, 'osm-testdata', name, 'data.osm.pbf'))
    const { points, lines, areas: made } = report.emitted
    expect(report.tagged).toBe(points + lines + made + [...report.dropped.values()].reduce((a, b) => a + b, 0))
    if (areas === undefined) return
    // From 900 on it is about tags of multipolygons on their outer ways, which OSM gave up in 2017: ways don't count.
    // Nor if the suite only mentions the relation.
    const listed = new Set(Object.values(areas).flatMap((variant) => variant.map(({ from_type }) => from_type)))
    const counts = (type: 'way' | 'relation') => listed.has(type) && (type === 'relation' || Number(name) < 900)
    const got = objects
      .filter(({ id }) => id.startsWith('a'))
      .map(({ id, geometry }) => ({ id: Number(id.slice(1)), geometry }))
      .map(({ id, geometry }) => ({
        type: id >= RELATION_AREA_OFFSET ? ('relation' as const) : ('way' as const),
        id: id >= RELATION_AREA_OFFSET ? id - RELATION_AREA_OFFSET : id,
        drawn: drawnExactly(geometry),
      }))
      .filter(({ type }) => counts(type))
    const variants = Object.values(areas).map((variant) =>
      variant
        .filter(({ from_type, wkt }) => wkt !== 'INVALID' && counts(from_type))
        .map(({ from_type, from_id, wkt }) => ({ type: from_type, id: from_id, drawn: drawnExactly(parseWkt(wkt)) })),
    )
    expect(variants).toContainEqual(got)
  })
})
