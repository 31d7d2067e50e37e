import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { PLACE } from '@skyscript/core'
import { describe, expect, test } from 'vitest'
import { lacks } from '../../../test/support/needs.ts'
import { toDegrees7 } from '../src/changes/read-changes.ts'
import { readHeader } from '../src/index.ts'
import { apply, bytesOf, newPath, oscOf } from './changes.ts'
import { fileOf, readAll, SHARED, Sketch, sharedData, writePbf } from './files.ts'

const TIME = '2024-06-01T00:00:00Z'
const FRESH = `version="2" timestamp="${TIME}"`
const node = (id: number, lon: number, lat: number, attributes = FRESH, tags = '') =>
  `<node id="${id}" ${attributes} lon="${lon}" lat="${lat}">${tags}</node>`
const way = (id: number, refs: readonly number[], attributes = FRESH) =>
  `<way id="${id}" ${attributes}>${refs.map((ref) => `<nd ref="${ref}"/>`).join('')}<tag k="highway" v="path"/></way>`

/** A house of nodes 1 to 4, way 1, and a tree, node 5. */
function village(): string {
  const sketch = new Sketch()
  sketch.way('0,0 1,0 1,1 0,1 0,0', { building: 'yes' })
  sketch.node('5,5', { natural: 'tree' })
  return fileOf(sketch.bytes())
}

