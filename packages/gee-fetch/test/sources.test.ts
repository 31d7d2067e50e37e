import { SHIPPED_SOURCES } from '@skyscript/core'
import { expect, test } from 'vitest'
import { expectListed } from '../../../test/support/folder-list.ts'
import { SOURCES } from '../src/index.ts'

test('every file in sources/ is a source of the list, under the alias that names the file', async () => {
  await expectListed(new URL('../src/sources/', import.meta.url), Object.values(SOURCES), {
    others: ['coarser', 'source', 'source-facts', 'sources'],
    nameOf: ({ alias }) => alias.toLowerCase(),
  })
})

test('the settings name the shipped sources, and no others', () => {
  expect(Object.keys(SOURCES)).toEqual(Object.keys(SHIPPED_SOURCES))
  for (const [alias, source] of Object.entries(SOURCES)) expect(source.alias).toBe(alias)
})
