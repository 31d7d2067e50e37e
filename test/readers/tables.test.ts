import { expect, inject, test } from 'vitest'
import { evaluationCsv, manifestOf, TOWN_CSVS } from './dataset.ts'
import { python } from './python.ts'

interface Tables {
  readonly csvs: Readonly<
    Record<string, { columns: string[]; types: string[]; rows: number; empty: number; same: boolean }>
  >
  readonly rows: number
  readonly types: Readonly<Record<string, string>>
  readonly splits: readonly string[]
}

test('pandas and pyarrow read the CSVs, the JSON lines and the manifest, in the right types', async () => {
  const { town } = inject('datasets')
  const { csvs, rows, types, splits } = python<Tables>('plain', 'tables.py', [town])
  const scorers = ['openai', 'laion_RS']
  const due = [
    ...Object.values(TOWN_CSVS),
    ...scorers.flatMap((scorer) => (['val', 'test'] as const).map((part) => evaluationCsv(part, scorer))),
  ]
  expect(Object.keys(csvs).sort()).toEqual(due.sort())
  for (const [csv, { columns, types: kinds, rows: count, empty, same }] of Object.entries(csvs)) {
    const scorer = csv.includes('laion_RS') ? 'laion_RS' : 'openai'
    expect(columns).toEqual(['filepath', 'title', 'title_multi_objects', `similarity_CLIP_${scorer}`])
    expect(kinds.slice(0, 3)).toEqual(['str', 'str', 'str'])
    expect(kinds[3]).toBe('float64')
    expect({ csv, empty, same }).toEqual({ csv, empty: 0, same: true })
    expect(count).toBeGreaterThan(0)
  }
  expect(rows).toBe((await manifestOf(town)).length)
  expect(splits).toEqual(['test', 'train', 'val'])
  expect(types).toMatchObject({ id: 'string', west: 'double', width: 'int32', center_tags: 'string' })
  expect(types.time).toMatch(/^timestamp\[\w+(, tz=UTC)?\]$/)
})
