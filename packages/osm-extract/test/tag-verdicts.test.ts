// @module-tag slow
import { RELATION_AREA_OFFSET, type TagPattern } from '@skyscript/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extract, type TagRules, type TagVerdicts, type Verdict } from '../src/index.ts'
import { KEYS_AT_HAND } from '../src/limits.ts'
import { VerdictsByKey } from '../src/tag-verdicts.ts'
import {
  fileOf,
  fileOfBlocks,
  type OsmData,
  type ProtoWriter,
  readAll,
  readBytes,
  Sketch,
  strings,
  writePbf,
} from './files.ts'

type Tags = Record<string, string>

const NO_TAGS: TagVerdicts['tags'] = new Map()

/** Extracts a node that has only these tags; returns its id, or the reason why it was dropped. */
async function fateOf(tags: Tags, wanted: TagVerdicts): Promise<string> {
  const sketch = new Sketch()
  sketch.node('1,1', tags)
  const { objects, dropped, report } = await sketch.read({ wanted })
  expect(report.tagged).toBe(1)
  expect(objects.length + Object.keys(dropped).length).toBe(1)
  return objects[0]?.id ?? Object.keys(dropped)[0]!
}

describe('an element by what is said of its tags', () => {
  const rules: TagVerdicts = {
    tags: new Map<string, Map<string, Verdict>>([
      ['building', new Map([['no', 0]])],
      ['height', new Map([['high', null]])],
      ['level', new Map([['1', 1]])],
    ]),
    patterns: [
      { key: 'building', value: null, verdict: null },
      { key: /^addr(:|$)/, value: null, verdict: 2 },
      { key: 'height', value: /^\d+$/, verdict: 1 },
      { key: 'level', value: null, verdict: 1 },
      { key: /^(height|width)$/, value: /^\d/, verdict: 2 },
      { key: 'addr:flats', value: null, verdict: null },
      { key: null, value: 'tree', verdict: null },
      { key: 'width', value: 'narrow', verdict: 0 },
    ],
    reasons: ['absent', 'number', 'address', 'unknown'],
  }
  test.each<[claim: string, Tags, string]>([
    ['is wanted by the pattern of its key', { building: 'yes' }, 'n1'],
    ['is not where its value is named as one that is not', { building: 'no' }, 'absent'],
    ['is wanted for one tag, whatever is said of the others', { building: 'no', height: 'high', addr: 'x' }, 'n1'],
    ['is judged by an expression for its key', { 'addr:street': 'x' }, 'address'],
    ['is judged by the first pattern that fits, though a later one wants it', { 'addr:flats': '2' }, 'address'],
    ['is judged by an expression for its value', { height: '12' }, 'number'],
    ['is judged by the next pattern where a value does not fit', { height: '12 m' }, 'address'],
    ['is wanted for a value under any key', { something: 'tree' }, 'n1'],
    ['is judged by the very value', { width: 'narrow' }, 'absent'],
    ['has the last reason where nothing is said', { width: 'narrower' }, 'unknown'],
    ['has the reason that stands first', { shop: 'x', 'addr:street': 'x', height: '12' }, 'number'],
    ['has the reason that stands first, wherever its tag does', { building: 'no', level: '1' }, 'absent'],
  ])('%s: %o', async (_, tags, fate) => {
    expect(await fateOf(tags, rules)).toBe(fate)
  })

  test('is judged the same each time where an expression remembers its last match', async () => {
    for (const flags of ['g', 'y', 'gy']) {
      const sticky = { tags: NO_TAGS, patterns: [{ key: 'a', value: new RegExp('x', flags), verdict: null }] }
      const sketch = new Sketch()
      for (let x = 0; x < 5; x++) sketch.node(`${x},0`, { a: 'xx' })
      expect((await sketch.read({ wanted: { ...sticky, reasons: ['other'] } })).objects).toHaveLength(5)
    }
  })

  test('is never held against an expression where its key or value is longer than any of OSM, as that may take hours', async () => {
    // Fails only after it has tried all ways to cut the text in two, again and again.
    const slow = /^(x+)+(x+)+y$/
    const patterns = [
      { key: slow, value: null, verdict: null },
      { key: 'a', value: slow, verdict: null },
      { key: 'b', value: null, verdict: 0 },
    ]
    const wanted = { tags: NO_TAGS, patterns, reasons: ['any', 'unknown'] }
    const long = 'x'.repeat(2 ** 20)
    expect(await fateOf({ [long]: 'x' }, wanted)).toBe('unknown')
    expect(await fateOf({ a: long }, wanted)).toBe('unknown')
    expect(await fateOf({ b: long }, wanted)).toBe('any')
  })
})

