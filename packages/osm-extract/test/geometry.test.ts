import { describe, expect, test } from 'vitest'
import { drawn, Sketch } from './files.ts'

const SQUARE = '0,0 9,0 9,9 0,9 0,0'

async function only(sketch: Sketch) {
  const { objects } = await sketch.read()
  expect(objects).toHaveLength(1)
  return { id: objects[0]!.id, type: objects[0]!.geometry.type, drawn: drawn(objects[0]!.geometry) }
}

async function nothing(sketch: Sketch, reason: string) {
  const { objects, dropped, report } = await sketch.read()
  expect(objects).toEqual([])
  expect(dropped).toEqual({ [reason]: 1 })
  expect(report.tagged).toBe(1)
}

describe('a closed way', () => {
  test.each<[Record<string, string>, 'Polygon' | 'LineString']>([
    [{ building: 'yes' }, 'Polygon'],
    [{ building: 'no' }, 'LineString'],
    [{ building: 'yes', area: 'no' }, 'LineString'],
    [{ highway: 'residential' }, 'LineString'],
    [{ highway: 'residential', area: 'yes' }, 'Polygon'],
    [{ highway: 'services' }, 'Polygon'],
    [{ highway: 'residential', landuse: 'forest' }, 'Polygon'],
    [{ natural: 'water' }, 'Polygon'],
    [{ natural: 'coastline' }, 'LineString'],
    [{ natural: 'tree_row' }, 'LineString'],
    [{ barrier: 'hedge' }, 'LineString'],
    [{ barrier: 'wall', area: 'yes' }, 'Polygon'],
    [{ barrier: 'city_wall', landuse: 'residential' }, 'Polygon'],
    [{ barrier: 'ditch' }, 'LineString'],
    [{ barrier: 'wall', ruins: 'yes' }, 'LineString'],
    [{ leisure: 'track', sport: 'running' }, 'LineString'],
    [{ leisure: 'pitch', sport: 'running' }, 'Polygon'],
    [{ sport: 'cycling' }, 'LineString'],
    [{ 'piste:type': 'nordic' }, 'LineString'],
    [{ 'piste:type': 'downhill', area: 'yes' }, 'Polygon'],
    [{ 'piste:type': 'snow_park' }, 'Polygon'],
    [{ landcover: 'grass' }, 'Polygon'],
    [{ playground: 'sandpit' }, 'Polygon'],
    [{ playground: 'zipwire' }, 'LineString'],
    [{ healthcare: 'clinic' }, 'Polygon'],
    [{ advertising: 'billboard' }, 'LineString'],
    [{ emergency: 'landing_site' }, 'Polygon'],
    [{ emergency: 'yes', highway: 'service' }, 'LineString'],
    [{ natural: 'earth_bank' }, 'LineString'],
    [{ man_made: 'dyke' }, 'LineString'],
    [{ golf: 'hole' }, 'LineString'],
    [{ golf: 'green' }, 'Polygon'],
    [{ 'abandoned:building': 'yes' }, 'Polygon'],
    [{ 'disused:leisure': 'track' }, 'LineString'],
    [{ 'was:building': 'yes' }, 'LineString'],
    [{ barrier: 'fence' }, 'LineString'],
    [{ waterway: 'riverbank' }, 'Polygon'],
    [{ waterway: 'river' }, 'LineString'],
    [{ man_made: 'embankment' }, 'LineString'],
    [{ man_made: 'works' }, 'Polygon'],
    [{ name: 'no rule for this' }, 'LineString'],
    [{ ['__proto__']: 'building' }, 'LineString'],
    [{ constructor: 'yes', toString: 'yes' } as unknown as Record<string, string>, 'LineString'],
  ])('with the tags %o is a %s', async (tags, type) => {
    const sketch = new Sketch()
    sketch.way(SQUARE, tags)
    expect((await only(sketch)).type).toBe(type)
  })

  test('that is an area has the id of an area, and of a line else', async () => {
    const sketch = new Sketch()
    sketch.way(SQUARE, { building: 'yes' })
    sketch.way(SQUARE, { highway: 'service' })
    const { objects } = await sketch.read()
    expect(objects.map(({ id }) => id)).toEqual(['a1', 'w2'])
  })

  test.each([SQUARE, '0,0 0,9 9,9 9,0 0,0'])('is counter-clockwise however it was drawn: %s', async (places) => {
    const sketch = new Sketch()
    sketch.way(places, { building: 'yes' })
    expect((await only(sketch)).drawn).toEqual([SQUARE])
  })

  test('keeps its ring where a node is repeated, or two nodes lie at one place', async () => {
    for (const places of ['0,0 9,0 9,0 9,9 0,9 0,0', '0,0 9,0 9,0b 9,9 0,9 0,0']) {
      const sketch = new Sketch()
      sketch.way(places, { building: 'yes' })
      expect((await only(sketch)).drawn).toEqual([SQUARE])
    }
  })

  test('is taken apart where it touches itself at a node', async () => {
    const sketch = new Sketch()
    sketch.way('0,0 4,0 4,4 8,4 8,8 4,8 4,4 0,4 0,0', { building: 'yes' })
    expect((await only(sketch)).drawn).toEqual([['0,0 4,0 4,4 0,4 0,0'], ['4,4 8,4 8,8 4,8 4,4']])
  })

  test('that runs inwards and back leaves a hole', async () => {
    const sketch = new Sketch()
    sketch.way('0,0 9,0 9,9 0,9 0,0 3,3 6,3 6,6 3,6 3,3 0,0', { building: 'yes' })
    expect((await only(sketch)).drawn).toEqual([SQUARE, '3,3 3,6 6,6 6,3 3,3'])
  })

  test('that crosses itself is dropped, and counted', async () => {
    const sketch = new Sketch()
    sketch.way('0,0 9,9 9,0 0,9 0,0', { building: 'yes' })
    await nothing(sketch, 'area-self-intersection')
  })

  test('without any extent is dropped, and counted', async () => {
    const sketch = new Sketch()
    sketch.way('0,0 5,0 9,0 5,0 0,0', { building: 'yes' })
    await nothing(sketch, 'area-empty')
  })

  test('of two or three nodes is a line, whatever its tags', async () => {
    const sketch = new Sketch()
    sketch.way('0,0 9,0 0,0', { building: 'yes' })
    expect(await only(sketch)).toEqual({ id: 'w1', type: 'LineString', drawn: '0,0 9,0 0,0' })
  })
})