describe('applying changes', () => {
  test('a node that moves reshapes a way whose version stays', async () => {
    const { path, report } = await apply(village(), [oscOf(`<modify>${node(3, 0.003, 0.001)}</modify>`)])
    expect(report).toMatchObject({ modified: { nodes: 1, ways: 0 }, created: { nodes: 0 } })
    const { objects } = await readAll(path)
    expect(JSON.stringify(objects.find(({ tags }) => tags.building)?.geometry)).toContain('[0.003,0.001]')
  })

  test('deleted elements are gone, also the last of a block, and created ones are there', async () => {
    const changes = oscOf(
      `<delete><node id="5" version="2"/><way id="1" version="2"/></delete>
       <create>${node(9, 0.002, 0.002, 'version="1"', '<tag k="natural" v="tree"/>')}</create>`,
    )
    const { path, report } = await apply(village(), [changes])
    expect(report).toMatchObject({ deleted: { nodes: 1, ways: 1 }, created: { nodes: 1 } })
    const { objects } = await readAll(path)
    expect(objects.map(({ id }) => id)).toEqual(['n9'])
  })

  test('a deleted multipolygon takes its tags with it, and its ways stay', async () => {
    const sketch = new Sketch()
    const outline = sketch.way('0,0 1,0 1,1 0,1 0,0')
    sketch.relation([outline])
    const file = fileOf(sketch.bytes())
    expect((await readAll(file)).objects).toHaveLength(1)
    const { path } = await apply(file, [oscOf('<delete><relation id="1" version="2"/></delete>')])
    const { objects, report } = await readAll(path)
    expect([objects, report.read]).toEqual([[], { nodes: 4, ways: 1, relations: 0 }])
  })

  test('files in any order, or twice, make the same file', async () => {
    const [file, first, second, third] = [
      village(),
      oscOf(`<modify>${way(1, [1, 2, 3, 1], 'version="2"')}</modify>`),
      oscOf(`<delete><way id="1" version="3"/></delete>`),
      oscOf(`<modify>${node(5, 0.004, 0.004, 'version="2" timestamp="2024-06-01T00:00:00Z"')}</modify>
             <delete><node id="5" version="2" timestamp="2024-06-01T00:00:00Z"/></delete>`),
    ]
    const orders = [
      [first, second, third],
      [third, second, first],
      [second, first, third, first, second],
    ]
    const made = await Promise.all(orders.map(async (changes) => bytesOf((await apply(file, changes)).path)))
    expect(made[1]!.equals(made[0]!)).toBe(true)
    expect(made[2]!.equals(made[0]!)).toBe(true)
    const once = await apply(file, [first!, second!, third!])
    const twice = await apply(once.path, [first!, third!, second!])
    // A file does not say what was deleted from it: what an older change brings back is there again.
    expect((await readAll(once.path)).objects).toEqual([])
    expect(twice.report.created.ways).toBe(0)
  })

  test('a change that is not newer than the file changes nothing', async () => {
    const { report } = await apply(village(), [
      oscOf(`<modify>${node(5, 1, 1, 'version="1" timestamp="2020-01-01T00:00:00Z"')}${node(4, 1, 1, '')}</modify>`),
    ])
    expect(report.ignored).toEqual(new Map([['not-newer', 2]]))
    expect(report.modified.nodes).toBe(0)
  })

  test('files that are older than the extract do not bring back what was deleted since, if told so', async () => {
    const { path } = await apply(village(), [
      oscOf('<delete><node id="5" version="2" timestamp="2024-07-01T00:00:00Z"/></delete>'),
    ])
    const older = oscOf(`<modify>${node(5, 0.004, 0.004)}${node(4, 0.001, 0.002)}</modify>`)
    const { report } = await apply(path, [older], { bringBack: false })
    expect(report).toMatchObject({ created: { nodes: 0 }, modified: { nodes: 1 } })
    expect(report.ignored).toEqual(new Map([['older-than-extract', 1]]))
    expect((await apply(path, [older])).report.created.nodes).toBe(1)
  })

  test('several versions of an element in one file count as the highest', async () => {
    const { path, report } = await apply(village(), [
      oscOf(`<modify>${node(5, 1, 1, 'version="3"')}${node(5, 2, 2, 'version="4"')}${node(5, 3, 3)}</modify>`),
    ])
    expect(report.ignored.get('superseded')).toBe(2)
    expect((await readAll(path)).report.read.nodes).toBe(5)
    expect(JSON.stringify((await readAll(path)).objects)).not.toContain('tree')
  })

  test('blocks without changes are copied as they are, and many new elements get blocks of their own', async () => {
    const nodes = Array.from({ length: 300 }, (_, i) => ({
      ...{ id: i + 1, longitude: i * 1e4, latitude: 1e6, tags: { natural: 'tree' }, version: 1 },
      timestamp: TIME,
    }))
    const file = fileOf(writePbf({ nodes, ways: [], relations: [] }, { blockElements: 100 }))
    const created = Array.from({ length: 5000 }, (_, i) => node(1000 + i, 0.1, 0.1, 'version="1"')).join('')
    const { path } = await apply(file, [oscOf(`<create>${created}</create><modify>${node(150, 1, 1)}</modify>`)])
    expect((await readAll(path)).report.read.nodes).toBe(5300)
    // The header is new; of the three blocks the one of node 150 is.
    const old = bytesOf(file)
    const kept = [old.subarray(old.length - 200), old.subarray(200, 400)]
    expect(kept.filter((bytes) => bytesOf(path).includes(bytes))).toHaveLength(2)
  })

  test('the new header has the time of the newest change and the server, and no sequence number', async () => {
    const options = {
      replicationTimestamp: '2024-01-01T00:00:00Z',
      replicationSequence: 7,
      replicationServer: 'http://a',
    }
    const file = fileOf(writePbf({ nodes: [], ways: [], relations: [] }, options))
    const { path } = await apply(file, [oscOf(`<create>${node(1, 1, 1)}</create>`)])
    expect(readHeader(path)).toMatchObject({
      ...{ replicationTimestamp: TIME, replicationSequence: null, replicationServer: 'http://a', sorted: true },
    })
    const given = await apply(file, [], { replication: { replicationSequence: 8 } })
    expect(readHeader(given.path)).toMatchObject({ ...options, replicationSequence: 8 })
  })

  test('an output that is a link stays one, and what a killed process began to write is removed', async () => {
    const [file, link] = [village(), newPath('.osm.pbf')]
    symlinkSync(file, link)
    const { pid } = spawnSync('true')
    const [abandoned, other] = [`${file}.${PLACE.slice(0, 8)}-${pid}.part`, `${file}.other.part`]
    for (const path of [abandoned, other]) writeFileSync(path, 'half')
    await apply(file, [oscOf(`<delete>${node(5, 0, 0)}</delete>`)], { output: link })
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect((await readAll(file)).objects.map(({ id }) => id)).toEqual(['a1'])
    expect([existsSync(abandoned), existsSync(other)]).toEqual([false, true])
  })

  test('times are read in UTC where they have no zone, and to the second', async () => {
    const at = async (timestamp: string) => {
      const change = oscOf(`<modify>${node(5, 0, 0, `version="3" timestamp="${timestamp}"`)}</modify>`)
      return (await apply(village(), [change])).report.latest
    }
    expect(await at('2024-06-01T12:00:00')).toBe('2024-06-01T12:00:00Z')
    expect(await at('2024-06-01T12:00:00.9Z')).toBe('2024-06-01T12:00:00Z')
    expect(await at('2024-06-01T12:00:00+02:00')).toBe('2024-06-01T10:00:00Z')
    expect(await at('2024-06-01')).toBe('2024-06-01T00:00:00Z')
  })

  test('threads make the same file as one thread', async () => {
    const changes = [oscOf(`<modify>${node(3, 0.003, 0.001)}</modify><delete><node id="5" version="2"/></delete>`)]
    const [file, one] = [village(), (await apply(village(), changes)).path]
    const two = await apply(file, changes, { threads: 2 })
    expect(bytesOf(two.path).equals(bytesOf(one))).toBe(true)
  })

  test('degrees are rounded as osmium rounds them', () => {
    expect(
      ['1', '-0.00000015', '42.57830242612767', '12.3456789', '179.99999995', '1e-3', 'x'].map(toDegrees7),
    ).toEqual([1e7, -2, 425783024, 123456789, 1800000000, 10000, Number.NaN])
  })
})