test('a key is told without its values where all of them have one reason, and no later pattern changes that', () => {
  const byKey = new VerdictsByKey({
    tags: new Map<string, Map<string, Verdict>>([
      ['name', new Map([['x', 1]])],
      ['building', new Map([['no', 0]])],
      ['tree', new Map([['yes', null]])],
    ]),
    patterns: [
      { key: 'addr', value: /^1/, verdict: 0 },
      { key: /^(addr|name)/, value: null, verdict: 1 },
      { key: 'addr:flats', value: '2', verdict: null },
      { key: 'tree', value: null, verdict: null },
    ],
    reasons: ['first', 'second', 'unknown'],
  })
  for (const [key, reason] of [
    ['name', 1],
    ['addr:flats', 1],
    ['addr:street', 1],
    ['other', 2],
  ] as const)
    expect(byKey.get(key)).toBe(reason)
  expect(byKey.get('tree')).toMatchObject({ meansAll: true, meansSome: true })
  // Several reasons, none of which needs a value as long as another tag is wanted.
  for (const key of ['addr', 'building']) expect(byKey.get(key)).toMatchObject({ meansSome: false })
})

test('nodes, ways and relations are each counted once, by reason, ways also where a wanted relation needs them', async () => {
  const wanted: TagVerdicts = {
    tags: new Map([['landuse', new Map([['forest', null]])]]),
    patterns: [
      { key: 'name', value: null, verdict: 1 },
      { key: 'type', value: null, verdict: 1 },
    ],
    reasons: ['never', 'named', 'unknown'],
  }
  const sketch = new Sketch()
  sketch.node('0,0', { name: 'x' })
  sketch.node('1,1', { shop: 'x' })
  const ring = sketch.way('0,0 4,0 4,4 0,4 0,0', { name: 'a member' })
  sketch.way('0,0 4,0 4,4 0,4 0,0', { name: 'x' })
  sketch.way('0,0 4,0', { highway: 'path' })
  sketch.way('0,0 4,0', { landuse: 'meadow' })
  sketch.way('0,0 4,0', {})
  sketch.relation([ring], { landuse: 'forest' })
  sketch.relation([ring], { landuse: 'meadow' })
  sketch.relation([ring], { type: 'route', name: 'no area' })
  for (const counted of [null, 'all'] as const) {
    const { objects, dropped, report } = await sketch.read({ wanted, counted })
    expect(objects.map(({ id }) => id)).toEqual([`a${RELATION_AREA_OFFSET + 1}`])
    expect(Object.entries(dropped)).toEqual([
      ['named', 4],
      ['unknown', 3],
    ])
    expect(report.tagged).toBe(8)
  }
})

test('reasons are in alphabetical order among the others, and one that is named like another is added to it', async () => {
  const sketch = new Sketch()
  sketch.way('0,0 ?', { highway: 'path' })
  for (const key of ['a', 'b', 'c']) sketch.way('0,0 1,1', { [key]: 'x' })
  const wanted: TagVerdicts = {
    tags: NO_TAGS,
    patterns: [
      { key: 'highway', value: null, verdict: null },
      { key: 'a', value: null, verdict: 0 },
      { key: 'b', value: null, verdict: 1 },
    ],
    reasons: ['z', 'way-incomplete', 'a'],
  }
  expect(Object.entries((await sketch.read({ wanted })).dropped)).toEqual([
    ['a', 1],
    ['way-incomplete', 2],
    ['z', 1],
  ])
})

test.each<[string, TagVerdicts, RegExp]>([
  ['without a reason', { tags: NO_TAGS, patterns: [], reasons: [] }, /at least one reason/],
  [
    'of more reasons than there is room for',
    { tags: NO_TAGS, patterns: [], reasons: new Array(2 ** 16).fill('x') },
    /at most/,
  ],
  ['on a tag', { tags: new Map([['a', new Map([['b', 1]])]]), patterns: [], reasons: ['x'] }, /on a=b is 1; give null/],
  [
    'on a pattern',
    { tags: NO_TAGS, patterns: [{ key: /a/, value: null, verdict: -1 }], reasons: ['x'] },
    /on \/a\/=\* is -1/,
  ],
  [
    'between two',
    { tags: NO_TAGS, patterns: [{ key: null, value: 'b', verdict: 0.5 }], reasons: ['x'] },
    /on \*=b is 0.5/,
  ],
])('a verdict that is none is refused before anything is read: %s', (_, rules, message) => {
  expect(() => extract('no-such-file', { wanted: rules })).toThrow(message)
  expect(() => extract('no-such-file', { wanted: 'all', counted: rules })).toThrow(TypeError)
})