describe('an open way', () => {
  test('is a line, even with the tags of an area', async () => {
    const sketch = new Sketch()
    sketch.way('0,0 9,0 9,9 0,9', { building: 'yes' })
    expect(await only(sketch)).toEqual({ id: 'w1', type: 'LineString', drawn: '0,0 9,0 9,9 0,9' })
  })

  test('keeps the places it comes back to, but none twice in succession', async () => {
    const sketch = new Sketch()
    sketch.way('0,0 5,0 5,0 5,0b 0,0 5,5', { highway: 'path' })
    expect((await only(sketch)).drawn).toBe('0,0 5,0 0,0 5,5')
  })

  test.each(['', '3,3', '3,3 3,3', '3,3 3,3b'])('of fewer than two places is dropped: "%s"', async (places) => {
    const sketch = new Sketch()
    sketch.way(places, { highway: 'path' })
    await nothing(sketch, places === '' ? 'way-incomplete' : 'way-single-node')
  })

  test('with a node that the file lacks is dropped, not shortened', async () => {
    const sketch = new Sketch()
    sketch.way('0,0 ? 9,9', { highway: 'path' })
    await nothing(sketch, 'way-incomplete')
  })

  test('without tags is no object', async () => {
    const sketch = new Sketch()
    sketch.way('0,0 9,9')
    const { objects, report } = await sketch.read()
    expect([objects.length, report.tagged, report.read.ways]).toEqual([0, 0, 1])
  })
})

