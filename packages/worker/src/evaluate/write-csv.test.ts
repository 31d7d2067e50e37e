import { expect, test } from 'vitest'
import { checkDistinctOutputs } from './write-csv.ts'

test('a file that is read, or that another option writes, is not written', () => {
  const check = (confusion: string | undefined, perQuery: string | undefined) => () =>
    checkDistinctOutputs({ '--confusion': confusion, '--per-query': perQuery }, ['data/test.csv', undefined])
  expect(check('matrix.csv', 'queries.csv')).not.toThrow()
  expect(check(undefined, undefined)).not.toThrow()
  expect(check('x.csv', './x.csv')).toThrow(
    '--per-query ./x.csv: this file is written by --confusion; name another file.',
  )
  expect(check('data/../data/test.csv', undefined)).toThrow(
    '--confusion data/../data/test.csv: this file is read; name another file.',
  )
})
