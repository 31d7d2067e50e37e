import type { Config } from '@skyscript/core'
import { csvPath, parseRowsPath } from '@skyscript/dataset'
import { expect, test } from 'vitest'
import { expectListed } from '../../../test/support/folder-list.ts'
import { CUTS } from '../src/cuts/index.ts'
import { ENGINES } from '../src/scorers/index.ts'
import type { Region, SplitCriterion } from '../src/splits/criterion.ts'
import { type Layout, SPLIT_CRITERIA } from '../src/splits/index.ts'

test('every file in scorers/ is an engine of the list', async () => {
  const nameOf = ({ name }: { readonly name: string }) => name
  await expectListed(new URL('../src/scorers/', import.meta.url), ENGINES, { others: ['engine'], nameOf })
})

test('every file of a split criterion is in the list', async () => {
  const others = ['criterion', 'rectangles', 'choose-layout']
  const nameOf = ({ kind }: { readonly kind: string }) => kind
  await expectListed(new URL('../src/splits/', import.meta.url), SPLIT_CRITERIA, { others, nameOf })
})

test('every file of a cut is in the list, and the names of its files are read back as that cut', async () => {
  await expectListed(new URL('../src/cuts/', import.meta.url), CUTS, { others: ['cut'], nameOf: ({ part }) => part })
  for (const { part } of CUTS) {
    const set = { part, size: 1, scorer: 'demo' }
    expect(parseRowsPath('Town', csvPath('Town', set))?.set).toEqual(set)
  }
})

test('one split criterion serves each choice of settings', () => {
  const region: Region = { imageSide: 30, extent: [7, 46, 7.5, 46.5] }
  const small: Region = { imageSide: 30, extent: [7, 46, 7.01, 46.01] }
  const split = { by: 'block', degrees: 'auto', val: 1, test: 3 } as const
  const criteria: readonly SplitCriterion<Layout>[] = SPLIT_CRITERIA
  const kindsFor = (settings: Config['filter']['split'], ground: Region) =>
    criteria
      .flatMap(({ layouts }) => layouts(settings, ground, { val: 0.01, test: 0.03, benchmark: 0 }, 1))
      .map(({ kind }) => kind)
  for (const [settings, ground, kind] of [
    [{ ...split, by: 'image' }, region, 'image'],
    [{ ...split, degrees: 0.1 }, region, 'blocks'],
    [split, region, 'lattice'],
    [split, small, 'edge'],
  ] as const) {
    expect(new Set(kindsFor(settings, ground))).toEqual(new Set([kind]))
  }
})