describe('a multipolygon', () => {
  test('is closed from several ways in any order and direction', async () => {
    const sketch = new Sketch()
    const ways = ['0,0 9,0', '9,9 9,0', '0,9 9,9', '0,9 0,0'].map((places) => sketch.way(places))
    sketch.relation([ways[2]!, ways[0]!, ways[3]!, ways[1]!])
    expect(await only(sketch)).toEqual({ id: 'a3600000001', type: 'Polygon', drawn: [SQUARE] })
  })

  test('has its inner rings as holes, whatever their roles say', async () => {
    const sketch = new Sketch()
    const [outer, hole, second] = [sketch.way(SQUARE), sketch.way('1,1 3,1 3,3 1,3 1,1'), sketch.way('5,5 5,7 7,7 5,5')]
    sketch.relation([
      { type: 'way', ref: outer, role: 'inner' },
      { type: 'way', ref: hole, role: 'outer' },
      { type: 'way', ref: second, role: 'inner' },
    ])
    expect((await only(sketch)).drawn).toEqual([SQUARE, '1,1 1,3 3,3 3,1 1,1', '5,5 5,7 7,7 5,5'])
  })

  test('has several outer rings, each with its own holes, and islands in holes', async () => {
    const sketch = new Sketch()
    const rings = [
      SQUARE,
      '2,2 7,2 7,7 2,7 2,2',
      '4,4 5,4 5,5 4,5 4,4',
      '20,0 29,0 29,9 20,9 20,0',
      '22,2 24,2 24,4 22,2',
    ]
    sketch.relation(rings.map((ring) => sketch.way(ring)))
    expect((await only(sketch)).drawn).toEqual([
      [SQUARE, '2,2 2,7 7,7 7,2 2,2'],
      ['20,0 29,0 29,9 20,9 20,0', '22,2 24,4 24,2 22,2'],
      ['4,4 5,4 5,5 4,5 4,4'],
    ])
  })

  test('keeps outer rings apart that touch in one node', async () => {
    const sketch = new Sketch()
    sketch.relation([sketch.way('0,0 4,0 4,4 0,4 0,0'), sketch.way('4,4 8,4 8,8 4,8 4,4')])
    expect((await only(sketch)).drawn).toEqual([['0,0 4,0 4,4 0,4 0,0'], ['4,4 8,4 8,8 4,8 4,4']])
  })

  test('joins rings that share an edge, which is inside then', async () => {
    const sketch = new Sketch()
    sketch.relation([sketch.way('0,0 4,0 4,4 0,4 0,0'), sketch.way('4,0 8,0 8,4 4,4 4,0')])
    expect((await only(sketch)).drawn).toEqual(['0,0 4,0 8,0 8,4 4,4 0,4 0,0'])
  })

  test('joins holes that share an edge', async () => {
    const sketch = new Sketch()
    sketch.relation([SQUARE, '2,2 4,2 4,4 2,4 2,2', '4,2 6,2 6,4 4,4 4,2'].map((ring) => sketch.way(ring)))
    expect((await only(sketch)).drawn).toEqual([SQUARE, '2,2 2,4 4,4 6,4 6,2 4,2 2,2'])
  })

  test('with a hole that touches its outer ring in a node has a hole still', async () => {
    const sketch = new Sketch()
    sketch.relation([sketch.way('0,0 9,0 9,9 5,9 0,9 0,0'), sketch.way('5,9 3,5 7,5 5,9')])
    expect((await only(sketch)).drawn).toEqual(['0,0 9,0 9,9 5,9 0,9 0,0', '3,5 5,9 7,5 3,5'])
  })

  test('counts a way that is a member twice once', async () => {
    const sketch = new Sketch()
    const way = sketch.way(SQUARE)
    sketch.relation([way, way])
    expect((await only(sketch)).drawn).toEqual([SQUARE])
  })

  test('ignores members that are nodes or relations, also where their numbers are those of ways', async () => {
    const sketch = new Sketch()
    const [ring, stray] = [sketch.way(SQUARE), sketch.way('50,50 60,60')]
    sketch.relation([
      { type: 'node', ref: stray, role: 'label' },
      ring,
      { type: 'relation', ref: stray, role: 'subarea' },
      { type: 'node', ref: 888_888, role: 'admin_centre' },
    ])
    expect((await only(sketch)).drawn).toEqual([SQUARE])
  })

  test('of type boundary is an area; of any other type no object', async () => {
    const sketch = new Sketch()
    const way = sketch.way(SQUARE)
    for (const type of ['boundary', 'route', 'site', 'Multipolygon', '']) sketch.relation([way], { type, name: type })
    const { objects, report } = await sketch.read()
    expect(objects.map(({ id, tags }) => [id, tags])).toEqual([['a3600000001', { type: 'boundary', name: 'boundary' }]])
    expect(report.tagged).toBe(1)
  })

  test('without a tag of its own is no object; its ways are', async () => {
    const sketch = new Sketch()
    sketch.relation([sketch.way(SQUARE, { building: 'yes' })], {})
    const { objects, report } = await sketch.read()
    expect([objects.map(({ id }) => id), report.tagged]).toEqual([['a1'], 1])
  })

  test('and its tagged member ways are objects of their own, each whole', async () => {
    const sketch = new Sketch()
    const [fence, rest] = [sketch.way('0,0 9,0', { barrier: 'fence' }), sketch.way('9,0 9,9 0,9 0,0')]
    sketch.relation([fence, rest])
    const { objects } = await sketch.read()
    expect(objects.map(({ id, geometry }) => [id, drawn(geometry)])).toEqual([
      ['w1', '0,0 9,0'],
      ['a3600000001', [SQUARE]],
    ])
  })

  test('whose member ways are not wanted is still made of them', async () => {
    const sketch = new Sketch()
    sketch.relation([sketch.way(SQUARE, { barrier: 'wall' })], { landuse: 'forest' })
    const { objects, dropped } = await sketch.read({ wanted: new Map([['landuse', new Set(['forest'])]]) })
    expect(objects.map(({ id }) => id)).toEqual(['a3600000001'])
    expect(dropped).toEqual({ 'not-wanted': 1 })
  })

  test.each([
    ['a member way that the file lacks', ['0,0 9,0 9,9 0,9 0,0', null], 'relation-incomplete'],
    ['a member way with a node that the file lacks', ['0,0 9,0 ? 0,9 0,0'], 'relation-incomplete'],
    ['a ring that does not close', ['0,0 9,0 9,9', '9,9 0,9'], 'area-open-ring'],
    ['a line beside its ring', [SQUARE, '20,20 30,30'], 'area-open-ring'],
    ['a spike on its ring', [SQUARE, '9,9 12,12'], 'area-open-ring'],
    ['rings that cross', [SQUARE, '5,5 15,5 15,15 5,15 5,5'], 'area-self-intersection'],
    [
      'rings that overlap along a line without shared nodes',
      [SQUARE, '9,2 15,2 15,7 9,7 9,2'],
      'area-self-intersection',
    ],
    ['a ring that touches another between its nodes', [SQUARE, '9,5 15,2 15,7 9,5'], 'area-self-intersection'],
    ['the same ring twice', [SQUARE, SQUARE], 'area-empty'],
    ['no member at all', [], 'area-empty'],
  ] as const)('of %s is dropped, and counted', async (_, rings, reason) => {
    const sketch = new Sketch()
    sketch.relation(rings.map((ring) => (ring === null ? 777_777 : sketch.way(ring))))
    await nothing(sketch, reason)
  })
})

