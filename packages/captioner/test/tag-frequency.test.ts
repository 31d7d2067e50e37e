import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { lacks, sharedFile } from '../../../test/support/needs.ts'
import { frequencyTable, readExport } from '../scripts/tag-frequency.ts'
import { createCaptioner } from '../src/captioner.ts'
import { loadTables } from '../src/tables.ts'

const SHIPPED = fileURLToPath(new URL('../src/tables/tag-frequency.csv', import.meta.url))
const COUNTS = fileURLToPath(new URL('../../../../shared/data/tag-counts-2023-04.tsv', import.meta.url))
const { frequency } = loadTables({})

test('the shipped table holds each tag once, the most used first, and is read with quotes', () => {
  expect(new Set(frequency.map(({ key, value }) => `${key}=${value}`)).size).toBe(frequency.length)
  for (const [i, { count }] of frequency.entries()) {
    expect(Number.isInteger(count) && count > 0).toBe(true)
    if (i > 0) expect(count).toBeLessThanOrEqual(frequency[i - 1]!.count)
  }
  expect(frequency).toContainEqual({ key: 'seamark:topmark:shape', value: 'cone, point up', count: 16_900 })
})

const lacksCounts = lacks(sharedFile('data', 'tag-counts-2023-04.tsv'))
test.skipIf(lacksCounts)('the shipped table is what the script makes of the counts of April 2023', () => {
  expect(frequencyTable(readExport(readFileSync(COUNTS, 'utf8'), COUNTS, 'x'))).toBe(readFileSync(SHIPPED, 'utf8'))
})

test('a table is made of a CSV or a tabbed export: tags that the tables name, by count, equals in the order of the export', () => {
  const tags = [
    ['highway', 'service', '5'],
    ['building', 'yes', '90'],
    ['seamark:topmark:shape', 'cone, "up"', '7'],
    ['name', 'Main Street', '80'],
    ['addr:street', 'Main Street', '70'],
    ['natural', 'tree', '5'],
    ['barrier', 'fence', '0'],
  ]
  const csv = [
    'key,value,count',
    ...tags.map(([key, value, count]) => `${key},"${value!.replaceAll('"', '""')}",${count}`),
  ]
  const tabbed = ['key\tvalue\tcount\tbasis', ...tags.map((tag) => `${tag.join('\t')}\tours`)]
  const table = (basis: string) =>
    [
      'key,value,count,source',
      `building,yes,90,${basis}`,
      `seamark:topmark:shape,"cone, ""up""",7,${basis}`,
      `highway,service,5,${basis}`,
      `natural,tree,5,${basis}`,
      '',
    ].join('\n')
  expect(frequencyTable(readExport(csv.join('\r\n'), 'e.csv', 'taginfo'))).toBe(table('taginfo'))
  expect(frequencyTable(readExport(tabbed.join('\n'), 'e.tsv', 'taginfo'))).toBe(table('ours'))
  expect(() => readExport('key,value,count\na,b,many\n', 'e.csv', 'x')).toThrow('e.csv, line 2: the count must be')
  expect(() => readExport('key,value\na,b\n', 'e.csv', 'x')).toThrow('e.csv must have the columns key, value and count')
})

test('tags that the table lacks come last, those of keys that are used more first, then by key and value', () => {
  const tags = { surface: 'zz', building: 'zz', aaa: 'b', aab: 'a', 'seamark:topmark:shape': 'cone, point up' }
  const { title } = createCaptioner().caption(tags, [], { allTags: true })
  expect(title).toBe(
    'a satellite image of seamark topmark shape of cone, point up, building of zz, surface of zz, aaa of b, aab of a',
  )
})
