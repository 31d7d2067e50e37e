import { expect, test } from 'vitest'
import { storeFinished } from '../test/support/finished-dataset.ts'
import { parseLock } from './lock.ts'

type Json = Record<string, unknown>

const whole = JSON.parse(Buffer.from((await storeFinished()).files.get('dataset.lock.json')!).toString()) as Json

/** The lock with one member, `a.b.0`, set to a value or taken away. */
function changed(path: string, value: unknown): Json {
  const lock = structuredClone(whole)
  const keys = path.split('.')
  const last = keys.pop()!
  const parent = keys.reduce((at, key) => at[key] as Json, lock)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return lock
}

test.each<[path: string, value: unknown, sentence: string]>([
  ['fingerprint', 3, 'fingerprint: expected a string, got 3'],
  ['config.name', undefined, 'lacks the member "config.name"'],
  ['config.filter', [], 'config.filter: expected an object, got []'],
  ['config.filter.top', '30', 'config.filter.top: expected a list, got "30"'],
  ['config.filter.top.1', 30.5, 'config.filter.top.1: expected a whole number, got 30.5'],
  ['config.filter.scorers', [], 'config.filter.scorers: expected at least 1 elements, got []'],
  ['config.filter.split.by', 'year', 'config.filter.split.by: expected "block" or "image", got "year"'],
  ['config.filter.split.degrees', null, 'config.filter.split.degrees: expected "auto" or a number, got null'],
  ['counts.kept', -1, 'counts.kept: expected at least 0, got -1'],
  ['counts.dropped.rain', 'two', 'counts.dropped.rain: expected a number, got "two"'],
  ['counts.objects', 2 ** 60, 'counts.objects: expected at most 9007199254740991, got 1152921504606847000'],
  ['inputs.0.box', [1, 2, 3], 'inputs.0.box: expected at least 4 elements, got [1,2,3]'],
  [
    'files',
    { 'a.csv': { sha256: 'x'.repeat(99) } },
    `files.a.csv: expected a string, got {"sha256":"${'x'.repeat(48)}…`,
  ],
])('a lock whose %s is %j is told in one sentence', (path, value, sentence) => {
  expect(parseLock(changed(path, value))).toEqual({ lock: null, faults: [sentence] })
})

test('all faults of a lock are told', () => {
  const { faults } = parseLock({ ...whole, fingerprint: null, rows: 5, tool: undefined })
  expect(faults).toEqual([
    'lacks the member "tool"',
    'fingerprint: expected a string, got null',
    'rows: expected an object, got 5',
  ])
  expect(parseLock('lock').faults).toEqual(['expected an object, got "lock"'])
})

test('a lock of an older dataset, which lacks later settings, is read with their defaults', () => {
  const { lock } = parseLock(changed('config.captions', {}))
  expect(lock!.config.captions).toEqual({ templates: ['skyscript'], maxTokens: null })
  expect(lock!.config.filter).toMatchObject({ above: [], maxPerTag: null, maxSameCaption: null, exclude: null })
  expect(lock!.origins).toEqual({})
})
