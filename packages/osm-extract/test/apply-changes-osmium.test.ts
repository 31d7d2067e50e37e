import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lacks, OSMIUM } from '../../../test/support/needs.ts'
import { apply, opl, oscOf, osmiumApply, withoutDenseNodes } from './changes.ts'
import { fileOf, SHARED, sharedData, writePbf } from './files.ts'

const TIME = '2024-06-01T00:00:00Z'

describe('changes applied by osmium and by us', () => {
  test.skipIf(lacks(OSMIUM))(
    'random maps and changes give the same elements',
    async () => {
      const text = fc.constantFrom('', 'a', 'é\u{1F600}', '<&"\'>', 'building', 'x'.repeat(200))
      const tags = fc.dictionary(
        text.filter((key) => key !== ''),
        text,
        { maxKeys: 3 },
      )
      const degrees = fc.integer({ min: -1_800_000_000, max: 1_800_000_000 })
      const element = { id: fc.integer({ min: 1, max: 30 }), version: fc.integer({ min: 1, max: 9 }), tags }
      const nodes = fc.record({ ...element, longitude: degrees, latitude: degrees.map((x) => Math.trunc(x / 2)) })
      // osmium 1.15 loses a way with the id of the node that comes before it.
      const ways = fc.record({
        ...element,
        id: fc.integer({ min: 101, max: 130 }),
        nodes: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
      })
      const lists = <T extends { id: number; version: number }>(of: fc.Arbitrary<T>) =>
        fc.uniqueArray(of, { maxLength: 25, selector: ({ id, version }) => `${id} ${version}` })
      const map = fc.record({
        nodes: lists(nodes),
        ways: lists(ways),
        deleted: fc.array(fc.boolean(), { maxLength: 60 }),
      })
      const element31 = { id: 31, version: 1, tags: {} }
      const escaped = (value: string) => value.replace(/[<&"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
      const tagsXml = (of: Record<string, string>) =>
        Object.entries(of)
          .map(([k, v]) => `<tag k="${escaped(k)}" v="${escaped(v)}"/>`)
          .join('')
      await fc.assert(
        fc.asyncProperty(map, map, fc.boolean(), async (before, changes, isDense) => {
          const first = <T extends { id: number }>(list: readonly T[]) => [
            ...new Map(list.map((one) => [one.id, one])).values(),
          ]
          const plain = (list: readonly (typeof before.nodes)[number][]) =>
            list.map((one) => ({ ...one, timestamp: TIME }))
          const dense = fileOf(
            writePbf(
              {
                nodes: plain([...first(before.nodes), { ...element31, longitude: 0, latitude: 0 }]),
                ways: [...first(before.ways), { ...element31, id: 131, nodes: [31] }].map((one) => ({
                  ...one,
                  timestamp: TIME,
                })),
                relations: [],
              },
              { blockElements: 7 },
            ),
          )
          const file = isDense ? dense : withoutDenseNodes(dense)
          let i = 0
          const action = (xml: string) => (changes.deleted[i++] ? `<delete>${xml}</delete>` : `<modify>${xml}</modify>`)
          const xml = [
            ...changes.nodes.map((one) =>
              action(
                `<node id="${one.id}" version="${one.version + 4}" lon="${one.longitude / 1e7}" lat="${one.latitude / 1e7}" user="${'é'.repeat(one.id % 3)}" uid="${one.id % 3}" changeset="${one.version}">${tagsXml(one.tags)}</node>`,
              ),
            ),
            ...changes.ways.map((one) =>
              action(
                `<way id="${one.id}" version="${one.version + 4}">${one.nodes.map((ref) => `<nd ref="${ref}"/>`).join('')}${tagsXml(one.tags)}</way>`,
              ),
            ),
          ]
          const half = xml.length >> 1
          const files = [oscOf(xml.slice(0, half).join('')), oscOf(xml.slice(half).join(''))]
          expect(opl((await apply(file, files)).path)).toEqual(opl(osmiumApply(file, files)))
        }),
        { numRuns: 25 },
      )
    },
    60_000,
  )

  for (const [file, changes] of [
    ['andorra-2024', 'andorra-2024-2025'],
    ['liechtenstein-2021', 'liechtenstein-2021-2022'],
  ] as const) {
    const need = [OSMIUM, sharedData(`${file}.osm.pbf`), sharedData(`${changes}.osc.gz`)]
    test.skipIf(lacks(...need))(
      `a year of ${file} gives the elements that osmium gives, also if only its own area may come in`,
      async () => {
        const [base, osc] = [join(SHARED, `${file}.osm.pbf`), [join(SHARED, `${changes}.osc.gz`)]]
        const theirs = opl(osmiumApply(base, osc))
        expect(opl((await apply(base, osc, { within: 'extract' })).path)).toEqual(theirs)
      },
      120_000,
    )
  }
})