describe('a node', () => {
  test('with tags is a point', async () => {
    const sketch = new Sketch()
    sketch.node('3,4', { natural: 'tree' })
    sketch.node('5,6')
    expect(await only(sketch)).toEqual({ id: 'n1', type: 'Point', drawn: '3,4' })
  })

  test('at the edge of the map is a point; beyond it is dropped and no way goes there', async () => {
    const sketch = new Sketch()
    sketch.node('180000,90000', { natural: 'peak' })
    sketch.node('-180000,-90000', { natural: 'peak' })
    sketch.node('180001,0', { natural: 'peak' })
    sketch.node('0,-90001', { natural: 'peak' })
    sketch.way('0,0 180001,0', { highway: 'path' })
    const { objects, dropped } = await sketch.read()
    expect(objects.map(({ geometry }) => geometry.coordinates)).toEqual([
      [180, 90],
      [-180, -90],
    ])
    expect(dropped).toEqual({ 'node-not-on-earth': 2, 'way-incomplete': 1 })
  })
})

test('ways that end at the antimeridian, as OSM splits them, stay on their side of it', async () => {
  const sketch = new Sketch()
  sketch.way('179000,0 180000,0 180000,9 179000,9 179000,0', { natural: 'water' })
  sketch.way('-180000,0 -179000,0 -179000,9 -180000,9 -180000,0', { natural: 'water' })
  const { objects } = await sketch.read()
  expect(objects.map(({ geometry }) => drawn(geometry))).toEqual([
    ['179000,0 180000,0 180000,9 179000,9 179000,0'],
    ['-180000,0 -179000,0 -179000,9 -180000,9 -180000,0'],
  ])
})

test('objects come as nodes, ways, relations, each by id, and tagged is emitted plus dropped', async () => {
  const sketch = new Sketch()
  sketch.relation([sketch.way(SQUARE, { building: 'yes' })], { landuse: 'forest' })
  sketch.way('0,0 ?', { highway: 'path' })
  sketch.way('0,0 4,4', { highway: 'path' })
  const tree = sketch.node('7,7', { natural: 'tree' })
  const { objects, report, dropped } = await sketch.read()
  expect(objects.map(({ id }) => id)).toEqual([`n${tree}`, 'a1', 'w3', 'a3600000001'])
  const { points, lines, areas } = report.emitted
  expect([points, lines, areas]).toEqual([1, 1, 2])
  expect(report.tagged).toBe(points + lines + areas + Object.values(dropped).reduce((a, b) => a + b, 0))
})