describe('changes of a larger area', () => {
  const within = { within: [0, 0, 0.01, 0.01] as [number, number, number, number] }

  test('bring in what is inside, all nodes of ways that reach inside, and the ways of multipolygons', async () => {
    const changes = oscOf(`<create>
      ${node(20, 0.005, 0.005)}${node(21, 5, 5)}${node(22, 6, 6)}${node(23, 7, 7)}${node(24, 8, 8)}${node(25, 0.02, 0)}
      ${way(10, [20, 21])}${way(11, [22, 23])}${way(12, [24, 23])}${way(13, [1, 25])}
      <relation id="1" version="1"><member type="way" ref="10" role="outer"/><member type="way" ref="11" role="outer"/><tag k="type" v="multipolygon"/></relation>
      <relation id="2" version="1"><member type="way" ref="12" role=""/><tag k="type" v="route"/></relation>
    </create>`)
    const { path, report } = await apply(village(), [changes], within)
    expect(report.created).toEqual({ nodes: 5, ways: 3, relations: 1 })
    expect(report.ignored).toEqual(new Map([['outside-extract', 3]]))
    expect((await readAll(path)).report.read).toEqual({ nodes: 10, ways: 4, relations: 1 })
  })

  test('do not bring in anything where all of it is elsewhere', async () => {
    const { report } = await apply(village(), [oscOf(`<create>${node(20, 5, 5)}${way(3, [20])}</create>`)], within)
    expect(report.created).toEqual({ nodes: 0, ways: 0, relations: 0 })
    expect(report.ignored.get('outside-extract')).toBe(2)
  })

  test('do not bring in relations for a node that is outside, though the extract has it', async () => {
    const relation = (type: string, ref: number) =>
      oscOf(`<create><relation id="9" version="1"><member type="${type}" ref="${ref}" role=""/></relation></create>`)
    const outside = { within: [5, 5, 6, 6] as [number, number, number, number] }
    expect((await apply(village(), [relation('node', 5)], outside)).report.created.relations).toBe(0)
    expect((await apply(village(), [relation('way', 1)], outside)).report.created.relations).toBe(1)
  })

  test('count the nodes that moved in and belong to ways that nobody knows', async () => {
    const { report } = await apply(village(), [oscOf(`<modify>${node(20, 0.005, 0.005)}</modify>`)], within)
    expect(report).toMatchObject({ created: { nodes: 1 }, nodesOfUnknownWays: 1 })
  })

  test('count the ways that a deletion leaves without a node', async () => {
    const { path, report } = await apply(village(), [oscOf('<delete><node id="3" version="2"/></delete>')])
    expect(report).toMatchObject({ waysLosingNodes: 1, waysMissingNodes: 0 })
    expect((await readAll(path)).dropped).toEqual({ 'way-incomplete': 1 })
  })
})