test('in a file of 200,000 different keys few are at hand at any time, and each is judged', {
  timeout: 30_000,
}, async () => {
  const many = 200_000
  const rules: TagVerdicts = {
    tags: NO_TAGS,
    patterns: [{ key: /^k\d*7$/, value: /^v/, verdict: 0 }],
    reasons: ['seven', 'unknown'],
  }
  const keys = Array.from({ length: many }, (_, i) => `k${i}`)
  const inBlock = 20_000
  const ones = new Array(inBlock).fill(1)
  const blockFrom = (start: number) => (block: ProtoWriter) =>
    block.message(1, strings('v', ...keys.slice(start, start + inBlock))).message(2, (group) =>
      group.message(2, (dense) =>
        dense
          .packedSigned(1, ones)
          .packedSigned(8, ones)
          .packedSigned(9, ones)
          .packed(
            10,
            ones.flatMap((value, i) => [i + 2, value, 0]),
          ),
      ),
    )
  const blocks = Array.from({ length: many / inBlock }, (_, i) => blockFrom(i * inBlock))
  const { dropped } = await readBytes(fileOfBlocks(...blocks), { wanted: rules })
  expect(dropped).toEqual({ seven: many / 10, unknown: (many * 9) / 10 })

  const byKey = new VerdictsByKey(rules)
  const sevens = new Set<unknown>()
  let most = 0
  for (const key of keys) {
    const answer = byKey.get(key)
    if (key.endsWith('7')) sevens.add(answer)
    else expect(answer).toBe(1)
    most = Math.max(most, byKey.size)
  }
  expect(most).toBe(KEYS_AT_HAND)
  // Keys that the same patterns fit share what is known of them.
  expect(sevens.size).toBeLessThanOrEqual(many / KEYS_AT_HAND)
})

