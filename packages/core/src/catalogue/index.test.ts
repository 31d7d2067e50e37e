import { expect, test } from 'vitest'
import { expectListed } from '../../../../test/support/folder-list.ts'
import { parseConfig } from '../config.ts'
import { SHIPPED_SOURCES } from '../records.ts'
import { CATALOGUE } from './index.ts'

test('every file in catalogue/ is an entry of the list, under the alias that names the file', async () => {
  await expectListed(new URL('.', import.meta.url), CATALOGUE, {
    others: ['entry', 'outlines'],
    nameOf: ({ alias }) => alias.toLowerCase(),
  })
  for (const { alias } of CATALOGUE) expect(Object.keys(SHIPPED_SOURCES)).not.toContain(alias)
})

test.each(CATALOGUE.map(({ alias }) => alias))(
  'the entry %s says all that a region file has to say of a source, and where its terms are',
  (alias) => {
    const text = `osm: { source: a.pbf }\noutput: out\nimagery: { sources: [${alias}] }\n`
    const [source] = parseConfig(text, '/region.yaml').imagery.sources
    const { terms, confirmed, ...entry } = CATALOGUE.find((each) => each.alias === alias)!
    expect(source).toMatchObject({ alias, licence: entry.licence, credit: entry.credit })
    expect(URL.canParse(terms)).toBe(true)
    expect(confirmed).toMatch(/^(never|\d{4}-\d\d-\d\d)$/)
  },
)