describe('what is refused', () => {
  const refused = async (file: string, changes: readonly string[]) => {
    const output = newPath('.osm.pbf')
    writeFileSync(output, 'before')
    const error = await apply(file, changes, { output }).catch((thrown) => thrown)
    expect(readFileSync(output, 'utf8')).toBe('before')
    expect(readdirSync(dirname(output)).filter((name) => name.endsWith('.part'))).toEqual([])
    return { code: error.code, message: String(error.message).replaceAll(dirname(changes[0] ?? file), '') }
  }
  const text = (content: string | Uint8Array) => {
    const path = newPath('.osc')
    writeFileSync(path, content)
    return path
  }
  const whole = oscOf(`<create>${node(9, 1, 1)}${'<node id="8" version="1" lon="0" lat="0"/>'.repeat(2000)}</create>`)

  test.each([
    [
      'a file cut in its compressed bytes',
      () => text(bytesOf(whole).subarray(0, 100)),
      'changes-cut-off',
      'download it again',
    ],
    [
      'a file cut in its text',
      () => text(gunzipSync(bytesOf(whole)).subarray(0, 5000)),
      'changes-cut-off',
      'download it again',
    ],
    ['an empty file', () => text(''), 'not-a-change-file', 'is empty'],
    ['a page of a server', () => text('<html><body>404</body></html>'), 'not-a-change-file', '<html>'],
    ['another XML file', () => text('<osm version="0.6"></osm>'), 'not-a-change-file', '<osm>'],
    ['anything else', () => text('404 not found'), 'not-a-change-file', 'not XML'],
    ['a PBF file', () => village(), 'not-a-change-file', 'not XML'],
    ['bzip2', () => text('BZh91AY'), 'not-a-change-file', 'bunzip2'],
    ['a file that is not there', () => '/nowhere/1.osc.gz', 'missing-file', "can't be read"],
    [
      'a node without a place',
      () => oscOf('<create>\n<node id="3" version="1"/></create>'),
      'changes-damaged',
      'line 4',
    ],
    ['a place off Earth', () => oscOf('<create><node id="3" lon="200" lat="1"/></create>'), 'changes-damaged', 'lon'],
    [
      'a version that is none',
      () => oscOf('<modify><node id="5" version="two" lon="0" lat="0"/></modify>'),
      'changes-damaged',
      'node 5 has no valid version',
    ],
    [
      'a time that is none',
      () => oscOf('<modify><node id="5" version="2" timestamp="yesterday" lon="0" lat="0"/></modify>'),
      'changes-damaged',
      'node 5 has no valid timestamp',
    ],
    ['an id that is none', () => oscOf('<create><way id="1.5"/></create>'), 'changes-damaged', 'way has no valid id'],
    [
      'a member of no type',
      () => oscOf('<create><relation id="1"><member ref="1"/></relation></create>'),
      'changes-damaged',
      'member',
    ],
    ['XML that is not well formed', () => oscOf('<create><node id="1"</create>'), 'changes-damaged', 'not valid XML'],
    [
      'text that is not UTF-8',
      () => text(Buffer.from('<osmChange>\xe9</osmChange>', 'latin1')),
      'changes-damaged',
      'UTF-8',
    ],
  ])('%s, in one sentence, and the old file stays', async (_, changes, code, part) => {
    const error = await refused(village(), [changes()])
    expect(error.code).toBe(code)
    expect(error.message).toContain(part)
  })

  test.each([
    [
      'a folder',
      () => {
        const path = newPath('')
        mkdirSync(path)
        return path
      },
      'it is a folder',
    ],
    [
      'a pipe',
      () => {
        const path = newPath('')
        spawnSync('mkfifo', [path])
        return path
      },
      'it is no ordinary file',
    ],
    ['a file of a folder that is not there', () => '/nowhere/x.osm.pbf', 'there is no such file'],
  ])('an output that is %s', async (_, output, why) => {
    const error = await apply(village(), [whole], { output: output() }).catch((thrown) => thrown)
    expect([error.code, error.message]).toEqual(['unwritable-output', expect.stringContaining(why)])
  })

  test('an output that is one of the change files, also by another path', async () => {
    const changes = text(bytesOf(whole))
    const link = newPath('.osc.gz')
    symlinkSync(changes, link)
    expect(await apply(village(), [whole, changes], { output: link }).catch(({ code }) => code)).toBe(
      'unwritable-output',
    )
    expect(readFileSync(changes)).toEqual(bytesOf(whole))
  })

  test('elements of the format that are not known are passed over', async () => {
    const { path } = await apply(village(), [
      oscOf(`<bounds minlat="0"/><augment><node id="5" version="9"/></augment>
        <modify><node id="5" version="2" lon="0.001" lat="0.002"><discussion><tag k="natural" v="no"/></discussion><tag k="natural" v="peak"/></node><changeset id="3"/></modify>`),
    ])
    expect((await readAll(path)).objects.find(({ id }) => id === 'n5')?.tags).toEqual({ natural: 'peak' })
  })

  test('a file that is not sorted', async () => {
    const sorted = { blockElements: 1, sorted: false }
    const of = (id: number) => ({ id, longitude: 0, latitude: 0, tags: {}, version: 1, timestamp: TIME })
    const file = fileOf(writePbf({ nodes: [of(2), of(1)], ways: [], relations: [] }, sorted))
    expect(await refused(file, [whole])).toMatchObject({ code: 'pbf-not-sorted' })
  })

  const located = sharedData('edge/loc_on_ways.osm.pbf')
  test.skipIf(lacks(located))('a file with locations on its ways, which nodes would not move', async () => {
    const { code, message } = await refused(join(SHARED, 'edge/loc_on_ways.osm.pbf'), [whole])
    expect([code, message]).toEqual(['pbf-located-ways', expect.stringContaining('without them')])
  })
})