describe('the fate of any element under any rules is what a walk over its tags and all patterns gives', () => {
  const KEYS = ['a', 'b', 'ab', 'addr', 'addr:street', 'name:de', 'type', '__proto__']
  const VALUES = ['', '1', '12', 'no', 'yes', 'noyes', 'constructor', 'multipolygon']
  const EXPRESSIONS = [/^addr(:|$)/, /:/, /^.$/s, /e/g, /o/y, /^\d+$/, /(?:)/, /^$/]

  function fits(pattern: TagPattern, text: string): boolean {
    if (pattern === null) return true
    return typeof pattern === 'string' ? pattern === text : new RegExp(pattern.source, pattern.flags).test(text)
  }

  function verdictOf({ tags, patterns, reasons }: TagVerdicts, key: string, value: string): Verdict {
    if (tags.get(key)?.has(value)) return tags.get(key)!.get(value)!
    for (const pattern of patterns) if (fits(pattern.key, key) && fits(pattern.value, value)) return pattern.verdict
    return reasons.length - 1
  }

  /** null: wanted. */
  function reasonOf(rules: TagVerdicts, tags: Tags): string | null {
    const verdicts = Object.entries(tags).map(([key, value]) => verdictOf(rules, key, value))
    return verdicts.includes(null) ? null : rules.reasons[Math.min(...(verdicts as number[]))]!
  }

  const key = fc.constantFrom(...KEYS)
  const value = fc.constantFrom(...VALUES)
  const expression = fc.constantFrom(...EXPRESSIONS)
  const verdictAmong = (reasons: number) =>
    fc.oneof(fc.constant(null), { weight: 3, arbitrary: fc.nat(reasons - 1) }) as fc.Arbitrary<Verdict>
  const rules: fc.Arbitrary<TagVerdicts> = fc.integer({ min: 1, max: 4 }).chain((count) => {
    const verdict = verdictAmong(count)
    const pattern = (text: fc.Arbitrary<string>) => fc.oneof(text, expression, fc.constant(null))
    return fc.record({
      tags: fc
        .array(fc.tuple(key, fc.array(fc.tuple(value, verdict), { maxLength: 4 })), { maxLength: 4 })
        .map((all) => new Map(all.map(([name, values]) => [name, new Map(values)]))),
      patterns: fc.array(fc.record({ key: pattern(key), value: pattern(value), verdict }), { maxLength: 5 }),
      reasons: fc.constant(['z', 'y', 'x', 'w'].slice(0, count)),
    })
  })
  const tagSets = fc.array(
    fc
      .array(fc.tuple(key, value), { maxLength: 3 })
      .map((entries) => Object.fromEntries(entries.filter(([name]) => name !== 'type')) as Tags),
    { minLength: 1, maxLength: 25 },
  )

  const EDIT = { version: 1, timestamp: '2024-05-01T12:00:00Z' }
  const CORNERS = [0, 1, 2, 3].map((i) => ({
    id: 1000 + i,
    longitude: i === 1 || i === 2 ? 1000 : 0,
    latitude: i > 1 ? 1000 : 0,
    tags: {},
    ...EDIT,
  }))
  /** Each kind of element with each set of tags, all of them whole. */
  const dataOf = (sets: readonly Tags[]): OsmData => ({
    nodes: [...sets.map((tags, i) => ({ id: i + 1, longitude: i, latitude: i, tags, ...EDIT })), ...CORNERS],
    ways: sets.map((tags, i) => ({ id: i + 1, nodes: [1000, 1001, 1002, 1003, 1000], tags, ...EDIT })),
    relations: sets.map((tags, i) => ({
      id: i + 1,
      members: [{ type: 'way', ref: 1 + (i % 3 === 0 ? i : 0), role: 'outer' }],
      tags: { ...tags, type: i % 4 === 3 ? 'route' : 'multipolygon' },
      ...EDIT,
    })),
  })

  function expected(data: OsmData, wanted: TagVerdicts, counted: TagVerdicts | null) {
    const ids: string[] = []
    const dropped = new Map<string, number>()
    const tagCounts = new Map<string, number>()
    let tagged = 0
    const judge = (id: string, tags: Tags) => {
      tagged++
      const reason = reasonOf(wanted, tags)
      if (reason === null) ids.push(id)
      else dropped.set(reason, (dropped.get(reason) ?? 0) + 1)
    }
    const all = [...data.nodes, ...data.ways, ...data.relations].flatMap(({ tags }) => Object.entries(tags))
    for (const [name, text] of counted ? all : [])
      if (verdictOf(counted!, name, text) === null)
        tagCounts.set(`${name}=${text}`, (tagCounts.get(`${name}=${text}`) ?? 0) + 1)
    for (const { id, tags } of data.nodes) if (Object.keys(tags).length > 0) judge(`node ${id}`, tags)
    for (const { id, tags } of data.ways) if (Object.keys(tags).length > 0) judge(`way ${id}`, tags)
    for (const { id, tags } of data.relations)
      if (Object.keys(tags).length > 1 && tags.type === 'multipolygon') judge(`relation ${id}`, tags)
    return { ids, dropped: Object.fromEntries(dropped), tagCounts: Object.fromEntries(tagCounts), tagged }
  }

  async function found(path: string, options: Parameters<typeof readAll>[1]) {
    const { objects, dropped, report } = await readAll(path, options)
    const nameOf = (id: string) => {
      const number = Number(id.slice(1))
      if (id.startsWith('n')) return `node ${number}`
      return number < RELATION_AREA_OFFSET ? `way ${number}` : `relation ${number - RELATION_AREA_OFFSET}`
    }
    const { points, lines, areas } = report.emitted
    const sum = [...report.dropped.values()].reduce((a, b) => a + b, points + lines + areas)
    expect(sum).toBe(report.tagged)
    return {
      ids: objects.map(({ id }) => nameOf(id)),
      dropped,
      tagCounts: Object.fromEntries(report.tagCounts),
      tagged: report.tagged,
    }
  }

  test.each<[string, number, number]>([
    ['in one thread', 1, 200],
    ['in two threads', 2, 12],
  ])('%s', { timeout: 120_000 }, async (_, threads, numRuns) => {
    await fc.assert(
      fc.asyncProperty(rules, rules, tagSets, async (wanted, counted, sets) => {
        const data = dataOf(sets)
        const path = fileOf(writePbf(data))
        // While tags are counted, ways are not skimmed.
        for (const also of [null, counted])
          expect(await found(path, { wanted, counted: also, threads })).toEqual(expected(data, wanted, also))
      }),
      { numRuns },
    )
  })

  test('and rules by key and value are verdicts with one reason', async () => {
    const some: fc.Arbitrary<TagRules> = fc
      .array(
        fc.tuple(
          key,
          fc.oneof(
            fc.constant(true as const),
            fc.uniqueArray(value).map((all) => new Set(all)),
          ),
        ),
      )
      .map((all) => new Map(all))
    await fc.assert(
      fc.asyncProperty(some, tagSets, async (wanted, sets) => {
        const data = dataOf(sets)
        const tags = new Map(
          [...wanted].map(([name, values]) => [
            name,
            new Map([...(values === true ? [...VALUES, 'route'] : values)].map((text) => [text, null])),
          ]),
        )
        const verdicts = { tags, patterns: [], reasons: ['not-wanted'] }
        for (const counted of [null, wanted])
          expect(await found(fileOf(writePbf(data)), { wanted, counted })).toEqual(
            expected(data, verdicts, counted && verdicts),
          )
      }),
      { numRuns: 200 },
    )
  })
})
