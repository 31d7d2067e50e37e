import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CsvSet, captionsPath, csvPath, parseRowsPath, partName, recordsPath } from './names.ts'

test("the original's files have the original's names", () => {
  const [scorer, name] = ['laion_RS', 'SkyScript']
  expect(csvPath(name, { part: 'train', size: 0, scorer: null })).toBe('SkyScript_train_unfiltered_5M.csv')
  expect(csvPath(name, { part: 'top', size: 30, scorer })).toBe(
    'SkyScript_train_top30pct_filtered_by_CLIP_laion_RS.csv',
  )
  expect(csvPath(name, { part: 'val', size: 5000, scorer })).toBe('SkyScript_val_5K_filtered_by_CLIP_laion_RS.csv')
  expect(csvPath(name, { part: 'test', size: 30_000, scorer })).toBe('SkyScript_test_30K_filtered_by_CLIP_laion_RS.csv')
  expect(csvPath(name, { part: 'above', size: -0.25, scorer })).toBe(
    'SkyScript_train_above-0.25_filtered_by_CLIP_laion_RS.csv',
  )
})

const names = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
const scorers = fc.stringMatching(/^[A-Za-z0-9_]{1,32}$/).filter((name) => !name.endsWith('_captions'))
const sets = fc.oneof(
  fc.constant<CsvSet>({ part: 'train', size: 0, scorer: null }),
  fc.record<CsvSet>({ part: fc.constant('top'), size: fc.integer({ min: 1, max: 100 }), scorer: scorers }),
  fc.record<CsvSet>({
    part: fc.constant('above'),
    size: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((micro) => micro / 1e6),
    scorer: scorers,
  }),
  fc.record<CsvSet>({ part: fc.constantFrom('val', 'test'), size: fc.nat(100_000), scorer: scorers }),
)

test('every file name can be parsed back to its set, for any settings', () => {
  fc.assert(
    fc.property(names, sets, (name, set) => {
      const csv = csvPath(name, set)
      expect(parseRowsPath(name, csv)).toEqual({ kind: 'pairs', set })
      expect(parseRowsPath(name, captionsPath(csv))).toEqual({ kind: 'captions', set })
      expect(parseRowsPath(name, recordsPath(csv))).toEqual({ kind: 'records', set })
      expect(csv.startsWith(`${name}_${partName(set)}`)).toBe(true)
    }),
  )
})

test.each([
  'manifest.parquet',
  'excluded.csv',
  'X_train_unfiltered_5M.csv.tmp',
  'X_train_unfiltered_5M_filtered_by_CLIP_openai.csv',
  'X_train_top030pct_filtered_by_CLIP_openai.csv',
  'X_train_top30pct.csv',
  'X_val_5000_filtered_by_CLIP_openai.csv',
  'X_notes.csv',
  'X_y_train_unfiltered_5M.csv',
  'X_train_unfiltered_5M_captions.jsonl',
])('%s is no file of rows of a dataset called X', (path) => {
  expect(parseRowsPath('X', path)).toBeNull()
})
